"""Bounded traffic against a bot on this machine, which counts every message that got no readable answer."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlsplit

from botyard.contracts import BadInput
from botyard.verify.rest import LostReply, Reply, say

MOST_PER_S = 20.0


@dataclass(frozen=True)
class Loss:
    """One message without an answer; ``at_s`` counts from the start of the traffic."""

    at_s: float
    took_s: float
    sender: str
    kind: str
    detail: str


@dataclass
class Tally:
    """What the traffic saw so far."""

    sent: int = 0
    answered: int = 0
    losses: list[Loss] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)

    def summary(self) -> str:
        """One line for a person, and a line for each of the first losses."""
        kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(loss.kind for loss in self.losses).items())
        lost = f"{len(self.losses)} lost" + (f" ({kinds})" if kinds else "")
        slowest = f", slowest {max(self.waits_s):.1f} s" if self.waits_s else ""
        lines = [f"{self.sent} sent, {self.answered} answered, {lost}{slowest}"]
        for loss in self.losses[:10]:
            lines.append(f"  at {loss.at_s:.1f} s after {loss.took_s:.1f} s: {loss.kind}: {loss.detail}")
        return "\n".join(lines)


class Traffic:
    """Sends while the ``with`` block runs: distinct senders, each one's messages in sequence.

    Args:
        base_url: must be on 127.0.0.1; traffic is never sent anywhere else.
        messages: sent in turn.
        rate_per_s: messages a second over all senders, at most 20.
        senders: how many people talk at once; one waits for an answer before it speaks again.
        speak: sends one message (``rest.say`` by default).

    Raises:
        BadInput: another address than 127.0.0.1, or a rate out of bounds.
    """

    def __init__(
        self,
        base_url: str,
        messages: Sequence[str],
        *,
        rate_per_s: float = 5,
        senders: int = 10,
        timeout_s: float = 15,
        speak: Callable[..., Reply] = say,
    ) -> None:
        if urlsplit(base_url).hostname != "127.0.0.1":
            raise BadInput(f"traffic goes to 127.0.0.1 only, not to {base_url}", "use invoke load for other targets")
        if not 0 < rate_per_s <= MOST_PER_S or senders < 1 or not messages:
            raise BadInput(f"traffic takes up to {MOST_PER_S:.0f} messages a second from at least one sender")
        self.tally = Tally()
        self._base_url, self._messages, self._timeout_s, self._speak = base_url, list(messages), timeout_s, speak
        self._pause_s = senders / rate_per_s
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._talk, args=(i, i / rate_per_s), name=f"traffic-{i}") for i in range(senders)
        ]

    def __enter__(self) -> Traffic:
        self._started = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(self._timeout_s * 2 + 5)

    def run_for(self, seconds: float) -> None:
        """Lets the traffic go on for that long."""
        self._stop.wait(seconds)

    def _talk(self, number: int, first_s: float) -> None:
        sender = f"traffic-{number}-{uuid.uuid4().hex[:8]}"
        due = self._started + first_s
        turn = number
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            self._one(sender, self._messages[turn % len(self._messages)])
            turn += 1
            # A late answer moves the next message, so one sender never has two on their way.
            due = max(due + self._pause_s, time.monotonic())

    def _one(self, sender: str, message: str) -> None:
        begun = time.monotonic()
        loss: LostReply | None = None
        try:
            self._speak(self._base_url, sender, message, timeout_s=self._timeout_s)
        except LostReply as error:
            loss = error
        took_s = time.monotonic() - begun
        with self._lock:
            self.tally.sent += 1
            self.tally.waits_s.append(took_s)
            if loss is None:
                self.tally.answered += 1
            else:
                self.tally.losses.append(Loss(begun - self._started, took_s, sender, loss.kind, loss.message))
