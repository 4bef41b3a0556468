"""Handlers: who is notified, when they run, in which order, and what a failure does to them. As ansible-core 2.19."""

from __future__ import annotations

import pytest

from botyard.contracts import BadInput

ALL = """
handlers:
  - {name: A, debug: {msg: a}}
  - {name: B, debug: {msg: b}}
  - {name: C, debug: {msg: c}}
"""


def order(ran):
    return [task.name for task in ran.report.tasks]


def test_they_run_once_at_the_end_in_the_order_of_their_definition(kit):
    ran = kit.play(
        """
        - {name: one, command: "true", notify: C}
        - {name: two, command: "true", notify: [A, C]}
        - {name: last, debug: {}}
        """,
        head=ALL,
    )
    assert order(ran) == ["one", "two", "last", "A", "C"]
    assert "RUNNING HANDLER [A] ***" in ran.out
    assert "TASK [A]" not in ran.out
    assert [task.handler for task in ran.report.tasks] == [False, False, False, True, True]
    assert ran.report.counts()["ok"] == 5


@pytest.mark.parametrize(
    "task",
    [
        "{name: t, debug: {}, notify: A}",
        "{name: t, command: 'true', when: false, notify: A}",
        "{name: t, command: 'true', changed_when: false, notify: A}",
        "{name: t, command: 'false', ignore_errors: true, notify: A}",
    ],
    ids=["ok", "skipped", "changed_when", "ignored"],
)
def test_only_a_task_that_changed_notifies(kit, task):
    assert order(kit.play(f"- {task}", head=ALL)) == ["t"]


def test_an_item_that_changed_notifies_for_all_items(kit):
    ran = kit.play(
        "- {name: t, command: 'true', loop: [A, C], changed_when: item == 'A', notify: '{{ item }}'}", head=ALL
    )
    assert order(ran) == ["t", "A", "C"]
    ran = kit.play("- {name: t, command: 'true', loop: [A, B, C], when: item == 'B', notify: '{{ item }}'}", head=ALL)
    assert order(ran) == ["t", "B"]


def test_notify_of_a_block_and_of_an_imported_file_is_handed_down(kit):
    kit.write("- {name: in file, command: 'true'}\n", "more.yml")
    ran = kit.play(
        """
        - notify: A
          block:
            - {name: t, command: "true"}
            - {name: own, command: "true", notify: [C]}
        - {import_tasks: more.yml, notify: B}
        """,
        head=ALL,
    )
    assert order(ran) == ["t", "own", "in file", "A", "B", "C"]


def test_listen_and_names_that_are_templates(kit):
    ran = kit.play(
        "- {name: t, command: 'true', notify: [topic, restart web, twice]}",
        head="""
        vars: {service: web}
        handlers:
          - {name: A, listen: topic, debug: {}}
          - {name: "restart {{ service }}", debug: {}}
          - {name: C, listen: [other, topic], debug: {}}
          - {name: twice, debug: {msg: first}}
          - {name: twice, debug: {msg: second}}
          - {debug: {msg: unnamed}, listen: topic}
        """,
    )
    assert order(ran) == ["t", "A", "restart web", "C", "twice", "ansible.builtin.debug"]
    assert ran.task("twice").msg == "first"


def test_handlers_notify_handlers_before_them_in_a_second_round(kit):
    ran = kit.play(
        "- {name: t, command: 'true', notify: B}",
        head="""
        handlers:
          - {name: A, command: "true", notify: [A, B, C]}
          - {name: B, command: "true", notify: [A, C]}
          - {name: C, debug: {}}
        """,
    )
    assert order(ran) == ["t", "B", "C", "A", "B", "C"]


def test_flush_handlers_runs_them_at_once(kit):
    ran = kit.play(
        """
        - {name: one, command: "true", notify: A}
        - {name: not yet, meta: flush_handlers, when: false}
        - {name: here, meta: flush_handlers}
        - {name: two, command: "true", notify: A}
        """,
        head=ALL,
    )
    assert order(ran) == ["one", "not yet", "here", "A", "two", "A"]
    assert ran.report.counts()["ok"] == 4
    assert ran.report.counts()["skipped"] == 0


