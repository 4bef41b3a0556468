"""A line of work: what it knows so far, where in the run it stands, and the wish to stop."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botyard.playbook.model import Playbook
from botyard.playbook.outcome import TaskFailed
from botyard.playbook.report import PlayRecord


class Stop:
    """A wish to stop after the current task; a stop of an outer group counts too."""

    def __init__(self, outer: Stop | None = None) -> None:
        self._event = threading.Event()
        self._outer = outer
        self._interrupted = False

    def set(self, *, interrupted: bool = False) -> None:
        self._interrupted = self._interrupted or interrupted
        self._event.set()

    @property
    def interrupted(self) -> bool:
        """Ctrl-C came: what runs now has lost its child processes."""
        return self._interrupted or (self._outer is not None and self._outer.interrupted)

    def is_set(self) -> bool:
        return self._event.is_set() or (self._outer is not None and self._outer.is_set())


class Stopped(Exception):
    """This lane ends here: a neighbour failed, or Ctrl-C came."""


@dataclass
class Lane:
    """One line of work: its name (empty unless side by side), what tasks registered so far, and its stop."""

    name: str
    facts: dict[str, Any]
    stop: Stop
    failures: list[TaskFailed] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class At:
    """Where in the run a task stands."""

    play: PlayRecord
    book: Playbook
    layers: Sequence[Mapping[str, Any]]  # variables of the play, strongest first
    lane: Lane
    rescued: bool  # a rescue waits further out

    def with_rescue(self) -> At:
        return At(self.play, self.book, self.layers, self.lane, rescued=True)
