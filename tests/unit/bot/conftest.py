from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with the one bot shop."""
    shop = tmp_path / "checkout" / "bots" / "shop"
    (shop / "data").mkdir(parents=True)
    (shop / "actions").mkdir()
    (shop / "config.yml").write_text("language: en\n")
    (shop / "domain.yml").write_text("intents: [greet]\n")
    (shop / "data" / "nlu.yml").write_text("nlu: []\n")
    (shop / "actions" / "actions.py").write_text("A = 1\n")
    return tmp_path / "checkout"


@pytest.fixture
def shop(root: Path) -> Path:
    return root / "bots" / "shop"
