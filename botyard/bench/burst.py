"""A burst of messages from inside the cluster, each by a connection of its own; prints what came of it as JSON.

Usage: python burst.py HOST PORT COUNT SPREAD_S MESSAGE
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

PATIENCE_S = 120


async def burst(host: str, port: int, count: int, spread_s: float, message: bytes) -> dict[str, object]:
    """Sends them evenly over so many seconds; a wait begins when its message was due."""
    began = time.monotonic() + 0.2

    async def one(number: int) -> tuple[float, float] | None:
        due = began + number * spread_s / count
        await asyncio.sleep(due - time.monotonic())
        try:
            reader, writer = await asyncio.open_connection(host, port)
            head = f"POST /webhooks/rest/webhook HTTP/1.1\r\nHost: bot\r\nContent-Length: {len(message)}\r\n"
            writer.write(head.encode() + b"Connection: close\r\n\r\n" + message)
            reply = await asyncio.wait_for(reader.read(), PATIENCE_S)
            writer.close()
        except (TimeoutError, OSError):
            return None
        ended = time.monotonic()
        return (ended - due, ended - began) if reply.startswith(b"HTTP/1.1 200 ") else None

    found = await asyncio.gather(*(one(number) for number in range(count)))
    good = [both for both in found if both]
    return {
        "lost": count - len(good),
        "waits_s": sorted(round(wait, 4) for wait, _ in good),
        "makespan_s": round(max((end for _, end in good), default=0.0), 4),
    }


if __name__ == "__main__":
    place, at, how_many, over_s, what = sys.argv[1:]
    print("burst:" + json.dumps(asyncio.run(burst(place, int(at), int(how_many), float(over_s), what.encode()))))
