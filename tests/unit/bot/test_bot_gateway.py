"""What a Rasa pod tells its gateway."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import ModuleType

import pytest

from .files import FILES, mounted


@pytest.fixture
def gateway() -> ModuleType:
    return mounted("botyard_gateway")


def test_a_loop_that_waits_is_given_twice_as_many_up_to_the_bound(gateway: ModuleType) -> None:
    limit = gateway.Limit(1, 10)
    assert [limit.decide(0.0, messages) for messages in (1, 2, 4, 8, 16)] == [2, 4, 8, 10, 10]


def test_a_busy_loop_and_one_without_messages_fall_back(gateway: ModuleType) -> None:
    limit = gateway.Limit(2, 64)
    limit.now = 64
    assert [limit.decide(1.0, 64) for _ in range(6)] == [32, 16, 8, 4, 2, 2]
    limit.now = 64
    assert [limit.decide(0.0, 0) for _ in range(6)] == [32, 16, 8, 4, 2, 2]


def test_an_idle_loop_with_room_left_asks_for_no_more(gateway: ModuleType) -> None:
    limit = gateway.Limit(4, 64)
    assert [limit.decide(0.0, messages) for messages in (0, 1, 3)] == [4, 4, 4]


def test_a_waiting_bound_below_the_busy_one_is_that(gateway: ModuleType) -> None:
    assert gateway.Limit(4, 1).decide(0.0, 100) == 4


def test_half_busy_is_left_as_it_is(gateway: ModuleType) -> None:
    limit = gateway.Limit(1, 64)
    limit.now = 8
    assert limit.decide(0.6, 8) == 8


def watched(gateway: ModuleType, work: Callable[[], object], at_most_s: float) -> int:
    """The limit of a loop with eight messages that does that work all the time: once it rises, or at the end."""
    limit = gateway.Limit(1, 64)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        watcher = gateway.Loop(limit, loop.call_soon_threadsafe, lambda: 8)
        threading.Thread(target=watcher.watch, daemon=True).start()
        ends = loop.time() + at_most_s
        while loop.time() < ends and limit.now == 1:
            work()
            await asyncio.sleep(0.001)

    asyncio.run(run())
    return int(limit.now)


def test_a_real_loop_that_waits_and_one_that_is_busy(gateway: ModuleType) -> None:
    assert watched(gateway, lambda: time.sleep(0.2), at_most_s=1) == 1
    # It rises within half a second, but on a machine with too much to do every loop is late.
    assert watched(gateway, lambda: None, at_most_s=60) > 1


def test_haproxy_is_told_the_number_in_its_own_words(gateway: ModuleType) -> None:
    limit = gateway.Limit(3, 64)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        threading.Thread(target=gateway.serve, args=(limit, listening), daemon=True).start()
        for expected in (b"maxconn:3\n", b"maxconn:6\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as asked:
                assert asked.makefile("rb").read() == expected
            limit.decide(0.0, 3)


def test_nothing_is_watched_where_no_port_is_named(gateway: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOTYARD_AGENT_PORT", raising=False)
    gateway.watch_app(None, None)  # neither is looked at


def test_the_mark_is_what_the_gateway_looks_for(gateway: ModuleType) -> None:
    pattern = re.search(r'match\("(\^p.*)"\)', (FILES / "gateway.lua").read_text())
    assert pattern is not None
    lua = pattern[1].replace("%x", "[0-9a-f]").replace("%-", "-")
    assert re.match(lua, gateway.mark_of("10.244.1.17") + "XMbtwRGDJ-643xcAAAA")
    assert gateway.mark_of("10.244.1.17") == "pded9a935-", "as HAProxy's crc32 has it"


def test_sessions_are_marked_once(gateway: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    library = ModuleType("engineio.base_server")
    library.BaseServer = type("BaseServer", (), {"generate_id": lambda self: "abc"})  # type: ignore[attr-defined]
    package = ModuleType("engineio")
    package.base_server = library  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "engineio", package)
    monkeypatch.setitem(sys.modules, "engineio.base_server", library)
    monkeypatch.delenv("BOTYARD_POD_IP", raising=False)
    assert gateway.mark_sessions() is False
    assert library.BaseServer().generate_id() == "abc"
    monkeypatch.setenv("BOTYARD_POD_IP", "10.0.0.1")
    assert gateway.mark_sessions() and gateway.mark_sessions()
    assert library.BaseServer().generate_id() == gateway.mark_of("10.0.0.1") + "abc"
