"""import_tasks and include_tasks: what the tasks of the file inherit, see and count as. As ansible-core 2.19."""

from __future__ import annotations

import pytest

from botyard.contracts import BadInput
from botyard.playbook import list_tasks, load_playbooks

SAY = """
- name: says
  debug: {msg: "{{ v }} {{ w }} {{ own }}"}
  vars: {v: own, own: own}
  tags: inner
"""


def order(ran):
    return [task.name for task in ran.report.tasks]


def test_import_hands_everything_down(kit):
    kit.write("- {name: a, debug: {msg: '{{ v }}'}, tags: a}\n- {name: b, command: 'false'}\n", "more.yml")
    ran = kit.play(
        """
        - import_tasks: more.yml
          vars: {v: handed}
          tags: top
          ignore_errors: true
        - {name: later, import_tasks: {file: more.yml}, when: false, vars: {v: 1}}
        """
    )
    assert [(task.name, task.status) for task in ran.report.tasks] == [
        ("a", "ok"), ("b", "ignored"), ("a", "skipped"), ("b", "skipped"),
    ]  # fmt: skip
    assert ran.task("a").msg == "handed"
    assert order(kit.run(kit.folder / "play.yml", tags=["top"])) == ["a", "b"]
    assert order(kit.run(kit.folder / "play.yml", tags=["a"])) == ["a", "a"]


def test_precedence_of_the_variables_of_both(kit):
    kit.write(SAY, "more.yml")
    ran = kit.play("""
    - set_fact: {v: fact, w: fact}
    - {include_tasks: more.yml, vars: {v: "{{ w }} include"}}
    - {import_tasks: more.yml, vars: {v: import, w: import}}
    - {include_tasks: {file: more.yml, apply: {vars: {w: applied}}}}
    """)
    said = [task.msg for task in ran.report.tasks if task.name == "says"]
    assert said == ["fact include fact own", "fact fact own", "fact fact own"]
    assert kit.run(kit.folder / "play.yml", extra_vars={"v": "extra"}).task("says").msg == "extra fact own"


def test_variables_of_an_include_reach_includes_within_it(kit):
    kit.write("- {include_tasks: inner.yml, vars: {b: inner}}\n", "outer.yml")
    kit.write("- {name: says, debug: {msg: '{{ a }} {{ b }}'}}\n", "inner.yml")
    ran = kit.play("- set_fact: {a: fact, b: fact}\n- {include_tasks: outer.yml, vars: {a: outer, b: outer}}")
    assert ran.task("says").msg == "outer inner"


def test_include_hands_down_what_its_block_says_and_nothing_of_its_own(kit):
    kit.write("- {name: a, command: 'false'}\n", "more.yml")
    ran = kit.play("""
    - block:
        - {name: mine, include_tasks: more.yml, ignore_errors: true}
      rescue:
        - {name: mends, debug: {msg: "{{ ansible_failed_task.name }}"}}
    - ignore_errors: true
      block: [{name: its block, include_tasks: more.yml}]
    """)
    assert [task.status for task in ran.report.tasks] == ["ok", "rescued", "ok", "ok", "ignored"]
    assert ran.task("mends").msg == "a"


def test_tags_of_an_include_are_its_own(kit):
    kit.write("- {name: plain, debug: {}}\n- {name: tagged, debug: {}, tags: t}\n", "more.yml")
    file = kit.tasks("""
    - {name: inc, include_tasks: more.yml, tags: t}
    - {name: applied, include_tasks: {file: more.yml, apply: {tags: t}}, tags: t}
    - {name: untagged, include_tasks: more.yml}
    """)
    assert order(kit.run(file, tags=["t"])) == ["inc", "tagged", "applied", "plain", "tagged"]
    assert order(kit.run(file, skip_tags=["t"])) == ["untagged", "plain"]


def test_include_in_a_loop(kit):
    kit.write("- {name: 'n {{ one }}', debug: {msg: '{{ v }} {{ i }} {{ ansible_loop_var }}'}}\n", "more.yml")
    ran = kit.play("""
    - name: inc
      include_tasks: "{{ one.file }}"
      loop: [{n: 1, file: more.yml}, {n: 2, file: gone.yml}, {n: 3, file: more.yml}]
      loop_control: {loop_var: one, index_var: i, label: "{{ one.n }}"}
      when: one.n != 2
      vars: {v: "{{ one.n }}!"}
      register: included
    - assert:
        that:
          - included.results | map(attribute='include', default='-') | list == ['more.yml', '-', 'more.yml']
          - included is not changed
    """)
    assert ran.report.exit_code == 0, ran.out
    assert [task.msg for task in ran.report.tasks if task.name.startswith("n ")] == ["1! 0 one", "3! 2 one"]
    assert [item.status for item in ran.task("inc").items] == ["ok", "skipped", "ok"]
    assert ran.report.counts()["ok"] == 5  # as in Ansible each file counts once


