"""Arithmetic of the figures, and what is read from the two engines. No figure itself is tested: a loaded machine is
no fault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from botyard.bench.engine import Pair, in_turn, per_task_s, write_trivial
from botyard.bench.engines import Engine
from botyard.bench.figure import Figure
from botyard.bench.watched import Console, Watched, watch
from botyard.contracts import BotyardError


@pytest.mark.parametrize(
    ("figure", "line", "missed"),
    [
        (Figure("start", 0.3, 0.4, 1.0), "start: 0.3 s / 0.4 s = 0.75 (wanted <= 1.0) ok", False),
        (Figure("edge", 0.5, 1.0, 0.5), "edge: 0.5 s / 1 s = 0.5 (wanted <= 0.5) ok", False),
        (Figure("slow", 36, 26.25, 1.15), "slow: 36 s / 26.2 s = 1.37 (wanted <= 1.15) MISSED", True),
        (Figure("told", 2.5, 1234.5, None, "so", "ms"), "told: 2.5 ms / 1234 ms = 0.00203  so", False),
    ],
)
def test_line(figure: Figure, line: str, missed: bool) -> None:
    assert figure.line() == line
    assert figure.missed is missed


OURS = """
PLAY [localhost] ***************************************************************

TASK [Task 1] ******************************************************************
ok: [localhost] => hello

PLAY RECAP *********************************************************************
localhost                  : ok=2    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0

play            ok changed failed skipped  seconds
localhost        2       1      0       0      0.0
"""
THEIRS = """
PLAY [localhost] ***************************************************************

TASK [Task 1] ******************************************************************
ok: [localhost] => {
    "msg": "hello"
}

PLAY RECAP *********************************************************************
localhost                  : ok=2    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
"""


@pytest.mark.parametrize("printed", [OURS, THEIRS, THEIRS.replace("ignored=0", "ignored=0   ")])
def test_recap_of_either_engine(printed: str) -> None:
    console = Console()
    for line in printed.splitlines():
        console.line(line)
        assert (console.first_task_s is not None) or not line.startswith(("TASK", "ok"))
    assert console.counts == {
        "ok": 2, "changed": 1, "unreachable": 0, "failed": 0, "skipped": 0, "rescued": 0, "ignored": 0
    }  # fmt: skip


def test_the_first_task_is_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 10.25, 99.0])
    monkeypatch.setattr("botyard.bench.watched.time.monotonic", lambda: next(clock))
    console = Console()
    for line in ("PLAY [a]", "TASK [one] ***", "TASK [two] ***"):
        console.line(line)
    assert console.first_task_s == 0.25


def test_a_run_without_a_task_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(BotyardError, match="no TASK line"):
        watch(["echo", "localhost : ok=0 changed=0"], {}, tmp_path)


def seen(*seconds: float) -> list[Watched]:
    return [Watched(one, 0.1, {"changed": 0}) for one in seconds]


def test_per_task() -> None:
    assert per_task_s(seen(1.0, 1.2, 9.0), seen(100.2, 0.0, 200.0)) == pytest.approx(1.0)


class Counting(Engine):
    """An engine that only notes which file it was given."""

    def run(self, playbook: Path, variables: Path | None = None) -> Watched:
        LOG.append((self.name, playbook.stem))
        return Watched(len(LOG), 0.1, {})


LOG: list[tuple[str, str]] = []


def test_the_engines_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    LOG.clear()
    monkeypatch.setattr("botyard.bench.engine.ROUNDS", 2)
    engines = (Counting("a", (), tmp_path), Counting("b", (), tmp_path))
    told: list[str] = []
    one, two = in_turn(engines, [Path("1.yml"), Path("2.yml")], told.append)
    assert LOG == [("a", "1"), ("b", "1"), ("a", "2"), ("b", "2")] * 2
    assert isinstance(one, Pair)
    assert [run.duration_s for run in (*one.ours, *one.theirs)] == [1, 5, 2, 6]
    assert [run.duration_s for run in (*two.ours, *two.theirs)] == [3, 7, 4, 8]
    assert len(told) == 8


@pytest.mark.parametrize("count", [1, 100])
def test_a_playbook_of_the_same_task(tmp_path: Path, count: int) -> None:
    from botyard.playbook import load_playbooks

    task: Mapping[str, object] = {"ansible.builtin.debug": {"msg": "hello"}}
    books, _ = load_playbooks([write_trivial(tmp_path / "play.yml", task, count)])
    (play,) = books[0].entries
    assert [one.name for one in play.tasks] == [f"Task {number}" for number in range(1, count + 1)]  # type: ignore[union-attr]
