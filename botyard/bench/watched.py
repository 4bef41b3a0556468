"""A run of either engine, watched from outside: seconds, the moment of its first task, its recap, its memory."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from botyard.contracts import BotyardError
from botyard.process import Arg, run

_RECAP = re.compile(r"^\S+\s+: (ok=\d+.*)$")
_COUNT = re.compile(r"(\w+)=(\d+)")
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_LOOK_EVERY_S = 0.01


@dataclass(frozen=True)
class Watched:
    """What was seen.

    Args:
        duration_s: from the start of the process to its end.
        first_task_s: from the start of the process to the line that names the first task.
        counts: the recap: ok, changed, failed and so on.
    """

    duration_s: float
    first_task_s: float
    counts: Mapping[str, int]


class Console:
    """Takes the lines that a run prints; both engines print the same ones."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self.first_task_s: float | None = None
        self.counts: dict[str, int] = {}

    def line(self, text: str) -> None:
        if self.first_task_s is None and text.startswith("TASK ["):
            self.first_task_s = time.monotonic() - self._started
        found = _RECAP.match(text)
        if found:
            self.counts = {name: int(count) for name, count in _COUNT.findall(found[1])}


def watch(argv: Sequence[Arg], env: Mapping[str, str], cwd: Path) -> Watched:
    """Runs a playbook to its end.

    Raises:
        CommandError: it failed.
        BotyardError: it ended well without a task or a recap.
    """
    console = Console()
    done = run(argv, env=env, cwd=cwd, on_line=console.line)
    if console.first_task_s is None or not console.counts:
        raise BotyardError(f"{' '.join(map(str, argv))} printed no TASK line or no recap", "run it by hand and look")
    return Watched(done.duration_s, console.first_task_s, console.counts)


class Memory:
    """The most memory that the child processes of this one, with theirs, held at one time, in MB.

    What several processes share counts once (the kernel's "proportional set size"): a fork that has written nothing
    is free.
    """

    def __init__(self) -> None:
        self.peak_mb = 0.0

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Looks every 10 ms while the body runs."""
        done = threading.Event()

        def look() -> None:
            while not done.wait(_LOOK_EVERY_S):
                self.peak_mb = max(self.peak_mb, held_mb(descendants()))

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def descendants(process: Path = Path("/proc/self")) -> Iterator[Path]:
    """The folders in /proc of all that a process started and that still runs.

    A child between vfork and exec is left out: it still lives in its parent's memory, while the thread that made it
    waits.
    """
    for file in process.glob("task/*/children"):
        with contextlib.suppress(OSError):  # that thread has ended
            children = file.read_text().split()
            waits = (file.parent / "stat").read_text().rpartition(")")[2].split()[0] == "D"
            for pid in children[:-1] if waits else children:
                child = process.parent / pid
                yield child
                yield from descendants(child)


def held_mb(processes: Iterable[Path]) -> float:
    """What they hold together; those that have ended hold nothing."""
    found = 0
    for process in processes:
        with contextlib.suppress(OSError):
            pss = _PSS.search((process / "smaps_rollup").read_text())
            found += int(pss[1]) if pss else 0
    return found / 1024
