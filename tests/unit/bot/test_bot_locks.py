"""The lock store that the chart mounts beside Rasa; a Redis within this process runs its real scripts."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import fakeredis
import pytest

from .files import mounted

Pod = Callable[..., Any]


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The file; Rasa is not installed here, only its names are needed to read it."""
    lock, store = ModuleType("rasa.core.lock"), ModuleType("rasa.core.lock_store")
    lock.TicketLock = lambda conversation_id: SimpleNamespace(conversation_id=conversation_id)  # type: ignore[attr-defined]
    store.LOCK_LIFETIME = 60  # type: ignore[attr-defined]
    store.LockError = type("LockError", (Exception,), {})  # type: ignore[attr-defined]
    store.LockStore = type("LockStore", (), {})  # type: ignore[attr-defined]
    for name, module in (("rasa", ModuleType("rasa")), ("rasa.core", ModuleType("rasa.core"))):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "rasa.core.lock", lock)
    monkeypatch.setitem(sys.modules, "rasa.core.lock_store", store)
    return mounted("botyard_locks")


@pytest.fixture
def server() -> fakeredis.FakeServer:
    return fakeredis.FakeServer()


@pytest.fixture
def pod(locks: ModuleType, server: fakeredis.FakeServer, monkeypatch: pytest.MonkeyPatch) -> Pod:
    """``pod(**options)``: the lock store of one more pod."""
    asked: list[dict[str, Any]] = []

    def connect(**options: Any) -> fakeredis.FakeRedis:
        asked.append(options)
        return fakeredis.FakeRedis(server=server, db=options["db"])

    monkeypatch.setattr(locks.redis, "StrictRedis", connect)

    def made(**options: Any) -> Any:
        store = locks.RedisLocks(SimpleNamespace(url="redis", kwargs={"port": "6379", "db": "1", **options}))
        store.asked = asked[-1]
        return store

    return made


def keys(server: fakeredis.FakeServer) -> list[bytes]:
    return list(fakeredis.FakeRedis(server=server, db=1).keys())


def test_messages_over_two_pods_are_handled_one_at_a_time_and_in_order(pod: Pod, server: fakeredis.FakeServer) -> None:
    pods = [pod(), pod()]
    redis = fakeredis.FakeRedis(server=server, db=1)
    handled: list[int] = []
    inside: list[int] = []

    async def message(number: int) -> None:
        async with pods[number % 2].lock("me") as lock:
            assert lock.conversation_id == "me"
            inside.append(number)
            await asyncio.sleep(0.002)
            assert inside == [number]
            inside.clear()
            handled.append(number)

    async def all_of_them() -> None:
        async with pods[1].lock("me"):
            tasks = []
            for number in range(48):
                tasks.append(asyncio.create_task(message(number)))
                while redis.zcard("botyard:lock:{me}") < number + 2:
                    await asyncio.sleep(0.001)
            assert handled == []
        await asyncio.gather(*tasks)

    asyncio.run(all_of_them())
    assert handled == list(range(48))
    assert keys(server) == [], "nothing is left in Redis"
    assert all(store._here == {} for store in pods), "nothing is left in the pods"


def test_messages_at_one_pod_are_handled_in_the_order_in_which_they_came(pod: Pod) -> None:
    store = pod()
    handled: list[int] = []

    async def message(number: int) -> None:
        async with store.lock("me"):
            handled.append(number)

    async def all_at_once() -> None:
        await asyncio.gather(*map(message, range(48)))

    asyncio.run(all_at_once())
    assert handled == list(range(48))


def test_other_conversations_do_not_wait(pod: Pod) -> None:
    store = pod()

    async def go() -> float:
        async with store.lock("busy"):
            begun = time.monotonic()
            async with store.lock("other"):
                return time.monotonic() - begun

    assert asyncio.run(go()) < 0.5


def test_a_waiting_message_goes_on_soon_after_the_one_before(pod: Pod) -> None:
    first, second = pod(), pod()
    ended = 0.0

    async def hold() -> None:
        nonlocal ended
        async with first.lock("me"):
            await asyncio.sleep(0.2)
            ended = time.monotonic()

    async def go() -> float:
        holder = asyncio.create_task(hold())
        await asyncio.sleep(0.05)
        async with second.lock("me"):
            late = time.monotonic() - ended
        await holder
        return late

    assert asyncio.run(go()) < 0.5, "Rasa's own looks once a second"


def test_the_ticket_of_a_dead_pod_is_dropped_after_its_lifetime(pod: Pod) -> None:
    dead, living = pod(), pod()

    async def go() -> float:
        await dead._ask(dead._stand, "me", "its-ticket", 300, 100)
        begun = time.monotonic()
        async with living.lock("me", lock_lifetime=5):
            return time.monotonic() - begun

    assert 0.2 < asyncio.run(go()) < 1


