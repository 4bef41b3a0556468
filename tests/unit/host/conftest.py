"""What the tests of this folder share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from host_door import Door

from botyard import process
from botyard.contracts import Paths
from botyard.targets import Sources, Target


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    import botyard.host.doctor
    import botyard.host.engine
    import botyard.host.removal
    import botyard.host.toolbox  # noqa: F401 - loaded, so that its door is closed too

    one = Door()
    real = process.run
    for name, module in list(sys.modules.items()):
        if name.startswith("botyard.") and getattr(module, "run", None) is real:
            monkeypatch.setattr(module, "run", one.run)
    yield one


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(root=Path(__file__).parents[3], state=tmp_path / "state", cache=tmp_path / "cache")


@pytest.fixture
def target() -> Target:
    return Target(name="kind", sources=Sources(mode="packages"))


@pytest.fixture
def told() -> list[str]:
    """Progress lines; hand on ``told.append``."""
    return []
