"""What people see while a run goes on and at its end."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from botyard.contracts import Result
from botyard.playbook import run
from botyard.report.plain import cells, fitted


def test_what_a_failed_item_printed_is_shown(kit):
    ran = kit.play("""\
        - name: a
          command: {argv: [sh, -c, 'echo out {{ item }}; echo and more; echo err >&2; test {{ item }} = 1']}
          loop: [1, 2]
        """)
    assert "    2: stdout: out 2\n            and more\n    2: stderr: err\n    at play.yml:" in ran.out
    assert "1: stdout" not in ran.out


def test_text_of_strangers_steers_no_terminal(kit):
    hostile = "\x1b[31mred\x1b[0m \x1b[2J\x1b]0;title\x07 \x9b"
    for console in ("plain", "rich"):
        out = kit.play(
            "- {name: 'a {{ h }}', debug: {msg: 'b {{ h }}'}}", extra_vars={"h": hostile}, console=console
        ).out
        assert not set(out) & set("\x1b\x07\x9b")
        assert "red \\x1b[2J\\x1b]0;title\\x07 \\x9b" in out


def test_the_recap_keeps_its_columns(kit):
    names = ("一个名字很长的剧本用来检查终端宽度是否正确处理中文字符并且被截断", "Short", "x" * 60)
    plays = "".join(f"- {{name: {name}, hosts: all, gather_facts: false, tasks: [debug: ]}}\n" for name in names)
    table = kit.run(kit.write(plays)).out.partition("\nplay ")[2].splitlines()[:5]
    widths = {cells(line) for line in ("play " + table[0], *table[1:])}
    assert widths == {78}
    assert "…" in table[1]


def test_a_run_of_no_task_says_so(kit):
    assert "no task ran" in kit.play("- {name: a, debug: {}, tags: never}").out


@pytest.mark.parametrize(
    ("text", "shown"),
    [("ab", "ab   "), ("abcde", "abcde"), ("abcdef", "abcd…"), ("中文", "中文 "), ("中文字", "中文…")],
)
def test_text_fits_its_column(text, shown):
    assert fitted(text, 5) == shown
    assert cells(shown) == 5


def test_ctrl_c_names_what_no_signal_reaches_and_then_is_silent(kit, module, monkeypatch, ctrl_c_is_heard):
    monkeypatch.setattr(run, "_QUIET_S", 0.2)
    begun, gate, ended = threading.Semaphore(0), threading.Event(), threading.Semaphore(0)

    def deaf(args, ctx):
        begun.release()
        assert gate.wait(20)
        ctx.progress("still here")
        ended.release()
        return Result()

    module(deaf)
    for name in ("one", "two"):
        kit.tasks(f"- {{name: {name}, test.core.thing: {{}}}}", name=f"{name}.yml")
    top = kit.write("".join(f"- import_playbook: {n}.yml\n  vars: {{side_by_side: g}}\n" for n in ("one", "two")))

    def press():
        for _ in range(2):
            assert begun.acquire(timeout=20)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    ran = kit.run(top)
    assert (ran.report.exit_code, ran.statuses()) == (130, {"one": "interrupted", "two": "interrupted"})
    assert "interrupted in: one: one" in ran.out
    assert "neighbours" not in ran.out
    gate.set()
    assert ended.acquire(timeout=20)
    assert ended.acquire(timeout=20)
    assert kit.silent()
