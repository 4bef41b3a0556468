"""What Ansible users rely on: conditions, loops, results, blocks, retries, tags, check mode, exit codes."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import threading
import time

import pytest

from botyard import process
from botyard.contracts import BadInput, BotyardError, Diff, Result, Secret
from botyard.modules.spec import arg
from botyard.playbook import list_tasks


def test_register_when_and_facts(kit):
    ran = kit.play("""
    - name: say
      debug: {msg: hi}
      register: said
    - name: not run
      fail:
      when: said.msg != 'hi'
      register: skipped
    - set_fact: {a: 1, b: "{{ said.msg }}"}
    - assert:
        that: [said is succeeded, skipped is skipped, not skipped is changed, a == 1, b == 'hi']
    """)
    assert ran.report.exit_code == 0
    assert ran.report.counts() == {
        "ok": 3, "changed": 0, "unreachable": 0, "failed": 0, "skipped": 1, "rescued": 0, "ignored": 0,
    }  # fmt: skip


def test_precedence_of_variables(kit):
    (kit.folder / "more.yml").write_text("b: file\nc: file\nd: file\n")
    ran = kit.play(
        """
        - set_fact: {d: fact}
        - vars: {e: block, f: block}
          block:
            - assert: {that: [a == 'extra', b == 'file', c == 'task', d == 'fact', e == 'task', f == 'block']}
              vars: {a: task, c: task, d: task, e: task}
        """,
        head="vars: {a: play, b: play}\nvars_files: more.yml\n",
        extra_vars={"a": "extra"},
    )
    assert ran.report.exit_code == 0, ran.out


def test_loop_results_and_control(kit):
    ran = kit.play("""
    - name: each
      command: echo {{ one.n }}
      loop: [{n: 1}, {n: 2}, {n: 3}]
      loop_control: {loop_var: one, index_var: i, label: "{{ one.n }}!"}
      when: one.n != 2
      changed_when: i == 2
      register: r
    - assert:
        that:
          - r.results | map(attribute='stdout', default='-') | list == ['1', '-', '3']
          - r is changed
          - r.results[1] is skipped
          - r.results[2].one.n == 3 and r.results[2].i == 2
    - name: empty
      debug:
      loop: []
      register: nothing
    - assert: {that: [nothing is skipped, nothing.results | length == 0]}
    """)
    assert ran.report.exit_code == 0, ran.out
    assert [(item.label, item.status) for item in ran.task("each").items] == [
        ("1!", "ok"), ("2!", "skipped"), ("3!", "changed"),
    ]  # fmt: skip
    assert ran.statuses()["empty"] == "skipped"


def test_a_failed_item_fails_the_task_after_all_items(kit):
    ran = kit.play("""
    - name: each
      command: test {{ item }} = b
      loop: [a, b, c]
    """)
    assert [item.status for item in ran.task("each").items] == ["failed", "changed", "failed"]
    assert ran.report.exit_code == 1
    assert "2 of 3 items failed" in ran.task("each").msg


def test_loop_over_no_list(kit):
    ran = kit.play("- debug:\n  loop: \"{{ {'a': 1} }}\"")
    assert "loop needs a list, not dict" in ran.report.tasks[0].msg
    assert ran.report.exit_code == 1


def test_block_rescue_always(kit):
    ran = kit.play("""
    - block:
        - name: breaks
          fail: {msg: broken}
        - name: never reached
          debug:
      rescue:
        - name: mends
          debug: {msg: "{{ ansible_failed_result.msg }} in {{ ansible_failed_task.name }}"}
      always:
        - name: cleans
          debug:
    - name: goes on
      debug:
    """)
    assert ran.statuses() == {"breaks": "rescued", "mends": "ok", "cleans": "ok", "goes on": "ok"}
    assert ran.task("mends").msg == "broken in breaks"
    assert (ran.report.exit_code, ran.report.failed, ran.report.rescued) == (0, 0, 1)


def test_always_runs_before_the_end(kit):
    ran = kit.play("""
    - block:
        - name: breaks
          fail:
      always:
        - name: cleans
          debug:
    - name: never
      debug:
    """)
    assert ran.statuses() == {"breaks": "failed", "cleans": "ok"}
    assert ran.report.exit_code == 1


def test_a_failing_rescue_fails(kit):
    ran = kit.play("""
    - block:
        - block: [{name: breaks, fail: {}}]
          rescue: [{name: breaks too, fail: {}}]
      rescue: [{name: outer, debug: {}}]
    """)
    assert ran.statuses() == {"breaks": "rescued", "breaks too": "rescued", "outer": "ok"}


def test_block_hands_down_conditions(kit):
    ran = kit.play("""
    - when: false
      block:
        - {name: a, fail: {}}
        - {name: b, fail: {}, when: true}
    """)
    assert set(ran.statuses().values()) == {"skipped"}


def test_ignored_and_failed_when(kit):
    ran = kit.play("""
    - name: ignored
      command: "false"
      ignore_errors: true
      register: r
    - name: fine
      command: "false"
      register: r
      failed_when: r.rc == 9
      changed_when: false
    - name: bad
      command: "true"
      register: r
      failed_when: [r.rc == 0, true]
    """)
    assert ran.statuses() == {"ignored": "ignored", "fine": "ok", "bad": "failed"}
    assert ran.report.counts() == {
        "ok": 2, "changed": 1, "unreachable": 0, "failed": 1, "skipped": 0, "rescued": 0, "ignored": 1,
    }  # fmt: skip
    assert "failed_when holds" in ran.task("bad").msg


def test_until(kit, module):
    calls = []

    def run(args, ctx):
        calls.append(1)
        return Result(data={"n": len(calls)})

    module(run)
    ran = kit.play("""
    - name: waits
      test.core.thing:
      register: r
      until: r.n == 3
      retries: 5
      delay: 0
    - name: gives up
      test.core.thing:
      register: r
      until: false
      retries: 1
      delay: 0
    """)
    assert (ran.task("waits").attempts, ran.task("waits").status) == (3, "ok")
    assert (ran.task("gives up").attempts, ran.task("gives up").status) == (2, "failed")
    assert ran.task("gives up").data["attempts"] == 1  # as Ansible registers it
    assert "attempt 1 of 6" in ran.out


@pytest.mark.parametrize("condition", ["'text'", "[1]", "1", "none"])
def test_conditions_must_give_true_or_false(kit, condition):
    ran = kit.play(f'- debug:\n  when: "{condition}"')
    assert "not true or false" in ran.report.tasks[0].msg
    assert ran.report.exit_code == 1


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("{loop: [1, 2], loop_control: {pause: '{{ x }}'}}", "pause takes a number, not 'a'"),
        ("{retries: '{{ x }}'}", "retries takes a number, not 'a'"),
        ("{until: false, retries: 1, delay: '{{ x }}'}", "delay takes a number, not 'a'"),
        ("{check_mode: '{{ x }}'}", "check_mode takes true or false, not 'a'"),
        ("{diff: '{{ x }}'}", "diff takes true or false, not 'a'"),
        ("{no_log: '{{ x }}'}", "output hidden"),
    ],
)
def test_a_keyword_of_the_wrong_type_fails_the_task(kit, keyword, said):
    ran = kit.play(f"- {{debug: {{}}, {keyword[1:-1]}}}", extra_vars={"x": "a"})
    assert ran.report.exit_code == 1
    assert said in ran.out


@pytest.mark.parametrize("word", ["no", "False", "0", 0, False])
def test_words_for_false_are_false(kit, word):
    """As Ansible reads them: --extra-vars lenient=no is text."""
    lenient = {"extra_vars": {"lenient": word}}
    assert kit.play("- {fail: {}, ignore_errors: '{{ lenient }}'}", **lenient).report.exit_code == 1
    assert "shown" in kit.play("- {debug: {msg: shown}, no_log: '{{ lenient }}'}", **lenient).out
    kit.play("- {copy: {dest: made, content: x}, check_mode: '{{ lenient }}'}", check=True, **lenient)
    assert (kit.folder / "made").exists()


def test_hostile_output_stays_text(kit):
    ran = kit.play("""
    - command: {argv: [echo, "{{ bad }}"]}
      register: r
    - set_fact: {kept: "{{ r.stdout }}", inside: {x: "<{{ r.stdout }}>"}}
    - debug: {msg: "{{ kept }} {{ inside.x }}"}
      loop: ["{{ kept }}"]
    - assert: {that: ["kept == bad", "inside.x == '<' ~ bad ~ '>'"]}
    """, extra_vars={"bad": "{{ 1 + 1 }}{% raw %}"})  # fmt: skip
    assert ran.report.exit_code == 0, ran.out


def test_data_that_a_module_read_says_nothing_about_the_task(kit, module):
    module(lambda args, ctx: Result(data={"skipped": True, "changed": True, "failed": True}))
    assert kit.play("- {name: a, test.core.thing: {}}").statuses() == {"a": "ok"}


def test_data_that_nests_too_deeply_fails_the_task(kit):
    ran = kit.play("- {name: a, set_fact: {x: \"{{ ('[' * 700 + ']' * 700) | from_json }}\"}}\n")
    assert ran.statuses() == {"a": "failed"}
    assert "nests too deeply" in ran.out


def test_expressions_never_come_from_tasks(kit):
    with pytest.raises(BadInput, match="takes expressions as text"):
        kit.play("- assert: {that: {a: 1}}")
    ran = kit.play("""
    - command: {argv: [echo, "lookup('env', 'HOME') != ''"]}
      register: r
    - name: asserted
      assert: {that: "{{ r.stdout }}"}
    """)
    assert "gives str, not true or false" in ran.task("asserted").msg


def test_undefined_variable_fails_the_task_with_its_place(kit):
    hots = "- name: t\n  debug: {msg: '{{ hots }}'}\n  when: said is changed"
    ran = kit.play("- {command: 'true', register: said}\n" + hots, extra_vars={"host": 1})
    assert ran.report.exit_code == 1
    assert "play.yml:8:20: 'hots' is undefined" in ran.task("t").msg
    assert ran.task("t").cure == "did you mean host?"


def test_undefined_can_be_ignored_and_rescued(kit):
    ran = kit.play("""
    - {name: ignored, debug: {msg: "{{ nope }}"}, ignore_errors: true}
    - block: [{name: rescued, debug: {}, when: nope.x}]
      rescue: [{name: mends, debug: {}}]
    """)
    assert ran.statuses() == {"ignored": "ignored", "rescued": "rescued", "mends": "ok"}


def test_errors_of_modules(kit, module):
    def run(args, ctx):
        raise BotyardError("the well is dry", "dig deeper")

    module(run)
    ran = kit.play("- name: t\n  test.core.thing:")
    assert (ran.report.exit_code, ran.task("t").msg, ran.task("t").cure) == (1, "the well is dry", "dig deeper")
    assert "cure: dig deeper" in ran.out
    assert "Traceback" not in ran.out
    assert "Traceback" in kit.play("- test.core.thing:", debug=True).out


def test_faults_of_modules(kit, module):
    module(lambda args, ctx: 1 / 0)
    ran = kit.play("- name: t\n  test.core.thing:", run_dir=kit.folder / "run")
    assert "internal error in test.core.thing: ZeroDivisionError" in ran.task("t").msg
    assert "--debug" in ran.task("t").cure
    assert "ZeroDivisionError" in (kit.folder / "run" / "traceback-1.txt").read_text()


def test_bad_input_of_a_module_is_2_only_while_nothing_changed(kit, module):
    def run(args, ctx):
        raise BadInput("no such bot")

    module(run)
    assert kit.play("- test.core.thing:").report.exit_code == 2
    assert kit.play("- copy: {dest: made, content: x}\n- test.core.thing:").report.exit_code == 1
    broken = "- block: [{command: 'false'}]\n  rescue: [{test.core.thing: {}}]"
    assert kit.play(broken).report.exit_code == 1


def test_arguments_are_typed_when_the_task_runs(kit, module):
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Inner:
        name: str
        optional: bool = False

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Args:
        count: int = arg("how many")
        parts: list[Inner] = arg("parts", [])
        word: str = arg("a word", "w", aliases=("term",))

    Args.__annotations__.update(count=int, parts=list[Inner], word=str)
    seen = []

    def run(args, ctx):
        seen.append(args)
        return Result()

    module(run, Args)
    ran = kit.play("""
    - test.core.thing: {count: "{{ '3' }}", parts: [{name: a, optional: "{{ 'yes' }}"}], term: "{{ 5 }}"}
    - name: bad
      test.core.thing: {count: "{{ 'x' }}"}
    """)
    assert seen == [Args(count=3, parts=[Inner(name="a", optional=True)], word="5")]
    assert "count: input should be a valid integer" in ran.task("bad").msg
    with pytest.raises(BadInput, match=r"parts\.0\.nam"):
        kit.play("- test.core.thing: {count: 1, parts: [{name: a, nam: b}]}")


def test_environment_basedir_and_progress(kit):
    ran = kit.play("""
    - environment: {A: block, B: "{{ 1 }}"}
      block:
        - name: t
          command: printenv A B C
          environment: {A: task, C: c}
          register: r
        - assert: {that: "r.stdout == 'task\\n1\\nc'"}
    """)
    assert ran.report.exit_code == 0, ran.out
    assert "    t: task" in ran.out


TAGGED = """
- {name: a, debug: {}, tags: a}
- {name: b, debug: {}, tags: [b, x]}
- {name: none, debug: {}}
- {name: always, debug: {}, tags: always}
- {name: never, debug: {}, tags: [never, n]}
- tags: outer
  block: [{name: inner, debug: {}, tags: inner}]
