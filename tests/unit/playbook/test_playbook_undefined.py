"""Names that nothing can supply are refused before the run; what Ansible might run is left alone."""

from __future__ import annotations

import pytest

from botyard.contracts import BadInput

MADE = "- {name: made, copy: {dest: made, content: x}}\n"


@pytest.mark.parametrize(
    ("task", "place"),
    [
        ("debug: {msg: '{{ nope }}'}", "7:20"),
        ("debug: {msg: 'a {{ nope.x[0] }} b'}", "7:20"),
        ("debug: {msg: ['{{ [1] }}', '{{ 1 + nope }}']}", "7:34"),
        ("debug: {msg: '{{ nope | upper }}'}", "7:20"),
        ("debug: {msg: '{{ nope | upper | trim }}'}", "7:20"),
        ("debug: {msg: '{{ nope.items() }}'}", "7:20"),
        ("debug: {msg: '{{ nope is changed }}'}", "7:20"),
        ("debug: {msg: '{{ -nope }}'}", "7:20"),
        ("debug: {msg: '{{ nope == 1 }}'}", "7:20"),
        ("debug: {msg: '{{ 1 in nope }}'}", "7:20"),
        ("debug: {msg: '{{ nope and x }}'}", "7:20"),
        ("debug: {msg: '{{ 1 if nope else 2 }}'}", "7:20"),
        ("debug: {msg: '{% if nope %}{% endif %}'}", "7:20"),
        ("debug: {msg: '{% for a in nope %}{% endfor %}'}", "7:20"),
        ("debug: {msg: \"{{ 'a' ~ nope }}\"}", "7:20"),
        ("{debug: {}, when: nope}", "7:25"),
        ("{debug: {}, when: [true, not nope]}", "7:32"),
        ("{debug: {}, when: '{{ nope }}'}", "7:25"),
        ("{debug: {}, loop: '{{ nope }}'}", "7:25"),
        ("{debug: {}, loop: [1, '{{ nope }}']}", "7:29"),
        ("{debug: {msg: '{{ nope }}'}, loop: [1]}", "7:21"),
        ("{debug: {msg: '{{ item }} {{ nope }}'}, loop: [1]}", "7:21"),
        ("{debug: {msg: '{{ nope }}'}, when: switch}", "7:21"),
        ("{debug: {msg: '{{ nope }}'}, loop: '{{ numbers }}', when: switch and playbook_dir}", None),
        ("{debug: {msg: '{{ nope }}'}, loop: '{{ numbers }}', when: switch == true}", "7:21"),
        ("{debug: {msg: '{{ v }}'}, vars: {v: '{{ w }}', w: '{{ nope }}'}}", "7:57"),
        ("{debug: {msg: '{{ v }}'}, vars: {v: {a: [1, '{{ nope }}']}}}", "7:51"),
        ("{debug: {}, loop: '{{ v }}', vars: {v: [1, '{{ nope }}']}}", "7:50"),
        ("assert: {that: [nope == 1]}", "7:23"),
        ("{debug: {}, loop: [1], loop_control: {label: '{{ nope }}'}}", "7:52"),
        ("{debug: {}, environment: {A: '{{ nope }}'}}", "7:36"),
        ("{debug: {}, changed_when: nope}", "7:33"),
        ("{debug: {}, failed_when: nope == 1}", "7:32"),
        ("{debug: {}, register: r, until: nope}", "7:39"),
        ("{debug: {}, notify: '{{ nope }}'}", "7:27"),
        ("set_fact: {a: '{{ nope }}'}", "7:21"),
        ("{block: [{debug: {msg: '{{ nope }}'}}], always: [{debug: {}}]}", "7:30"),
        ("{block: [{debug: {}}], rescue: [], always: [{debug: {msg: '{{ nope }}'}}]}", "7:65"),
        ("include_tasks: '{{ nope }}'", None),
        ("{include_tasks: has.yml, vars: {a: 1}}", "has.yml:1:17"),
        ("import_tasks: has.yml", "has.yml:1:17"),
    ],
)
def test_refused(kit, task, place):
    kit.write("- {debug: {msg: '{{ nope }}'}}\n", "has.yml")
    file = kit.tasks(f"{MADE}- {task}")
    options = {"extra_vars": {"switch": True, "numbers": [1], "x": 1}}
    if place is None:
        assert kit.run(file, **options).report.exit_code == 1
        return
    with pytest.raises(BadInput) as caught:
        kit.run(file, **options)
    where = place if "yml" in place else f"play.yml:{place}"
    assert caught.value.message.startswith(f"{where}: 'nope' is undefined\n")
    assert not (kit.folder / "made").exists()


