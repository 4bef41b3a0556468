"""Loads the files that the chart mounts beside Rasa; they are no part of the package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "charts" / "rasa" / "files"
TEA = ROOT / "bots" / "tea"


def mounted(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"mounted_{name}", FILES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
