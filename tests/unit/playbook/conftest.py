"""Playbooks written into a folder of the test's own, and run or loaded from there."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import Paths
from botyard.playbook import RunOptions, RunReport, run_playbooks

HEAD = "- name: Play\n  hosts: localhost\n  connection: local\n  gather_facts: false\n"


@dataclass
class Ran:
    report: RunReport
    out: str

    def task(self, name: str) -> Any:
        return next(task for task in self.report.tasks if task.name == name)

    def statuses(self) -> dict[str, str]:
        return {task.name: task.status for task in self.report.tasks}


class Kit:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def write(self, text: str, name: str = "play.yml") -> Path:
        file = self.folder / name
        file.write_text(textwrap.dedent(text))
        return file

    def tasks(self, tasks: str, *, head: str = "", name: str = "play.yml") -> Path:
        """A play of these tasks; ``head`` holds further keywords of the play."""
        body = HEAD + textwrap.indent(textwrap.dedent(head).rstrip("\n") + "\n" if head else "", "  ")
        return self.write(body + "  tasks:\n" + textwrap.indent(textwrap.dedent(tasks), "    "), name)

    def play(self, tasks: str, *, head: str = "", **options: Any) -> Ran:
        return self.run(self.tasks(tasks, head=head), **options)

    def run(self, *files: Path, **options: Any) -> Ran:
        paths = Paths(root=self.folder, state=self.folder / "state", cache=self.folder / "cache")
        report = run_playbooks(files, ctx=RunOptions(paths=paths, **{"console": "plain", **options}))
        return Ran(report, self._capsys.readouterr().out)

    def silent(self) -> bool:
        return not self._capsys.readouterr().out


@pytest.fixture
def kit(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Kit:
    monkeypatch.chdir(tmp_path)
    return Kit(tmp_path, capsys)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a task module of the test's own in place: ``module(run, **fields)`` is then ``test.core.thing``."""
    import dataclasses
    import sys
    import types

    from botyard import modules
    from botyard.playbook import arguments

    def make(run: Callable[..., Any], args: type | None = None, name: str = "thing") -> None:
        made = types.ModuleType(f"botyard.modules.test_{name}")
        made.NAME = f"test.core.{name}"  # type: ignore[attr-defined]
        made.Args = args or dataclasses.make_dataclass("Args", [], frozen=True, kw_only=True)  # type: ignore[attr-defined]
        made.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, made.__name__, made)
        monkeypatch.setitem(modules.MODULES, f"test.core.{name}", f"test_{name}")
        arguments.spec_of.cache_clear()

    return make