@pytest.mark.parametrize(
    "task",
    [
        "debug: {msg: '{{ nope is defined }} {{ nope is not defined }} {{ nope is undefined }}'}",
        "debug: {msg: \"{{ nope | default(1) }} {{ nope.a.b | d('x') }}\"}",
        "debug: {msg: '{{ nope | upper | default(1) }}'}",
        "debug: {msg: '{{ nope is defined and nope.x }}'}",
        "debug: {msg: '{{ nope is not defined or nope }}'}",
        "debug: {msg: '{{ nope if nope is defined else 2 }}'}",
        "debug: {msg: '{{ 1 in [] or nope in [] }}'}",
        "debug: {msg: '{% if false %}{{ nope }}{% endif %}'}",
        "debug: {msg: '{% for nope in [1] %}{{ nope }}{{ loop.index }}{% endfor %}'}",
        "debug: {msg: '{% set nope = 1 %}{{ nope }}'}",
        "debug: {msg: \"{{ [nope] | map('default', 3) | list }}\"}",
        "debug: {msg: \"{{ lookup('env', 'HOME') }} {{ omit is defined }} {{ range(3) }}\"}",
        "{debug: {msg: x}, vars: {a: '{{ nope }}', b: '{{ b }}'}}",
        "{debug: {msg: '{{ a | default(3) }}'}, vars: {a: '{{ nope }}'}}",
        "{debug: {msg: '{{ nope }}'}, when: false}",
        "{debug: {msg: '{{ nope }}'}, when: nope is defined}",
        "{debug: {msg: '{{ nope }}'}, when: r is failed}",
        "{debug: {msg: '{{ nope }}'}, when: off}",
        "{debug: {msg: '{{ nope }}'}, when: flag, vars: {flag: '{{ r is not defined }}'}}",
        "{debug: {msg: '{{ nope }}'}, loop: []}",
        "{debug: {msg: '{{ nope }}'}, loop: '{{ r.empty }}'}",
        "{debug: {}, loop: '{{ nope }}', when: false}",
        "{debug: {msg: '{{ nope }}'}, ignore_errors: true}",
        "{block: [{debug: {msg: '{{ nope }}'}}], rescue: [{debug: {}}]}",
        "{block: [{debug: {}}], rescue: [{debug: {msg: '{{ nope }}'}}]}",
        "{when: false, block: [{debug: {msg: '{{ nope }}'}}]}",
        "{include_tasks: has.yml, when: false}",
        "{include_tasks: asks.yml, vars: {given: 1}}",
        "{include_tasks: asks.yml, loop: [1], loop_control: {loop_var: given}}",
        "{include_tasks: '{{ \"sets\" }}.yml'}",
        "{import_tasks: asks.yml, vars: {given: 1}}",
        "{debug: {msg: '{{ a }} {{ i }}{{ ansible_loop_var }}'}, loop: [1], loop_control: {loop_var: a, index_var: i}}",
        "{debug: {msg: '{{ later }} {{ fact }}'}, when: later is defined}",
        "{name: '{{ nope }}', debug: {}}",
        "{debug: {}, changed_when: r is changed and nope}",
    ],
)
def test_left_alone(kit, task):
    kit.write("- {debug: {msg: '{{ nope }}'}}\n", "has.yml")
    kit.write("- {debug: {msg: '{{ given }}'}}\n", "asks.yml")
    kit.write("- {set_fact: {nope: 1}}\n", "sets.yml")
    ran = kit.play(
        f"""
        - set_fact: {{r: {{empty: []}}}}
        - {task}
        - {{debug: {{}}, register: later}}
        - set_fact: {{fact: 1}}
        """,
        extra_vars={"off": False},
    )
    assert ran.report.exit_code == 0, ran.out


