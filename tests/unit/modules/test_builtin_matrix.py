"""copy, template and file, by the real engine, through the idempotence matrix."""

from __future__ import annotations

import contextlib
import io
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
from matrix import four_times, one_task

from botyard.contracts import Paths
from botyard.playbook import RunOptions, run_playbooks

HEAD = "- name: Matrix\n  hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"
GONE = "ansible.builtin.file: {path: made, state: absent}"
# For each module: create, modify, modify its mode alone, delete.
ROWS = {
    "copy of a text": [
        "ansible.builtin.copy: {dest: made, content: one}",
        "ansible.builtin.copy: {dest: made, content: two}",
        "ansible.builtin.copy: {dest: made, content: two, mode: '0600'}",
        GONE,
    ],
    "copy of a file": [
        "ansible.builtin.copy: {dest: made, src: first.txt}",
        "ansible.builtin.copy: {dest: made, src: second.txt}",
        "ansible.builtin.copy: {dest: made, src: second.txt, mode: '0600'}",
        GONE,
    ],
    "copy of a folder": [
        "ansible.builtin.copy: {dest: made, src: one/}",
        "ansible.builtin.copy: {dest: made, src: two/}",
        "ansible.builtin.copy: {dest: made, src: two/, mode: '0600'}",
        GONE,
    ],
    "template": [
        "{ansible.builtin.template: {dest: made, src: t.j2}, vars: {word: one}}",
        "{ansible.builtin.template: {dest: made, src: t.j2}, vars: {word: two}}",
        "{ansible.builtin.template: {dest: made, src: t.j2, mode: '0600'}, vars: {word: two}}",
        GONE,
    ],
    "folder": [
        "ansible.builtin.file: {path: made/below, state: directory}",
        "ansible.builtin.file: {path: made/another, state: directory}",
        "ansible.builtin.file: {path: made, state: directory, mode: '0700', recurse: true}",
        GONE,
    ],
    "link": [
        "ansible.builtin.file: {path: made, state: link, src: first.txt}",
        "ansible.builtin.file: {path: made, state: link, src: second.txt}",
        GONE,
    ],
}


@dataclass(frozen=True)
class Ran:
    status: str
    exit_code: int
    out: str


@pytest.mark.parametrize("name", list(ROWS))
def test_matrix(name: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    for file, text in {"first.txt": "1", "second.txt": "2", "one/a": "a", "two/a": "b", "t.j2": "{{ word }}\n"}.items():
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        (place / file).write_text(text)
    options = {"paths": Paths(place, place / "state", place / "cache"), "console": "plain", "run_dir": tmp_path / "run"}

    def world() -> dict[str, str]:
        found = {}
        for path in sorted(place.rglob("*")):
            what = str(path.readlink()) if path.is_symlink() else path.read_text() if path.is_file() else "folder"
            found[str(path)] = f"{path.lstat().st_mode:o} {what}"
        return found

    for task in ROWS[name]:
        (place / "play.yml").write_text(HEAD + textwrap.indent(one_task(task), "    "))

        def play(check: bool) -> Ran:
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                report = run_playbooks([place / "play.yml"], ctx=RunOptions(check=check, diff=True, **options))  # type: ignore[arg-type]
            return Ran(report.tasks[-1].status, report.exit_code, said.getvalue())

        four_times(task, play, world)
