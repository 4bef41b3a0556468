"""The door to child processes: how a child's end is noticed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from botyard.contracts import BotyardError, TimedOut
from botyard.process import run


def test_both_streams_and_the_code_are_there_at_its_end() -> None:
    done = run([sys.executable, "-c", "import sys; print('a'); print('b', file=sys.stderr); sys.exit(3)"], check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("a\n", "b\n", 3)


def test_a_child_that_closed_its_output_is_waited_for() -> None:
    done = run(["sh", "-c", "exec >&- 2>&-; sleep 0.2; exit 4"], check=False)
    assert done.returncode == 4


def test_a_grandchild_that_keeps_the_output_open_does_not_hide_the_end() -> None:
    done = run(["sh", "-c", "sleep 0.3 & exit 5"], check=False)
    assert done.returncode == 5


@pytest.mark.parametrize("script", ["echo begun; sleep 60", "exec >&- 2>&-; sleep 60"])
def test_the_deadline_ends_it(script: str) -> None:
    with pytest.raises(TimedOut) as caught:
        run(["sh", "-c", script], timeout_s=0.3)
    assert caught.value.last == ("begun" if "begun" in script else "")


@pytest.mark.parametrize("argv", [[""], ["a\0b"], ["echo", "x" * 300_000], ["/"]])
def test_what_cannot_be_started_is_told(argv: list[str]) -> None:
    with pytest.raises(BotyardError, match=r"^cannot start"):
        run(argv)


def test_a_second_ctrl_c_kills_what_does_not_end(tmp_path: Path, ctrl_c_is_heard: None) -> None:
    file, asked = tmp_path / "pid", tmp_path / "asked"
    deaf = f"trap 'echo 1 > {asked}' TERM; echo $$ > {file}; while true; do sleep 0.05; done"

    def press() -> None:
        for begun in (file, asked):
            while not (begun.exists() and begun.read_text().strip()):
                time.sleep(0.01)
            time.sleep(0.2)
            signal.raise_signal(signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(["sh", "-c", deaf])
    assert time.monotonic() - started < 5  # 10 s of grace are not waited for
    with pytest.raises(ProcessLookupError):
        for _ in range(50):
            os.kill(int(file.read_text()), 0)
            time.sleep(0.05)


def test_what_on_line_raises_ends_the_child_and_comes_out(tmp_path: Path) -> None:
    """As where ``| head`` has closed the output."""
    file, deaf = tmp_path / "pid", "while true; do echo line; done"

    def closed(_line: str) -> None:
        raise BrokenPipeError("nobody reads")

    started = time.monotonic()
    with pytest.raises(BrokenPipeError, match="nobody reads"):
        run(["sh", "-c", f"echo $$ > {file}; {deaf}"], on_line=closed, timeout_s=60)
    assert time.monotonic() - started < 8
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)
