"""What a run is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from botyard.contracts import Paths


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How to run.

    Args:
        target: the typed target, handed to modules.
        extra_vars: the strongest variables; plain values, never read as templates.
        start_at_task: name (or pattern) of the first task to run.
        run_dir: where reports go; None writes none.
        console: ``auto`` is rich on a terminal and plain elsewhere.
        debug: show tracebacks.
    """

    paths: Paths
    target: Any = None
    extra_vars: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False
    diff: bool = False
    tags: list[str] = field(default_factory=list)
    skip_tags: list[str] = field(default_factory=list)
    start_at_task: str | None = None
    run_dir: Path | None = None
    console: Literal["auto", "rich", "plain"] = "auto"
    debug: bool = False
