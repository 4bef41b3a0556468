"""How the slow lanes run botyard: as a user does, by its Invoke tasks, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INVOKE = [sys.executable, "-m", "invoke"]
DEADLINE_S = 1800


def invoke(*words: str, wanted: int = 0, env: Mapping[str, str] | None = None) -> str:
    """Runs ``invoke <words> --plain`` to its end; returns all that it printed."""
    done = subprocess.run([*INVOKE, *words, "--plain"], cwd=ROOT, check=False, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=DEADLINE_S, env=env)  # fmt: skip
    print(done.stdout[-6000:], done.stderr[-2000:])
    assert done.returncode == wanted, f"invoke {' '.join(words)} ended with {done.returncode}, not {wanted}"
    return done.stdout + done.stderr
