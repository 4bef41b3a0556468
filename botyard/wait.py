"""The only wait loop of the project."""

from __future__ import annotations

import time
from collections.abc import Callable

from botyard.contracts import TimedOut


def wait_until(
    what: str,
    probe: Callable[[], tuple[bool, str]],
    timeout_s: float,
    *,
    interval_s: float = 1.0,
    progress: Callable[[str], None] | None = None,
    cure: str = "",
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Calls ``probe`` until it says done; returns its last state.

    Args:
        what: what is waited for, as in "gave up on <what>".
        probe: returns (done, state); the state is one line. An exception of its ends the wait at once.
        timeout_s: seconds until TimedOut is raised with the last state.
        interval_s: seconds between two probes.
        progress: called with the state whenever it changes (never for the same state twice in a row).
    """
    deadline = clock() + timeout_s
    last = ""
    while True:
        done, state = probe()
        if state != last and state and progress is not None:
            progress(state)
        last = state or last
        if done:
            return last
        if clock() >= deadline:
            raise TimedOut(what, timeout_s, last, cure)
        sleep(min(interval_s, max(0.05, deadline - clock())))