def test_a_skipped_include_counts_once(kit):
    kit.write("- {name: a, debug: {}}\n", "more.yml")
    ran = kit.play("""
    - {include_tasks: more.yml, when: false}
    - {include_tasks: more.yml, loop: []}
    - {include_tasks: more.yml, loop: [1, 2], when: item == 3}
    """)
    assert (ran.report.ok, ran.report.skipped, len(ran.report.tasks)) == (0, 3, 3)


def test_files_are_found_beside_the_file_that_names_them_then_beside_the_playbook(kit):
    (kit.folder / "sub").mkdir()
    kit.write(
        "- {name: first, include_tasks: deep.yml}\n- import_tasks: deep.yml\n- import_tasks: top.yml\n", "sub/a.yml"
    )
    kit.write("- {name: deep, debug: {msg: '{{ playbook_dir }}'}}\n", "sub/deep.yml")
    kit.write("- {name: top, debug: {}}\n", "top.yml")
    ran = kit.play("- import_tasks: '{{ where }}/a.yml'\n  vars: {where: sub}")
    assert order(ran) == ["first", "deep", "deep", "top"]
    assert ran.task("deep").msg == str(kit.folder)


def test_a_file_that_includes_itself_until_a_condition_ends_it(kit):
    kit.write(
        """
        - {name: count, set_fact: {n: "{{ n | default(0) + 1 }}"}}
        - {include_tasks: again.yml, when: n < most}
        """,
        "again.yml",
    )
    file = kit.tasks("- include_tasks: again.yml")
    ran = kit.run(file, extra_vars={"most": 3})
    assert [task.name for task in ran.report.tasks].count("count") == 3
    endless = kit.run(file, extra_vars={"most": 10**6})
    assert endless.report.exit_code == 1
    assert "include_tasks goes too deep" in endless.report.tasks[-1].msg


def test_a_file_of_a_template_name_is_checked_when_it_is_reached(kit):
    kit.write("- debgu:\n", "bad.yml")
    ran = kit.play("""
    - {name: before, debug: {}}
    - {name: gone, include_tasks: "{{ 'gone' }}.yml", ignore_errors: true}
    - {name: bad, include_tasks: "{{ 'bad' }}.yml"}
    """)
    assert ran.statuses() == {"before": "ok", "gone": "ignored", "bad": "failed"}
    assert "play.yml:8:35: no such file: gone.yml" in ran.task("gone").msg
    assert "bad.yml:1:3: unknown keyword or module 'debgu'" in ran.task("bad").msg
    assert "did you mean" in ran.task("bad").cure


def test_registers_of_included_tasks_are_seen_afterwards_and_empty_files_do_nothing(kit):
    kit.write("- {command: echo x, register: r}\n", "more.yml")
    kit.write("# nothing yet\n", "empty.yml")
    ran = kit.play("""
    - import_tasks: empty.yml
    - include_tasks: empty.yml
    - include_tasks: more.yml
    - assert: {that: r.stdout == 'x'}
    """)
    assert ran.report.exit_code == 0, ran.out


def test_in_check_mode_too(kit):
    kit.write("- {name: a, copy: {dest: made, content: x}}\n", "more.yml")
    assert kit.play("- include_tasks: more.yml", check=True).task("a").status == "changed"
    assert not (kit.folder / "made").exists()


def listed(kit, **options):
    lines = list_tasks([kit.folder / "play.yml"], **options)
    return [tuple(line.strip().split("\tTAGS: ")) for line in lines if line.startswith("      ")]


def test_lists_follow_imports_not_includes(kit):
    kit.write("- {name: inner, debug: {}, tags: a}\n- {name: inc, include_tasks: deep.yml}\n", "more.yml")
    kit.write("- {name: deep, debug: {}, tags: d}\n", "deep.yml")
    kit.tasks("- {import_tasks: more.yml, tags: top}\n- {name: last, debug: {}, tags: [never, z]}", head="tags: p")
    assert listed(kit) == [("inner", "[a, p, top]"), ("inc", "[p, top]")]
    assert listed(kit, tags=["z"]) == [("last", "[never, p, z]")]
    assert listed(kit, tags_only=True) == [("TASK TAGS: [a, p, top]",)]
    assert listed(kit, tags_only=True, tags=["d"]) == [("TASK TAGS: [p]",)]