def test_a_failure_leaves_them_out_unless_forced(kit):
    tasks = "- {name: t, command: 'true', notify: A}\n- {name: bad, fail: {}}"
    assert order(kit.play(tasks, head=ALL)) == ["t", "bad"]
    forced = kit.play(tasks, head="force_handlers: true\n" + ALL)
    assert order(forced) == ["t", "bad", "A"]
    assert forced.report.exit_code == 1


def test_a_rescued_block_keeps_what_it_notified(kit):
    ran = kit.play(
        """
        - block:
            - {name: t, command: "true", notify: A}
            - {name: bad, command: "false", notify: B}
          rescue:
            - {name: mends, command: "true", notify: C}
        """,
        head=ALL,
    )
    assert order(ran) == ["t", "bad", "mends", "A", "C"]
    assert ran.report.exit_code == 0


def test_a_handler_that_fails_in_a_flush_is_rescued_and_the_flush_taken_up(kit):
    ran = kit.play(
        """
        - block:
            - {name: t, command: "true", notify: [A, bad, C]}
            - {name: flush, meta: flush_handlers}
            - {name: never, debug: {}}
          rescue:
            - {name: mends, debug: {msg: "{{ ansible_failed_task.name }}"}}
            - {name: again, command: "true", notify: A}
          always:
            - {name: cleans, debug: {}}
        """,
        head="handlers: [{name: A, debug: {}}, {name: bad, fail: {}}, {name: C, debug: {}}]",
    )
    assert order(ran) == ["t", "flush", "A", "bad", "mends", "again", "cleans", "C", "A"]
    assert ran.task("mends").msg == "bad"
    assert (ran.task("bad").status, ran.report.rescued, ran.report.failed) == ("rescued", 1, 0)


def test_a_handler_that_fails_at_the_end_fails_the_play_and_stops_the_others(kit):
    head = "handlers: [{name: A, fail: {}}, {name: B, debug: {}}]"
    ran = kit.play("- {name: t, command: 'true', notify: [A, B]}", head=head)
    assert (order(ran), ran.report.exit_code) == (["t", "A"], 1)


def test_they_are_tasks_with_condition_loop_and_register(kit):
    ran = kit.play(
        "- {name: t, command: 'true', notify: [A, B, C]}",
        head="""
        handlers:
          - {name: A, debug: {}, when: false}
          - {name: B, command: "echo {{ item }}", loop: [1, 2], register: said}
          - {name: C, debug: {msg: "{{ said.results | map(attribute='stdout') | list | to_json }}"}}
        """,
    )
    assert ran.statuses() == {"t": "changed", "A": "skipped", "B": "changed", "C": "ok"}
    assert ran.task("C").msg == '["1", "2"]'


def test_they_run_whatever_their_tags_and_in_check_mode(kit):
    head = "handlers: [{name: A, debug: {}, tags: [never, x]}]"
    tasks = "- {name: t, copy: {dest: made, content: x}, notify: A, tags: t}\n- {name: u, debug: {}}"
    assert order(kit.play(tasks, head=head, tags=["t"])) == ["t", "A"]
    assert order(kit.play(tasks, head=head, skip_tags=["always"])) == ["t", "u"]
    (kit.folder / "made").unlink()
    assert order(kit.play(tasks, head=head, check=True)) == ["t", "u", "A"]
    assert not (kit.folder / "made").exists()


def test_handlers_of_other_files(kit):
    kit.write("- {name: in1, command: 'true', tags: zz}\n- {name: in2, debug: {}}\n", "more.yml")
    ran = kit.play(
        "- {name: t, command: 'true', notify: [topic, in1], tags: t}",
        head="handlers: [{name: B, include_tasks: more.yml, listen: topic}, {import_tasks: more.yml}]",
        tags=["t"],
    )
    assert order(ran) == ["t", "B", "in1", "in2", "in1"]
    assert ran.out.count("RUNNING HANDLER") == 4


