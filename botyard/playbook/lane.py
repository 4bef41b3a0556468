"""A line of work: what it knows so far, where in the run it stands, and the wish to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botyard.playbook.model import Play, Playbook, Task
from botyard.playbook.options import RunOptions
from botyard.playbook.outcome import TaskFailed
from botyard.report.records import PlayRecord


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


class PlayEnded(Exception):
    """meta: end_play."""


@dataclass
class Lane:
    """One line of work: its name (empty unless side by side), what tasks registered so far, and its stop."""

    name: str
    facts: dict[str, Any]
    stop: Stop
    failures: list[TaskFailed] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)


def magic_vars(play: Play, book: Playbook, options: RunOptions) -> dict[str, Any]:
    """The variables that a play has always; they are the weakest."""
    return {
        "ansible_check_mode": options.check,
        "ansible_diff_mode": options.diff,
        "ansible_play_name": play.name,
        "inventory_hostname": play.hosts,
        "playbook_dir": str(book.file.parent),
    }


class Handlers:
    """The handlers of one play, and which of them are notified.

    Args:
        title: gives a handler's name with its templates worked out.
    """

    def __init__(self, handlers: Sequence[Task], title: Callable[[Task], str]) -> None:
        self._all = handlers
        self._title = title
        self._notified: set[Task] = set()
        self._next = 0

    def notify(self, name: str) -> bool:
        """Whether there is one of that name, or that listens to it; of several with one name the first counts."""
        named = [h for h in self._all if h.name is not None and self._title(h) == name][:1]
        listening = {self._title(h) if h.name else id(h): h for h in reversed(self._all) if name in h.listen}
        self._notified.update(named, listening.values())
        return bool(named or listening)

    def waiting(self) -> list[str]:
        """Names of those that are notified and have not run."""
        return [self._title(one) for one in self._all if one in self._notified]

    def flush(self) -> Iterator[Task]:
        """The notified ones in their order, also those that earlier ones notify meanwhile. As in Ansible, a flush
        that a failure broke off is taken up where it ended."""
        while self._next < len(self._all):
            handler = self._all[self._next]
            self._next += 1
            if handler in self._notified:
                self._notified.discard(handler)
                yield handler
        self._next = 0


@dataclass(frozen=True)
class At:
    """Where in the run a task stands."""

    play: PlayRecord
    book: Playbook
    layers: Sequence[Mapping[str, Any]]  # variables of the play, strongest first
    lane: Lane
    handlers: Handlers
    rescued: bool = False  # a rescue waits further out
    handling: bool = False  # among handlers, which run whatever their tags
    params: Sequence[Mapping[str, Any]] = ()  # variables of include_tasks around it, strongest first