def test_start_at_a_task_of_an_import_but_not_of_an_include(kit):
    kit.write("- {name: a, debug: {}}\n- {name: b, debug: {}}\n", "more.yml")
    file = kit.tasks("- import_tasks: more.yml\n- {name: inc, include_tasks: deep.yml}")
    kit.write("- {name: deep, debug: {}}\n", "deep.yml")
    assert order(kit.run(file, start_at_task="b")) == ["b", "inc", "deep"]
    with pytest.raises(BadInput, match="no task is named 'deep'"):
        kit.run(file, start_at_task="deep")


def test_a_tag_that_only_an_included_file_has_is_known(kit):
    kit.write("- {name: deep, debug: {}, tags: d}\n", "deep.yml")
    file = kit.tasks("- {name: inc, include_tasks: deep.yml, tags: always}")
    assert order(kit.run(file, tags=["d"])) == ["inc", "deep"]
    with pytest.raises(BadInput, match="no task has the tag 'e'"):
        kit.run(file, tags=["e"])
    file = kit.tasks("- {name: inc, include_tasks: '{{ name }}.yml', tags: always}")
    assert order(kit.run(file, tags=["e"], extra_vars={"name": "deep"})) == ["inc"]


@pytest.mark.parametrize(
    ("task", "said", "cure"),
    [
        ("import_tasks: more.yml\n      loop: [1]", "play.yml:6:7: unknown keyword of import_tasks 'loop'", ""),
        ("import_tasks: more.yml\n      register: r", "play.yml:6:7: unknown keyword of import_tasks 'register'", ""),
        ("include_tasks: more.yml\n      notify: r", "play.yml:6:7: unknown keyword of include_tasks 'notify'", ""),
        ("include_tasks: more.yml\n      until: true", "unknown keyword of include_tasks 'until'", ""),
        ("include_tasks: {file: more.yml, aply: {}}", "no argument 'aply'", "did you mean apply?"),
        ("include_tasks: {file: more.yml, apply: {loop: [1]}}", "unknown keyword of apply 'loop'", ""),
        ("include_tasks: {file: more.yml, apply: [1]}", "apply: input should be a valid dictionary", ""),
        ("include_tasks: {file: more.yml, apply: '{{ x }}'}", "apply takes a mapping, not '{{ x }}'", ""),
        ("include_tasks: {file: more.yml, apply: {when: a =}}", "bad Jinja2", ""),
        ("include_tasks: .", "play.yml:5:22: cannot read", "a YAML file"),
        ("include_tasks: [a, b]", "takes its arguments as a mapping", ""),
        ("include_tasks:", "needs the argument 'file'", ""),
        ("import_tasks:", "import_tasks takes text, not nothing", ""),
        ("import_tasks: {file: more.yml, tags: x}", "import_tasks takes text, not a mapping", ""),
        ("import_tasks: moer.yml", "play.yml:5:21: no such file: moer.yml", "did you mean more.yml?"),
        ("include_tasks: moer.yml", "play.yml:5:22: no such file: moer.yml", "did you mean more.yml?"),
        ("import_tasks: '{{ nope }}.yml'", "play.yml:5:21: 'nope' is undefined", "extra vars"),
        ("import_tasks: map.yml", "map.yml:1:1: a file of tasks is a list of tasks", ""),
        ("include_tasks: bad.yml", "bad.yml:1:3: unknown keyword or module 'debgu'", ""),
        ("import_tasks: self.yml", "self.yml:1:17: self.yml imports itself", "self.yml -> self.yml"),
        ("import_task: more.yml", "unknown keyword or module 'import_task'", "did you mean import_tasks?"),
        ("ansible.builtin.import_taks: more.yml", "unknown module", "did you mean ansible.builtin.import_tasks?"),
        ("include_role: {name: x}", "'include_role' is not supported", "use import_tasks"),
    ],
)  # fmt: skip
def test_refused_before_the_run(kit, task, said, cure):
    kit.write("- {name: a, debug: {}}\n", "more.yml")
    kit.write("a: 1\n", "map.yml")
    kit.write("- debgu:\n", "bad.yml")
    kit.write("- import_tasks: self.yml\n", "self.yml")
    file = kit.write(f"- hosts: localhost\n  gather_facts: false\n  tasks:\n    - debug:\n    - {task}\n")
    with pytest.raises(BadInput) as caught:
        load_playbooks([file])
    assert said in caught.value.message
    assert cure in caught.value.cure