"""


@pytest.mark.parametrize(
    ("tags", "skip", "names"),
    [
        ([], [], "a b none always inner"),
        (["a"], [], "a always"),
        (["x", "n"], [], "b always never"),
        (["outer"], [], "always inner"),
        (["tagged"], [], "a b always inner"),
        (["untagged"], [], "none always"),
        ([], ["b", "always"], "a none inner"),
        ([], ["tagged"], "none"),
        (["all"], ["inner"], "a b none always"),
    ],
)
def test_tags(kit, tags, skip, names):
    ran = kit.play(TAGGED, tags=tags, skip_tags=skip)
    assert [task.name for task in ran.report.tasks] == names.split()
    file = kit.tasks(TAGGED)
    listed = [line.split("\t")[0].strip() for line in list_tasks([file], tags=tags, skip_tags=skip) if "      " in line]
    assert listed == names.split()


def test_unknown_tag_and_task_name(kit):
    with pytest.raises(BadInput, match="no task has the tag 'outr'") as caught:
        kit.play(TAGGED, skip_tags=["outr"])
    assert caught.value.cure == "did you mean outer?"
    with pytest.raises(BadInput, match="no task is named 'nine'"):
        kit.play(TAGGED, start_at_task="nine")


def test_start_at_task(kit):
    assert list(kit.play(TAGGED, start_at_task="none").statuses()) == ["none", "always", "inner"]


def test_tags_of_plays_and_imports_reach_tasks(kit):
    kit.tasks("- {name: t, debug: {msg: '{{ v }}'}}", head="tags: play\nvars: {v: inner}", name="inner.yml")
    top = kit.write("- import_playbook: inner.yml\n  tags: top\n  vars: {v: outer}\n", "top.yml")
    for tag in ("play", "top"):
        assert kit.run(top, tags=[tag]).task("t").msg == "outer"
    off = kit.write("- import_playbook: inner.yml\n  when: false\n", "off.yml")
    assert kit.run(off).task("t").status == "skipped"


def test_vars_of_imports_stand_between_those_of_the_play_and_its_files(kit):
    kit.write("a: file\n", "more.yml")
    head = "vars: {a: play, b: play, c: play, d: play}\nvars_files: more.yml"
    kit.tasks("- {name: t, debug: {msg: '{{ a }} {{ b }} {{ c }} {{ d }}'}}", head=head, name="inner.yml")
    kit.write("- {import_playbook: inner.yml, vars: {a: inner, b: inner, c: inner}}\n", "middle.yml")
    top = kit.write("- {import_playbook: middle.yml, vars: {a: outer, b: outer}}\n", "top.yml")
    assert kit.run(top).task("t").msg == "file outer inner play"


def test_check_mode_and_diff(kit):
    tasks = """
    - name: write
      copy: {dest: made, content: "new\\n"}
    - name: really
      copy: {dest: really, content: x}
      check_mode: false
    """
    ran = kit.play(tasks, check=True, diff=True)
    assert (ran.task("write").status, (kit.folder / "made").exists()) == ("changed", False)
    assert (kit.folder / "really").exists()
    assert "+new" in ran.out
    assert "check mode: nothing was changed" in ran.out


def test_no_log_and_secrets_never_show(kit, module):
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Args:
        password: str = arg("p", secret=True)

    Args.__annotations__.update(password=str)

    def run(args, ctx):
        ctx.progress(f"using {args.password}")
        data = {"token": Secret("canary-2"), "summary_lines": [f"used {args.password}"]}
        return Result(changed=True, msg=f"set {args.password}", data=data, diff=[Diff("d", "", f"{args.password}\n")])

    module(run, Args)
    ran = kit.play("""
    - name: secret
      test.core.thing: {password: "{{ p }}"}
      register: r
    - debug: {msg: "{{ r }} {{ p }}"}
    - name: hidden
      command: echo {{ q }}
      no_log: true
    - name: loop
      command: echo {{ item }}
      loop: ["{{ q }}"]
      no_log: true
    - name: fails
      command: printenv {{ q }}
      no_log: true
    """, diff=True, run_dir=kit.folder / "run", extra_vars={"p": "canary-1", "q": "canary-3"})  # fmt: skip
    written = ran.out + "".join(f.read_text() for f in (kit.folder / "run").iterdir())
    assert "canary" not in written
    assert "set ***" in ran.out
    assert "output hidden by no_log" in ran.out


def test_reports(kit):
    run_dir = kit.folder / "run"
    tasks = "- {name: 'a <&>', debug: {msg: \"x\\u0001\"}}\n- {name: b, debug: {}, when: false}\n- {name: c, fail: {}}"
    kit.play(tasks, run_dir=run_dir)
    report = json.loads((run_dir / "report.json").read_text())
    assert (report["exit_code"], report["counts"]["failed"]) == (1, 1)
    assert [task["status"] for task in report["tasks"]] == ["ok", "skipped", "failed"]
    events = [json.loads(line) for line in (run_dir / "events.jsonl").read_text().splitlines()]
    assert [e["event"] for e in events] == ["play_started", *["task_started", "task_done"] * 3, "finished"]
    from xml.dom.minidom import parse

    cases = parse(str(run_dir / "junit.xml")).getElementsByTagName("testcase")  # noqa: S318 - our own file
    assert [c.getAttribute("name") for c in cases] == ["a <&>", "b", "c"]
    assert cases[2].getElementsByTagName("failure")


def test_summary_lines_and_recap(kit, module):
    module(lambda args, ctx: Result(data={"summary_lines": ["25 passed"]}))
    out = kit.play("- test.core.thing:").out
    assert "PLAY [Play] ***" in out
    assert "TASK [test.core.thing] ***" in out
    assert "ok=1    changed=0    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0" in out
    assert out.index("PLAY RECAP") < out.index("25 passed")


def side_by_side(kit, first, second, last=""):
    kit.tasks(first, name="one.yml")
    kit.tasks(second, name="two.yml")
    kit.tasks(last or "- {name: last, debug: {}}", name="last.yml")
    return kit.write(
        """
        - import_playbook: one.yml
          vars: {side_by_side: g}
        - import_playbook: two.yml
          vars: {side_by_side: g, v: own}
        - import_playbook: last.yml
        """,
        "top.yml",
    )


def test_side_by_side_runs_at_once_and_merges(kit, module):
    meet = threading.Barrier(2, timeout=5)

    def run(args, ctx):
        meet.wait()
        return Result(msg="met")

    module(run)
    top = side_by_side(
        kit,
        "- {name: a, test.core.thing: {}, register: a}\n- set_fact: {b_seen: '{{ b is defined }}'}",
        "- {name: b, test.core.thing: {}, register: b}\n- set_fact: {mine: '{{ v }}'}",
        "- assert: {that: [a.msg == 'met', b.msg == 'met', not b_seen, mine == 'own', v is not defined]}",
    )
    ran = kit.run(top)
    assert ran.report.exit_code == 0, ran.out
    assert "one | TASK [a] ***" in ran.out
    assert "two | ok: [localhost] b => met" in ran.out


def test_a_neighbour_finishes_its_task_then_stops(kit, module):
    begun, failed = threading.Event(), threading.Event()

    def slow(args, ctx):
        begun.set()
        assert failed.wait(5)
        time.sleep(0.05)
        return Result(changed=True)

    def bad(args, ctx):
        assert begun.wait(5)
        failed.set()
        raise BotyardError("broken")

    module(slow)
    module(bad, name="bad")
    top = side_by_side(
        kit, "- {name: slow, test.core.thing: {}}\n- {name: next, debug: {}}", "- {name: bad, test.core.bad: {}}"
    )
    ran = kit.run(top)
    assert ran.statuses() == {"slow": "changed", "bad": "failed"}
    assert ran.report.exit_code == 1


def test_ctrl_c_ends_children_and_says_how_to_go_on(kit, module, monkeypatch):
    ended = []
    monkeypatch.setattr(process, "end_children", lambda: ended.append(1) or 0)

    def run(args, ctx):
        raise KeyboardInterrupt

    module(run)
    ran = kit.play("- {name: a, debug: {}}\n- {name: b, test.core.thing: {}}\n- {name: c, debug: {}}")
    assert ran.statuses() == {"a": "ok", "b": "interrupted"}
    assert (ran.report.exit_code, ended) == (130, [1])
    assert "interrupted in: play: b" in ran.out
    assert "go on with the same command" in ran.out


def test_a_failed_playbook_ends_the_run(kit):
    ran = kit.run(kit.tasks("- {name: a, fail: {}}", name="a.yml"), kit.tasks("- {name: b, debug: {}}", name="b.yml"))
    assert ran.statuses() == {"a": "failed"}


def test_variables_last_from_file_to_file(kit):
    first = kit.tasks("- {debug: {msg: hi}, register: r}", name="a.yml")
    assert kit.run(first, kit.tasks("- assert: {that: r.msg == 'hi'}", name="b.yml")).report.exit_code == 0


def test_a_hundred_trivial_tasks_take_well_under_a_second_of_cpu(kit):
    file = kit.tasks(
        "".join(f"- name: t{i}\n  debug: {{msg: 'n {{{{ {i} + x }}}}'}}\n  when: x == 1\n" for i in range(100))
    )
    started = time.process_time()
    assert kit.run(file, extra_vars={"x": 1}).report.ok == 100
    assert time.process_time() - started < 0.9


def test_rich_console_shows_running_and_finished_tasks(kit):
    from rich.console import Console

    from botyard.report.console import Rich
    from botyard.report.records import PlayRecord, RunReport, TaskRecord

    console = Console(record=True, width=100, force_terminal=True)
    rich = Rich(console=console)
    play = PlayRecord("Play [x]", "localhost", "one", "one", 0.0)
    task = TaskRecord("a [b] task", "m", "f:1:1", "Play [x]", "one", "one", 0.0)
    rich.play_started(play)
    rich.task_started(task)
    rich.progress(task, "step [1/3]")
    with console.capture() as capture:
        console.print(rich._status())
    assert "a [b] task" in capture.get()
    assert "step [1/3]" in capture.get()
    task.status, task.msg, task.cure, task.duration_s = "failed", "bad [thing]", "mend it", 2.5
    rich.task_done(task)
    play.count(task)
    rich.finished(RunReport(exit_code=1, plays=[play], tasks=[task], duration_s=2.5))
    text = console.export_text()
    for part in ("one │ ✘ a [b] task failed 2.5 s", "bad [thing]", "cure: mend it", "Play [x]", "slowest tasks"):
        assert part in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_children_of_all_lanes(kit, number, ctrl_c_is_heard):
    """Real processes: both lanes sleep, the signal comes, nothing is left and nothing more starts."""
    top = side_by_side(
        kit,
        "- {name: a, command: sleep 30}\n- {name: a2, debug: {}}",
        "- {name: b, command: sleep 30}\n- {name: b2, debug: {}}",
    )

    def send():
        while len(process._children) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    threading.Thread(target=send, daemon=True).start()
    started = time.monotonic()
    ran = kit.run(top)
    assert time.monotonic() - started < 20
    assert ran.statuses() == {"a": "interrupted", "b": "interrupted"}
    assert ran.report.exit_code == 130
    assert process.end_children() == 0


def test_nohup_is_left_alone(kit):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        kit.play("- debug:")
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_template_file_sees_variables_and_keeps_newlines_as_ansible_does(kit):
    (kit.folder / "a.j2").write_text("x={{ x }}\n{% for i in [1, 2] %}\n- {{ i }}\n{% endfor %}\nend\n")
    ran = kit.play("- {template: {src: a.j2, dest: out}, vars: {x: '{{ 1 + 1 }}'}}")
    assert ran.report.exit_code == 0, ran.out
    assert (kit.folder / "out").read_text() == "x=2\n- 1\n- 2\nend\n"
    (kit.folder / "a.j2").write_text("fine\n{{ nope }}\n")
    assert "'nope' is undefined" in kit.play("- template: {src: a.j2, dest: out}").out
    (kit.folder / "a.j2").write_text("fine\n{% if %}\n")
    assert "a.j2:2:1: bad Jinja2" in kit.play("- template: {src: a.j2, dest: out}").out


def test_a_wrong_changed_when_fails_the_task_and_keeps_what_the_module_gave(kit):
    ran = kit.play(
        """
        - {name: t, command: echo hi, changed_when: "'text'", register: r, ignore_errors: true}
        - {name: read, assert: {that: [r.stdout == 'hi', r is changed, r is failed]}}
        """
    )
    assert ran.statuses() == {"t": "ignored", "read": "ok"}
    assert "gives str, not true or false" in ran.task("t").msg


def test_what_is_registered_of_skipped_tasks_and_loops_is_as_in_ansible(kit):
    ran = kit.play(
        """
        - {name: skipped, command: "true", when: 1 == 2, register: s}
        - {name: never, command: "true", until: false, retries: 2, delay: 0, register: u, ignore_errors: true}
        - {name: loop, command: "test {{ item }} = b", loop: [a, b], register: l, ignore_errors: true}
        - assert:
            that:
              - s.failed is undefined and s.msg is undefined and s.false_condition == '1 == 2'
              - u.attempts == 2
              - l.msg == 'One or more items failed' and not l.skipped
        """
    )
    assert ran.report.exit_code == 0, ran.out
    assert ran.task("loop").msg == "1 of 2 items failed: non-zero return code"
