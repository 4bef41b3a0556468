"""One play around some tasks, as a file."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

HEAD = "- name: Play\n  hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"


@pytest.fixture
def playbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    monkeypatch.chdir(tmp_path)

    def make(tasks: str) -> Path:
        file = tmp_path / "play.yml"
        file.write_text(HEAD + textwrap.indent(tasks, "    "))
        return file

    return make