def test_a_message_that_waits_longer_than_a_lifetime_keeps_its_place(pod: Pod) -> None:
    pods = [pod(), pod()]
    handled: list[str] = []

    async def message(store: Any, name: str, seconds: float) -> None:
        async with store.lock("me", lock_lifetime=1.2):
            handled.append(name)
            await asyncio.sleep(seconds)

    async def go() -> None:
        tasks = []
        for number in range(4):
            tasks.append(asyncio.create_task(message(pods[number % 2], str(number), 0.8)))
            await asyncio.sleep(0.02)
        await asyncio.gather(*tasks)

    asyncio.run(go())
    assert handled == ["0", "1", "2", "3"], "the last waited 2.4 s with a lifetime of 1.2 s"


def test_a_message_given_up_does_not_hold_up_the_next(pod: Pod, server: fakeredis.FakeServer) -> None:
    store = pod()

    async def wait() -> None:
        async with store.lock("me"):
            raise AssertionError("it was given up")

    async def go() -> None:
        async with store.lock("me"):
            given_up = asyncio.create_task(wait())
            await asyncio.sleep(0.05)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
            assert given_up.cancelled()
        async with asyncio.timeout(1), store.lock("me"):
            pass

    asyncio.run(go())
    assert keys(server) == []


def test_an_error_in_the_work_frees_the_conversation(pod: Pod, server: fakeredis.FakeServer) -> None:
    async def go() -> None:
        async with pod().lock("me"):
            raise ValueError("the work failed")

    with pytest.raises(ValueError, match="the work failed"):
        asyncio.run(go())
    assert keys(server) == []


def test_too_many_are_refused_with_rasas_error(locks: ModuleType, pod: Pod) -> None:
    store = pod(most_waiting=2)

    async def go() -> None:
        async with store.lock("me"):
            second = asyncio.create_task(store.lock("me").__aenter__())
            await asyncio.sleep(0.05)
            with pytest.raises(locks.LockError, match="2 messages of conversation 'me' wait already"):
                async with store.lock("me"):
                    pass
            second.cancel()

    asyncio.run(go())


def test_a_redis_that_comes_back_in_time_costs_nothing(
    locks: ModuleType, pod: Pod, server: fakeredis.FakeServer
) -> None:
    store, handled = pod(), []

    async def message() -> None:
        async with store.lock("me"):
            handled.append(1)

    async def go() -> None:
        server.connected = False
        waiting = asyncio.create_task(message())
        await asyncio.sleep(0.1)
        assert handled == []
        server.connected = True
        await waiting

    asyncio.run(go())
    assert handled == [1]


def test_a_redis_that_stays_away_is_told_with_rasas_error(
    locks: ModuleType, pod: Pod, server: fakeredis.FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PATIENCE_S", 0.3)
    server.connected = False

    async def go() -> None:
        async with pod().lock("me"):
            raise AssertionError("there was no lock")

    with pytest.raises(locks.LockError, match="Redis at redis:6379 keeps no locks"):
        asyncio.run(go())


def test_a_redis_that_hangs_does_not_hang_the_event_loop(locks: ModuleType, pod: Pod) -> None:
    store = pod()
    real = store._stand
    ticked = threading.Event()
    store._stand = lambda **given: (ticked.wait(10), real(**given))[1]

    async def go() -> int:
        async def tick() -> int:
            for _ in range(20):
                await asyncio.sleep(0)
            ticked.set()
            return 20

        ticks = asyncio.create_task(tick())
        async with store.lock("me"):
            assert ticked.is_set(), "the loop went on while Redis hung"
        return await ticks

    assert asyncio.run(go()) == 20


def test_a_redis_that_hangs_is_asked_once_and_not_by_every_message(
    locks: ModuleType, pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PATIENCE_S", 0)
    store, asked = pod(), []

    def hangs(**given: Any) -> None:
        asked.append(1)
        time.sleep(0.1)
        raise locks.redis.TimeoutError("Timeout reading from socket")

    store._stand = store._leave = hangs

    async def go() -> list[Any]:
        async def message(number: int) -> None:
            async with store.lock(f"sender-{number}"):
                pass

        return await asyncio.gather(*map(message, range(20)), return_exceptions=True)

    assert all(isinstance(error, locks.LockError) for error in asyncio.run(go()))
    assert len(asked) <= 3


def test_the_options_of_rasas_own_store_are_taken(pod: Pod) -> None:
    asked = pod(username="u", password="p", use_ssl=True, ssl_ca_certs="/ca", socket_timeout=7).asked
    assert asked == {
        "host": "redis", "port": 6379, "db": 1, "username": "u", "password": "p", "ssl": True, "ssl_ca_certs": "/ca",
        "socket_timeout": 7, "socket_connect_timeout": 2.0,
    }  # fmt: skip


def test_two_bots_with_prefixes_of_their_own_share_a_redis(pod: Pod) -> None:
    async def go() -> None:
        async with pod(key_prefix="a").lock("me"), asyncio.timeout(1), pod(key_prefix="b").lock("me"):
            pass

    asyncio.run(go())
