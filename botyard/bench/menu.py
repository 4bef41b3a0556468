"""How long `invoke --list` takes beside bare Invoke."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from botyard.process import run


def menu_ratio(root: Path, rounds: int = 9) -> tuple[float, float]:
    """Median seconds of `invoke --list` here and with an empty tasks.py, measured in turn.

    Args:
        root: the checkout.
        rounds: how often each is run.
    """
    ours: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tasks.py").write_text("from invoke import task\n\n\n@task\ndef nothing(c):\n    pass\n")
        for _ in range(rounds):
            for cwd, into in ((Path(folder), bare), (root, ours)):
                into.append(run([sys.executable, "-m", "invoke", "--list"], cwd=cwd).duration_s)
    return statistics.median(ours), statistics.median(bare)
