"""What a run tells (RunReport and its records), and who listens while it goes on."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from botyard.contracts import Diff

Status = Literal["running", "ok", "changed", "skipped", "failed", "ignored", "rescued", "interrupted"]
HIDDEN = "output hidden by no_log"
PAGE = "report.html"  # in the run's folder


@dataclass
class ItemRecord:
    """One round of a loop."""

    label: str
    status: Status
    msg: str = ""
    diff: list[Diff] = field(default_factory=list)


@dataclass
class TaskRecord:
    """One task as it ran. ``started_s`` counts from the start of the run."""

    name: str
    module: str
    where: str
    play: str
    playbook: str
    lane: str
    started_s: float
    handler: bool = False
    status: Status = "running"
    changed: bool = False
    duration_s: float = 0.0
    attempts: int = 1
    msg: str = ""
    cure: str = ""
    traceback: str = ""
    items: list[ItemRecord] = field(default_factory=list)
    diff: list[Diff] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    summary_lines: list[str] = field(default_factory=list)
    data: Any = None  # what register gives, secrets hidden


@dataclass
class PlayRecord:
    """One play as it ran; the counts are of tasks, and ``ok`` includes the changed ones (as in Ansible)."""

    name: str
    hosts: str
    playbook: str
    lane: str
    started_s: float
    duration_s: float = 0.0
    ok: int = 0
    changed: int = 0
    failed: int = 0
    skipped: int = 0
    rescued: int = 0
    ignored: int = 0

    def count(self, record: TaskRecord) -> None:
        if record.status in ("ok", "changed", "ignored"):
            self.ok += 1
            self.changed += record.changed
        if record.status in ("failed", "skipped", "rescued", "ignored"):
            setattr(self, record.status, getattr(self, record.status) + 1)


@dataclass
class RunReport:
    """A whole run."""

    exit_code: int = 0
    not_run: list[str] = field(default_factory=list)  # handlers that were notified before a failure
    started_at: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()))  # UTC
    plays: list[PlayRecord] = field(default_factory=list)
    tasks: list[TaskRecord] = field(default_factory=list)
    duration_s: float = 0.0
    check: bool = False
    go_on: str = ""  # the command that goes on after a failure or Ctrl-C
    run_dir: Path | None = None

    def _sum(self, name: str) -> int:
        return sum(getattr(play, name) for play in self.plays)

    ok = property(lambda self: self._sum("ok"))
    changed = property(lambda self: self._sum("changed"))
    failed = property(lambda self: self._sum("failed"))
    skipped = property(lambda self: self._sum("skipped"))
    rescued = property(lambda self: self._sum("rescued"))
    ignored = property(lambda self: self._sum("ignored"))

    def counts(self) -> dict[str, int]:
        """The seven counts in Ansible's order."""
        names = ("ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored")
        return {name: 0 if name == "unreachable" else self._sum(name) for name in names}

    def slowest(self, count: int = 5) -> list[TaskRecord]:
        return sorted(self.tasks, key=lambda task: -task.duration_s)[:count]

    def as_json(self) -> dict[str, Any]:
        """For ``json.dumps(..., default=plain)``; shares its parts with the records (a copy of all would cost)."""
        plays, tasks = [vars(play) for play in self.plays], [vars(task) for task in self.tasks]
        head = {"exit_code": self.exit_code, "started_at": self.started_at, "duration_s": round(self.duration_s, 3)}
        return {**head, "check": self.check, "counts": self.counts(), "plays": plays, "tasks": tasks}


def plain(value: Any) -> Any:
    """What ``json.dumps`` is to write for a value it does not know."""
    return vars(value) if dataclasses.is_dataclass(value) else str(value)


class Listener:
    """Told of everything while a run goes on; every text is free of secrets. Calls never overlap."""

    def play_started(self, play: PlayRecord) -> None: ...

    def task_started(self, task: TaskRecord) -> None: ...

    def progress(self, task: TaskRecord, line: str) -> None: ...

    def item_done(self, task: TaskRecord, item: ItemRecord) -> None: ...

    def task_done(self, task: TaskRecord) -> None: ...

    def finished(self, report: RunReport) -> None: ...

    def close(self) -> None: ...


class Broadcast(Listener):
    """Tells several listeners, one event at a time."""

    def __init__(self, listeners: Iterable[Listener]) -> None:
        lock = threading.RLock()
        told = list(listeners)

        def teller(event: str) -> Callable[..., None]:
            def tell(*args: Any) -> None:
                with lock:
                    for listener in told:
                        getattr(listener, event)(*args)
                    if event == "close":
                        told.clear()  # what Ctrl-C could not end may still speak

            return tell

        for event in ("play_started", "task_started", "progress", "item_done", "task_done", "finished", "close"):
            setattr(self, event, teller(event))


class Clock:
    """Seconds since the run began."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def now(self) -> float:
        return round(time.monotonic() - self._start, 6)
