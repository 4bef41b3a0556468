"""A lock store for Rasa: messages of one conversation are handled one at a time, in the order in which they came.

Name it in endpoints.yml: ``lock_store: {type: botyard_locks.RedisLocks, url: HOST, port: 6379, password: ...}``. All
pods that share the Redis share the order. Rasa's own Redis lock store reads, changes and writes back in three steps,
so that pods lose one another's tickets, and looks once a second.

Here each conversation is a queue in Redis. Each message stands in it with a ticket, and the first one is handled. To
stand and to leave are one atomic script each, by the clock of Redis. A ticket that nobody looked after for a lifetime
(``TICKET_LOCK_LIFETIME``, 60 s where it is not set) is that of a dead pod, or of work that never ends, and is dropped
once it is the first. A message is refused, with Rasa's ``LockError``, where too many wait already or Redis does not
answer for ``PATIENCE_S``: REST then answers with an empty list.

Options, besides those of Rasa's own Redis lock store: ``most_waiting``, messages of one conversation at a time (100).
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import redis
from rasa.core.lock import TicketLock
from rasa.core.lock_store import LOCK_LIFETIME, LockError, LockStore

logger = logging.getLogger(__name__)

PATIENCE_S = 5.0  # a Redis that is started again within that time costs no message
AGAIN_S = 0.25  # between two tries while it does not answer
NEAR_S = 0.01  # the first look at a queue comes after this, for each ticket before one's own
SLOWEST_S = 0.5  # between two looks
MOST_WAITING = 100
FULL = -1

# KEYS: tickets by number, and until when each is good (ms). ARGV: ticket, lifetime (ms), most.
# Gives how many are before it, or FULL.
STAND = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
while true do
  local first = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
  if not first or first == ARGV[1] or tonumber(redis.call('HGET', KEYS[2], first) or 0) > now then break end
  redis.call('ZREM', KEYS[1], first)
  redis.call('HDEL', KEYS[2], first)
end
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return -1 end
  local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] or 0
  redis.call('ZADD', KEYS[1], last + 1, ARGV[1])
end
redis.call('HSET', KEYS[2], ARGV[1], string.format('%d', now + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2)
redis.call('PEXPIRE', KEYS[2], ARGV[2] * 2)
return redis.call('ZRANK', KEYS[1], ARGV[1])
"""
LEAVE = """
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 0
"""


class RedisLocks(LockStore):  # type: ignore[misc]
    """See above.

    Args:
        endpoint_config: ``lock_store`` of endpoints.yml, as Rasa reads it.
    """

    def __init__(self, endpoint_config: Any) -> None:
        options = {"port": 6379, "db": 1, "socket_timeout": PATIENCE_S, **endpoint_config.kwargs}
        self.most = int(options.pop("most_waiting", MOST_WAITING))
        self.prefix = str(options.pop("key_prefix", None) or "botyard")
        self.place = f"{endpoint_config.url}:{options['port']}"
        client = redis.StrictRedis(
            host=endpoint_config.url,
            port=int(options.pop("port")),
            db=int(options.pop("db")),
            ssl=options.pop("use_ssl", False),
            socket_connect_timeout=min(2.0, float(options["socket_timeout"])),
            **options,
        )
        self._stand, self._leave = client.register_script(STAND), client.register_script(LEAVE)
        # One thread: tickets are drawn in the order in which messages came, and the event loop never waits for Redis.
        self._thread = ThreadPoolExecutor(1, "botyard-locks")
        self._failed: tuple[float, str] | None = None
        # This pod's tickets by conversation: only the first of each looks often.
        self._here: dict[str, dict[str, asyncio.Event]] = {}
        super().__init__()

    @asynccontextmanager
    async def lock(
        self, conversation_id: str, lock_lifetime: float = LOCK_LIFETIME, wait_time_in_seconds: float = 1
    ) -> AsyncIterator[TicketLock]:
        """Waits until it is this message's turn.

        Args:
            lock_lifetime: seconds after which the work is taken for dead, and the next message's turn comes.
            wait_time_in_seconds: taken without effect; what wakes a message is in ``_pause``.

        Raises:
            LockError: too many messages of this conversation wait, or Redis does not answer.
        """
        ticket = uuid.uuid4().hex
        line = self._here.setdefault(conversation_id, {})
        line[ticket] = asyncio.Event()
        self._wake(conversation_id)
        try:
            await self._turn(conversation_id, ticket, lock_lifetime)
            yield TicketLock(conversation_id)
        finally:
            try:
                await self._ask(self._leave, conversation_id, ticket)
            except LockError as error:
                logger.error("a ticket is left behind, its conversation waits until it is too old: %s", error)
            finally:
                del line[ticket]
                self._wake(conversation_id)

    async def _turn(self, conversation_id: str, ticket: str, lifetime_s: float) -> None:
        first_here = self._here[conversation_id][ticket]
        last, since = -1, 0.0
        while True:
            before = await self._ask(self._stand, conversation_id, ticket, int(lifetime_s * 1000), self.most)
            if before == FULL:
                raise LockError(
                    f"{self.most} messages of conversation {conversation_id!r} wait already: this one is lost"
                )
            if before == 0:
                return
            if before != last:
                last, since = before, time.monotonic()
            if first_here.is_set():
                await asyncio.sleep(_pause(before, time.monotonic() - since))
                continue
            try:  # a look now and then keeps the ticket good
                await asyncio.wait_for(first_here.wait(), lifetime_s / 4)
            except asyncio.TimeoutError:  # noqa: UP041 (not yet the builtin one in Python 3.10)
                continue

    def _wake(self, conversation_id: str) -> None:
        line = self._here[conversation_id]
        if line:
            next(iter(line.values())).set()
        else:
            del self._here[conversation_id]

    async def _ask(self, script: Any, conversation_id: str, *words: Any) -> int:
        name = f"{self.prefix}:lock:{{{conversation_id}}}"
        call = functools.partial(self._call, script, [name, f"{name}:until"], list(words))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return int(await asyncio.get_running_loop().run_in_executor(self._thread, call))
            except redis.RedisError as error:
                if time.monotonic() > deadline:
                    text = f"Redis at {self.place} keeps no locks ({type(error).__name__}: {error})"
                    raise LockError(f"{text}; messages are lost until it answers") from error
                await asyncio.sleep(AGAIN_S)

    def _call(self, script: Any, keys: list[str], words: list[Any]) -> Any:
        """Runs in the thread. A Redis that hangs is asked once, not by each message that waits, one after the other."""
        if self._failed and time.monotonic() - self._failed[0] < AGAIN_S:
            raise redis.ConnectionError(self._failed[1])
        try:
            answer = script(keys=keys, args=words)
        except redis.RedisError as error:
            self._failed = (time.monotonic(), str(error))
            raise
        self._failed = None
        return answer


def _pause(before: int, still_s: float) -> float:
    """Seconds until the next look: the longer the queue has not moved, the less a little more matters."""
    return min(NEAR_S * before + still_s / 20, SLOWEST_S)
