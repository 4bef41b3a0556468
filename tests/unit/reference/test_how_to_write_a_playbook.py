"""What docs/how-to/write-a-playbook.md promises: its example runs, says what it says, and fails as shown."""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from invoke.program import Program

from botyard.commands import menu, session
from botyard.contracts import Paths
from botyard.playbook import load_playbooks

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/how-to/write-a-playbook.md").read_text()
EXAMPLE, ON_THE_CLUSTER = re.findall(r"^```yaml\n(- .*?)^```", PAGE, re.S | re.M)


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    """``invoke play greet.yml`` in a folder of its own, state and locks included; gives the exit code."""
    paths = Paths(root=ROOT, state=tmp_path / "state", cache=tmp_path / "cache")
    monkeypatch.setattr(session, "paths_for", lambda _cluster: paths)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "greet.yml").write_text(EXAMPLE)

    def run(flags: str) -> int:
        try:
            Program(namespace=menu()).run(["invoke", "play", "greet.yml", "--plain", *shlex.split(flags)])
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    return run


def test_the_example_runs_twice_and_in_check_mode(
    play: Callable[[str], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play("--check") == 0
    assert not (tmp_path / "greetings").exists()
    assert play("") == 0
    assert (tmp_path / "greetings/zh.txt").read_text() == "你好, world\n"
    first = capsys.readouterr().out
    assert "changed=2" in first
    assert "2 of 2 files are new" in first
    assert play("") == 0
    assert "changed=0" in capsys.readouterr().out
    assert play("--extra-vars who=you --check --diff") == 0
    assert "+hello, you" in capsys.readouterr().out
    assert play("--list-tasks") == 0
    assert "One file a language" in capsys.readouterr().out


def test_every_choice_of_tasks_runs(play: Callable[[str], int], capsys: pytest.CaptureFixture[str]) -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith("invoke play greet.yml --tags"))
    words = line.removeprefix("invoke play greet.yml ").replace("# or", ",")
    choices = [choice.strip() for choice in words.split(",")]
    assert len(choices) == 3
    assert play("") == 0
    for choice in choices:
        assert play(choice) == 0, capsys.readouterr().err
    assert play("--start-at-task Tell") == 2
    assert "'written' is undefined" in capsys.readouterr().err


def test_a_fault_looks_as_shown(play: Callable[[str], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "greet.yml").write_text(EXAMPLE.replace("      loop:", "      lop:"))
    assert play("") == 2
    shown = re.search(r"^  ```\n(  botyard: .*?)^  ```", PAGE, re.S | re.M)
    assert shown is not None
    said = capsys.readouterr().err
    assert said.strip().splitlines() == [line[2:] for line in shown[1].rstrip().splitlines()]


def test_the_play_on_the_cluster_loads(tmp_path: Path) -> None:
    (tmp_path / "note.yml").write_text(ON_THE_CLUSTER)
    known = {"target": {"namespace": "shop"}, "bot": {"name": "tea"}}
    books, _ = load_playbooks([tmp_path / "note.yml"], extra_vars=known)
    assert len(next(books[0].plays()).tasks) == 3
