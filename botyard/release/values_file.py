"""How values reach helm without showing on a command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botyard.release.releases import Plan


@contextmanager
def on_disk(plan: Plan, folder: Path) -> Iterator[list[Path]]:
    """The values files with the plan's own values last, in a file that only we can read and that goes away."""
    if not plan.values:
        yield list(plan.values_files)
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in folder.glob("*.json"):  # of a run that was killed: it may hold secrets
        if not Path("/proc", left.stem.rpartition("-")[2]).exists():
            left.unlink(missing_ok=True)
    file = folder / f"{plan.namespace}-{plan.name}-{os.getpid()}.json"
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as sink:
            json.dump(plan.values, sink, default=str)
        yield [*plan.values_files, file]
    finally:
        file.unlink(missing_ok=True)