def test_they_belong_to_their_play(kit):
    one = kit.tasks("- {name: t, command: 'true', notify: A}", head=ALL, name="one.yml")
    two = kit.tasks("- {name: u, debug: {}}", head=ALL, name="two.yml")
    assert order(kit.run(one, two)) == ["t", "A", "u"]


def test_end_play_leaves_out_the_rest_of_this_play_alone(kit):
    one = kit.tasks(
        """
        - block:
            - {name: t, command: "true", notify: A}
            - {name: not yet, meta: end_play, when: false}
            - {name: nothing, meta: noop}
            - {name: end, meta: end_play}
          always:
            - {name: never, debug: {}}
        """,
        head=ALL,
        name="one.yml",
    )
    ran = kit.run(one, kit.tasks("- {name: next play, debug: {}}", name="two.yml"))
    assert order(ran) == ["t", "not yet", "nothing", "end", "next play"]
    assert (ran.report.exit_code, ran.report.ok) == (0, 2)


def test_a_name_that_turns_out_to_be_no_handler_fails_the_task(kit):
    ran = kit.play("- {name: t, command: 'true', notify: '{{ \"Z\" }}'}", head=ALL)
    assert (ran.task("t").status, ran.task("t").msg) == ("failed", "no handler is named 'Z'")
    assert ran.task("t").changed


HEAD = "- hosts: localhost\n  gather_facts: false\n"


@pytest.mark.parametrize(
    ("text", "said", "cure"),
    [
        ("  handlers: [{name: restart, debug: {}}]\n  tasks:\n    - {debug: {}, notify: [restrat]}\n",
         "play.yml:5:28: no handler is named 'restrat'", "did you mean restart?"),
        ("  handlers: [{debug: {}, listen: a}, {name: b, debug: {}}]\n  tasks:\n    - {debug: {}, notify: zz}\n",
         "play.yml:5:27: no handler is named 'zz'", "there are: a, b"),
        ("  tasks:\n    - {debug: {}, notify: a}\n", "play.yml:4:27: no handler is named 'a'", "put it into handlers"),
        ("  tasks:\n    - {debug: {}, notify: {a: 1}}\n", "play.yml:4:27: notify takes the name of a handler", ""),
        ("  handlers: {a: 1}\n", "play.yml:3:13: handlers takes a list", ""),
        ("  handlers:\n    - block: []\n", "play.yml:4:7: a block cannot be a handler", "listen"),
        ("  handlers:\n    - meta: flush_handlers\n", "play.yml:4:13: flush_handlers cannot be used as a handler", ""),
        ("  handlers:\n    - debug:\n      lisen: a\n", "play.yml:5:7: unknown keyword", "did you mean listen?"),
        ("  tasks:\n    - meta: end_host\n", "play.yml:4:13: meta: end_host is not supported", "use end_play"),
        ("  tasks:\n    - meta: flush\n", "play.yml:4:13: ansible.builtin.meta: action: input should be", ""),
        ("  tasks:\n    - meta: {action: noop}\n", "play.yml:4:13: meta takes a plain word", "end_play"),
        ("  tasks:\n    - meta: '{{ x }}'\n", "play.yml:4:13: meta takes a plain word", "end_play"),
        ("  tasks:\n    - meta:\n", ": meta takes a plain word", "end_play"),
        ("  tasks:\n    - meta: noop\n      loop: [1]\n", "play.yml:5:7: unknown keyword of meta 'loop'", ""),
    ],
)  # fmt: skip
def test_refused_before_the_run(kit, text, said, cure):
    with pytest.raises(BadInput) as caught:
        kit.run(kit.write(HEAD + text))
    assert said in caught.value.message
    assert cure in caught.value.cure
