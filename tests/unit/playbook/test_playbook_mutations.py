"""The repository's own playbooks, broken in many ways: a located BadInput or one that loads, never a traceback."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from botyard.contracts import BadInput
from botyard.playbook import list_tasks

ROOT = Path(__file__).parents[3]
FILES = sorted(f for f in (ROOT / "playbooks").glob("*.yml") if "import_playbook" not in f.read_text())


def renamed_key(line: str, dice: random.Random) -> str:
    key = re.match(r"( *-? *)([\w.]+)(:.*)", line)
    if key is None:
        return line
    word = key[2]
    at = dice.randrange(len(word))
    return f"{key[1]}{word[:at]}{'x' if word[at] != 'x' else 'y'}{word[at + 1 :]}{key[3]}"


def changed_type(line: str, dice: random.Random) -> str:
    values = ["[1]", "{a: 1}", "12", "true", "", "text", "~", "'{{'", "{{ x }}"]
    return re.sub(r": .*$|:$", ": " + dice.choice(values), line, count=1)


def moved_indent(line: str, dice: random.Random) -> str:
    return " " * dice.choice([1, 2, 3]) + line if dice.random() < 0.5 else line.removeprefix(" " * dice.choice([1, 2]))


def dropped_quote(line: str, dice: random.Random) -> str:
    return line.replace('"', "", 1)


def dropped_brace(line: str, dice: random.Random) -> str:
    return line.replace(dice.choice(["}}", "{{", "]", "[", "}", ":"]), "", 1)


def garbage(line: str, dice: random.Random) -> str:
    at = dice.randrange(len(line) + 1)
    return line[:at] + dice.choice("\t@`%&*!|>#,?-'\"\0\u2028é{[") + line[at:]


WAYS = [renamed_key, changed_type, moved_indent, dropped_quote, dropped_brace, garbage]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_broken_playbook_is_refused_with_its_place(tmp_path, monkeypatch, way):
    monkeypatch.chdir(tmp_path)
    dice = random.Random(7)  # noqa: S311 - the same breaks every time
    refused = 0
    for _ in range(25):
        lines = dice.choice(FILES).read_text().splitlines()
        index = dice.choice([i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")])
        lines[index] = way(lines[index], dice)
        (tmp_path / "broken.yml").write_text("\n".join(lines) + "\n")
        try:
            list_tasks([tmp_path / "broken.yml"])
        except BadInput as error:
            refused += 1
            assert re.match(r"broken\.yml:\d+:\d+: ", error.message), error
    assert refused > 0
