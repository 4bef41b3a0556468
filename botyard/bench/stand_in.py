"""Stands in for Rasa in the gateway's benchmark: one event loop, which a message keeps busy, or which only waits.

Runs in a pod, beside the chart's own botyard_gateway.py, which tells the gateway how many messages this loop can take.
Environment: ``BUSY_MS``: how long a message keeps the loop busy. A message "wait" keeps it busy for MESSAGE_S, as the
demo bot's do, and waits WAIT_S for an action.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time

import botyard_gateway  # type: ignore[import-not-found]

PORT = 5005
MESSAGE_S = 0.014
WAIT_S = 1.0


async def main() -> None:
    """Serves until it is ended."""
    busy_s = int(os.environ["BUSY_MS"]) / 1000
    here = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal here
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if head.startswith(b"post "):
            here += 1
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if await reader.readexactly(length) == b"wait":
                time.sleep(MESSAGE_S)
                await asyncio.sleep(WAIT_S)
            else:
                time.sleep(busy_s)
            here -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    env = os.environ
    if "BOTYARD_AGENT_PORT" in env:
        limit = botyard_gateway.Limit(int(env["BOTYARD_MESSAGES_BUSY"]), int(env["BOTYARD_MESSAGES_WAITING"]))
        loop = botyard_gateway.Loop(limit, asyncio.get_running_loop().call_soon_threadsafe, lambda: here)
        listening = botyard_gateway.socket.create_server(("", int(env["BOTYARD_AGENT_PORT"])))
        threading.Thread(target=loop.watch, daemon=True).start()
        threading.Thread(target=botyard_gateway.serve, args=(limit, listening), daemon=True).start()
    server = await asyncio.start_server(answer, "0.0.0.0", PORT, backlog=1000)  # noqa: S104 - in its own pod
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