def test_every_variable_that_is_always_there_is_known(kit):
    kit.write("f: 1\n", "more.yml")
    ran = kit.play(
        """
        - debug: {msg: "{{ ansible_check_mode }} {{ ansible_diff_mode }} {{ ansible_play_name }}"}
        - debug: {msg: "{{ inventory_hostname }} {{ playbook_dir }} {{ e }} {{ p }} {{ f }} {{ b }} {{ t }}"}
        - block: [{fail: {}}]
          rescue: [{debug: {msg: "{{ ansible_failed_task.name }} {{ ansible_failed_result.msg }}"}}]
        """,
        head="vars: {p: 1, b: '{{ p }}', t: 1}\nvars_files: more.yml",
        extra_vars={"e": 1},
    )
    assert ran.report.exit_code == 0, ran.out


def test_names_from_other_files_of_the_run_and_from_handlers(kit):
    kit.tasks(
        "- {command: 'true', register: r, notify: h}",
        head="handlers: [{name: h, debug: {}, register: handled}]",
        name="a.yml",
    )
    kit.tasks("- {debug: {msg: '{{ r.rc }} {{ v }} {{ handled.msg }}'}}", name="b.yml")
    top = kit.write("- import_playbook: a.yml\n- {import_playbook: b.yml, vars: {v: 1}}\n", "top.yml")
    assert kit.run(top).report.exit_code == 0
    with pytest.raises(BadInput, match=r"b\.yml:6:\d+: 'r' is undefined"):
        kit.run(kit.folder / "b.yml", extra_vars={"v": 1, "handled": 1})


def test_a_task_that_the_flags_leave_out_supplies_nothing(kit):
    file = kit.tasks("- {command: 'true', register: r, tags: a}\n- {name: b, debug: {msg: '{{ r }}'}, tags: b}")
    for flags in ({"tags": ["b"]}, {"skip_tags": ["a"]}, {"start_at_task": "b"}):
        with pytest.raises(BadInput, match="'r' is undefined") as caught:
            kit.run(file, **flags)
        assert caught.value.cure == "the task at play.yml:6:7 would set it, but the flags leave it out"
    assert kit.run(file, tags=["a"]).report.exit_code == 0


def test_the_line_within_a_block_of_text_and_a_guess(kit):
    with pytest.raises(BadInput) as caught:
        kit.play("- debug:\n    msg: |\n      fine\n      {{ hots }}", extra_vars={"host": 1})
    assert caught.value.message.startswith("play.yml:9:14: 'hots' is undefined\n              {{ hots }}")
    assert caught.value.cure == "did you mean host?"


def test_a_play_that_may_end_early_is_left_alone(kit):
    tasks = "- {command: 'true', register: r}\n- {meta: end_play, when: r is changed}\n- debug: {msg: '{{ nope }}'}"
    assert kit.play(tasks).report.exit_code == 0


def test_in_check_mode_conditions_on_results_may_never_be_looked_at(kit):
    tasks = "- {command: 'true', changed_when: nope}"
    assert kit.play(tasks, check=True).report.exit_code == 0
    with pytest.raises(BadInput):
        kit.play(tasks)


@pytest.mark.parametrize(
    ("name", "cure"),
    [("hostvars", "variable's name alone"), ("ansible_os_family", "never gathered"), ("query('env', 'A')", "lookup(")],
)
def test_what_ansible_knows_is_refused_with_a_reason(kit, name, cure):
    with pytest.raises(BadInput) as caught:
        kit.play(f"""- debug: {{msg: "{{{{ {name} }}}}"}}""")
    assert cure in caught.value.cure


def test_a_variable_made_from_itself_is_refused(kit):
    with pytest.raises(BadInput, match=r"play\.yml:5:27: the variable 'a' is made from itself"):
        kit.play("- debug: {msg: '{{ a }}'}", head="vars: {a: '{{ b }}', b: '{{ a }}'}")
    assert kit.play("- debug: {msg: '{{ a | default(1) }}'}", head="vars: {a: '{{ a }}'}").report.exit_code == 1
