"""Judging a run of the checks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from botyard.contracts import BadInput, Context, Paths
from botyard.modules import pytest_run
from botyard.process import Completed
from botyard.targets import Target
from botyard.verify import suite
from botyard.verify.check_progress import MARKER, why


def told(name: str, outcome: str = "passed", why: str = "") -> str:
    return f"{MARKER} {json.dumps({'name': name, 'outcome': outcome, 'seconds': 1.0, 'why': why})}"


class Child:
    """Stands for the pytest child: prints lines, ends with a code."""

    def __init__(self, lines: list[str], code: int) -> None:
        self.lines, self.code = lines, code
        self.argv: list[str] = []
        self.env: dict[str, str] = {}

    def __call__(self, argv: list[str], *, on_line: Callable[[str], None], env: dict[str, str], **_: Any) -> Completed:
        self.argv, self.env = argv, env
        for line in self.lines:
            on_line(line)
        out = "\n".join(line for line in self.lines if not line.startswith(MARKER))
        return Completed(argv, self.code, out, "", 12.3)


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    (tmp_path / "e2e").mkdir()
    paths = Paths(tmp_path, tmp_path / "state", tmp_path / "cache")
    return Context(check=False, diff=False, paths=paths, target=Target(name="kind"))


def go(monkeypatch: pytest.MonkeyPatch, ctx: Context, lines: list[str], code: int) -> tuple[Any, Child]:
    child = Child(lines, code)
    monkeypatch.setattr(suite, "run", child)
    args = pytest_run.Args(path=ctx.paths.root / "e2e", marks="readonly")
    return pytest_run.run(args, ctx), child


def test_all_passed(monkeypatch: pytest.MonkeyPatch, ctx: Context) -> None:
    lines: list[str] = []
    ctx.progress = lines.append
    closing = "=== 2 passed in 12.30s ==="
    result, child = go(monkeypatch, ctx, [f'{MARKER} {{"collected": 2}}', told("test_a"), told("test_b"), closing], 0)
    assert not result.failed and not result.changed
    assert result.msg == "2 passed in 12.3 s"
    assert result.data["total"] == 2 and result.data["summary_lines"] == [closing]
    assert lines == ["[1/2] passed test_a (1.0 s)", "[2/2] passed test_b (1.0 s)"]
    assert result.data["checks"][0] == {"name": "test_a", "outcome": "passed", "seconds": 1.0, "why": ""}
    assert child.env["BOTYARD_TARGET"] == "kind"
    assert f"--junit-xml={ctx.paths.state / 'checks' / 'pytest-readonly.xml'}" in child.argv


def test_a_failure_is_named_with_its_first_lines(monkeypatch: pytest.MonkeyPatch, ctx: Context) -> None:
    result, _ = go(monkeypatch, ctx, [told("test_a"), told("test_b", "failed", "AssertionError: empty\n  more")], 1)
    assert result.failed
    assert "1 passed, 1 failed in 12.3 s\ntest_b: AssertionError: empty" in result.msg
    assert result.data["failed_checks"] == 1
    assert not {"failed", "skipped"} & set(result.data)  # in registered data they say what became of the task


def test_our_own_error_is_told_without_its_class() -> None:
    def reason(message: str) -> str:
        crash = SimpleNamespace(message=message)
        return why(cast(pytest.TestReport, SimpleNamespace(longrepr=SimpleNamespace(reprcrash=crash), when="call")))

    assert reason("botyard.verify.conversations.WrongReply: turn 1: no\n  cure: train") == "turn 1: no\n  cure: train"
    assert reason("AssertionError: botyard.x: 1") == "AssertionError: botyard.x: 1"


def test_nothing_collected_is_a_failure(monkeypatch: pytest.MonkeyPatch, ctx: Context) -> None:
    result, _ = go(monkeypatch, ctx, [f'{MARKER} {{"collected": 0}}', "=== no tests ran in 0.1s ==="], 5)
    assert result.failed and "no readonly check was found" in result.msg


def test_everything_skipped_is_a_failure(monkeypatch: pytest.MonkeyPatch, ctx: Context) -> None:
    result, _ = go(monkeypatch, ctx, [told("test_a", "skipped", "why not")], 0)
    assert result.failed and "every readonly check was skipped" in result.msg


def test_an_early_exit_gives_its_reason_and_cure(monkeypatch: pytest.MonkeyPatch, ctx: Context) -> None:
    shown = [
        "!!!! _pytest.outcomes.Exit: nothing was released",
        "  cure: run invoke e2e !!!!",
        "=== 2 deselected in 1s ===",
    ]
    result, _ = go(monkeypatch, ctx, [f'{MARKER} {{"collected": 2}}', *shown], 1)
    assert result.failed and "nothing was released\n  cure: run invoke e2e" in result.msg


def test_a_crash_of_pytest_is_a_failure(monkeypatch: pytest.MonkeyPatch, ctx: Context) -> None:
    result, _ = go(monkeypatch, ctx, ["ERROR: usage: unknown option"], 4)
    assert result.failed and "unknown option" in result.msg


def test_check_mode_only_collects(monkeypatch: pytest.MonkeyPatch, ctx: Context) -> None:
    ctx.check = True
    result, child = go(monkeypatch, ctx, [f'{MARKER} {{"collected": 30}}'], 0)
    assert not result.failed and result.msg == "would run 30 readonly checks"
    assert "--collect-only" in child.argv
    assert not (ctx.paths.state / "checks").exists()


def test_a_missing_folder_is_bad_input(ctx: Context) -> None:
    with pytest.raises(BadInput):
        pytest_run.run(pytest_run.Args(path=ctx.paths.root / "nowhere", marks="readonly"), ctx)
