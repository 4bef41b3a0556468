"""The repository's own playbooks load, and every module they use is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from botyard.playbook import list_tasks

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("file", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda file: file.name)
def test_loads(file):
    assert any(line.startswith("      ") for line in list_tasks([file]))
