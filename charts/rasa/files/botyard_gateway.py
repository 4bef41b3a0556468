"""What a Rasa pod does for the gateway before it: says how many messages it can take, and marks its socket.io sessions.

**How many.** Rasa is one event loop. A message that keeps it busy wants to be alone; one that waits for an action does
not, and the loop could take others meanwhile. Only the pod knows which it is, so HAProxy asks it (``agent-check``): a
thread asks the loop to call back, 40 times a second, and notes how long that takes. While messages are here and the
loop is mostly idle, twice as many are asked for; once it is busy, or has few messages, half as many.

**Sessions.** Long-polling brings each request of a session in a connection of its own, and all must reach one pod. So a
session id begins with a mark of the pod, which the gateway reads (gateway.lua).

Environment: ``BOTYARD_AGENT_PORT`` (nothing is done without it), ``BOTYARD_POD_IP``, ``BOTYARD_MESSAGES_BUSY`` and
``BOTYARD_MESSAGES_WAITING`` (the bounds, of each gateway).
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import weakref
import zlib
from collections.abc import Callable
from typing import Any

PROBE_EVERY_S = 0.025
PROBES = 4  # a decision every tenth of a second
LATE_S = 0.003  # an idle loop calls back within a tenth of that
MOSTLY_IDLE, MOSTLY_BUSY = 0.5, 0.75  # share of the probes that came late


class Limit:
    """How many messages this pod asks each gateway for."""

    def __init__(self, busy: int, waiting: int) -> None:
        self.busy, self.waiting = busy, max(busy, waiting)
        self.now = busy

    def decide(self, late: float, messages: int) -> int:
        """The next limit.

        Args:
            late: share of the last probes that the loop answered late.
            messages: how many it has now, from all gateways.
        """
        if late <= MOSTLY_IDLE and messages >= self.now:
            self.now = min(self.waiting, self.now * 2)
        elif late >= MOSTLY_BUSY or messages * 4 < self.now:
            self.now = max(self.busy, self.now // 2)
        return self.now


class Loop:
    """Watches an event loop from a thread.

    Args:
        call_soon: has a function called by the loop, as ``loop.call_soon_threadsafe`` does.
        messages: how many messages the loop has now.
    """

    def __init__(
        self, limit: Limit, call_soon: Callable[[Callable[[], None]], Any], messages: Callable[[], int]
    ) -> None:
        self.limit, self._call_soon, self._messages = limit, call_soon, messages

    def watch(self) -> None:
        """Until the loop is closed."""
        with contextlib.suppress(RuntimeError):
            while True:
                late = sum(self._late() for _ in range(PROBES)) / PROBES
                self.limit.decide(late, self._messages())

    def _late(self) -> bool:
        called = threading.Event()
        asked = time.monotonic()
        self._call_soon(called.set)
        while not called.wait(1):
            self.limit.decide(1.0, self._messages())  # so busy that it does not even say so
        took_s = time.monotonic() - asked
        time.sleep(PROBE_EVERY_S)  # always: right after a late answer the loop is idle for a moment
        return took_s > LATE_S


def serve(limit: Limit, listening: socket.socket) -> None:
    """Tells the limit to everyone who connects, in the words of HAProxy's agent-check."""
    while True:
        with contextlib.suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(1)
                connection.sendall(b"maxconn:%d\n" % limit.now)


def watch_app(app: Any, loop: Any) -> None:
    """Begins to watch a Sanic app, where the environment asks for it."""
    env = os.environ
    if not env.get("BOTYARD_AGENT_PORT"):
        return
    limit = Limit(int(env["BOTYARD_MESSAGES_BUSY"]), int(env["BOTYARD_MESSAGES_WAITING"]))
    here: weakref.WeakSet[Any] = weakref.WeakSet()  # weak: a request that is broken off has no response

    async def came(request: Any) -> None:
        if request.method == "POST" and request.path.startswith("/webhooks/"):
            here.add(request)

    async def went(request: Any, response: Any) -> None:
        here.discard(request)

    app.register_middleware(came, "request")
    app.register_middleware(went, "response")
    try:
        listening = socket.create_server(("", int(env["BOTYARD_AGENT_PORT"])), backlog=64)
    except OSError:  # another worker of this pod has it
        return
    watched = Loop(limit, loop.call_soon_threadsafe, lambda: len(here))
    threading.Thread(target=watched.watch, name="botyard-watch", daemon=True).start()
    threading.Thread(target=serve, args=(limit, listening), name="botyard-agent", daemon=True).start()


def mark_of(address: str) -> str:
    """The mark with which session ids of the pod at that address begin."""
    return f"p{zlib.crc32(address.encode()):08x}-"


def mark_sessions() -> bool:
    """Puts this pod's mark before every new socket.io session id; False where that is not asked for or not possible."""
    address = os.environ.get("BOTYARD_POD_IP")
    if not address:
        return False
    try:
        import engineio.base_server as library

        plain = library.BaseServer.generate_id
    except (ImportError, AttributeError):
        return False
    mark = mark_of(address)
    if not getattr(plain, "botyard", False):

        def generate_id(self: Any) -> str:
            return mark + str(plain(self))

        generate_id.botyard = True  # type: ignore[attr-defined]
        library.BaseServer.generate_id = generate_id
    return True
