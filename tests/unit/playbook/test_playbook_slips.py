"""What newcomers write: refused where it stands, with what is meant here."""

from __future__ import annotations

import pytest

from botyard.contracts import BadInput

T = "{name: t, debug: {msg: hi}"


@pytest.mark.parametrize(
    ("task", "place", "cure"),
    [
        (f"- {T}, when: a == 1 and {{{{ a }}}}}}", "", ""),  # YAML itself does not take that; below, in quotes
        (f"- {T}, when: 'a == 1 and {{{{ a }}}}'}}", "7:41", "leave the braces out"),
        (f"- {T}, until: '{{{{ a }}}} == 1'}}", "7:42", "leave the braces out"),
        (f"- {T}, when: a = 1}}", "7:41", "write == to compare"),
        (f"- {T}, when: \"a = 'x == y'\"}}", "7:41", "write == to compare"),
        (f"- {T}, when: a == 1 && a}}", "7:41", "write and, not &&"),
        (f"- {T}, when: a || a}}", "7:41", "write or, not ||"),
        (f"- {T}, when: (a && a) == 1}}", "7:41", "write and, not &&"),
        (f"- {T}, when: '!a'}}", "7:41", "write not, not !"),
        ("- {name: t, debug: {msg: 'a && b is {{ a || 2 }}'}}", "7:30", "write or, not ||"),
        ("- {name: t, debug: {msg: '{{ a = 1 }}'}}", "7:30", "write == to compare"),
        ("- {name: t, debug: {msg: '{% if a = 1 %}x{% endif %}'}}", "7:30", "write == to compare"),
        ("- {name: t, debug: {msg: '{{ item }}'}}", "7:30", "give the task a loop"),
        ("- {name: t, debug: {msg: '{{ item }}'}, loop: [1], loop_control: {loop_var: one}}", "7:30", "calls it one"),
    ],
)
def test_a_slip_in_an_expression_is_told_with_what_is_meant(kit, task, place, cure):
    with pytest.raises(BadInput) as caught:
        kit.play(task, head="vars: {a: 1}")
    if place:
        assert caught.value.message.startswith(f"play.yml:{place}: ") and cure in caught.value.cure


@pytest.mark.parametrize(
    "text",
    [
        "{{ a | default(b=1 }}",  # the = is an argument's
        "{{ 'a && b' | nope }}",  # in a text of its own
        "{{ a == 1 if }}",
        "{% set b = a %}{{ b ( }}",
        "a && b {{ a ( }}",  # outside of the braces
    ],
)
def test_where_nobody_can_tell_nothing_is_claimed(kit, text):
    with pytest.raises(BadInput) as caught:
        kit.play(f'- {{name: t, debug: {{msg: "{text}"}}}}')
    assert "write" not in caught.value.cure


def test_item_in_what_is_worked_out_late_is_told_too(kit):
    ran = kit.play("- {name: t, debug: {msg: '{{ item }}'}, ignore_errors: true}")
    assert ran.task("t").cure.startswith("item is what a loop gives")


def test_a_whole_condition_in_braces_is_taken_as_ansible_takes_it(kit):
    assert kit.play(f"- {T}, when: '{{{{ 1 == 1 }}}}'}}").statuses() == {"t": "ok"}


@pytest.mark.parametrize(
    "text", ["- name: t\n\tdebug: {}\n", "- name: t\n  tags:\n\t- x\n", "- name: t\n  debug:\n  \tmsg: hi\n"]
)
def test_a_tab_is_told_as_one(kit, text):
    with pytest.raises(BadInput, match=r"play.yml:\d:\d: not valid YAML: a tab where YAML takes spaces") as caught:
        kit.run(kit.write(text))
    assert caught.value.cure == "use spaces"


@pytest.mark.parametrize("task", ["debug: {msg: hi}", "ansible.builtin.command: {argv: ['true']}", "block: []"])
def test_a_list_of_tasks_is_no_playbook(kit, task):
    with pytest.raises(BadInput, match=r"play.yml:1:3: this is a task, and a playbook is a list of plays") as caught:
        kit.run(kit.write(f"- name: t\n  {task}\n"))
    assert "below tasks: of a play" in caught.value.cure and "import_tasks" in caught.value.cure


def test_a_play_with_a_wrong_word_is_still_a_play(kit):
    with pytest.raises(BadInput, match="unknown keyword of a play 'debug'"):
        kit.run(kit.write("- hosts: localhost\n  gather_facts: false\n  debug: {msg: hi}\n"))


@pytest.mark.parametrize("word", ["import_tasks", "include_tasks"])
@pytest.mark.parametrize(
    ("content", "place"),
    [("- name: P\n  hosts: localhost\n  tasks: []\n", "2:3"), ("- import_playbook: other.yml\n", "1:3")],
)
def test_a_playbook_is_no_list_of_tasks(kit, word, content, place):
    kit.write(content, "more.yml")
    with pytest.raises(BadInput, match=rf"more.yml:{place}: this is a playbook, and a list of tasks") as caught:
        kit.play(f"- {word}: more.yml")
    assert "import_playbook" in caught.value.cure


@pytest.mark.parametrize("entry", ["- import_playbook: pley.yml\n", "- import_playbook: zzz.yml\n"])
def test_a_missing_file_is_never_the_playbook_that_names_it(kit, entry):
    kit.write("[]", "quite_other.yaml")
    with pytest.raises(BadInput, match="no such file") as caught:
        kit.run(kit.write(entry))
    assert caught.value.cure == "mend its name, or write it"


HANDLERS = "handlers: [{name: H, debug: {msg: h}}, {name: I, debug: {msg: i}}]"
LEFT = "notified, but not run for the failure: H (force_handlers: true in the play runs them even then)"


def test_handlers_that_a_failure_kept_from_running_are_told_at_the_end(kit):
    tasks = "- {name: c, command: 'true', notify: H}\n- {name: f, fail: {msg: why}}\n"
    assert LEFT in kit.play(tasks, head=HANDLERS).out.partition("PLAY RECAP")[2]
    assert "not run" not in kit.play(tasks, head=f"{HANDLERS}\nforce_handlers: true").out
    assert "not run" not in kit.play(tasks.splitlines()[0], head=HANDLERS).out
    before = "- {name: f, fail: {msg: why}}\n- {name: c, command: 'true', notify: H}\n"
    assert "not run" not in kit.play(before, head=HANDLERS).out


def test_a_failure_that_is_only_announced_by_its_first_line_is_told_with_the_next(kit):
    ran = kit.play('- name: f\n  fail: {msg: "it cannot go well:\\n  no room"}\n')
    assert "failed: play: f: it cannot go well: no room" in ran.out
