"""Lets Rasa 3.6.21 run on Python 3.11. Loaded by botyard_rasa.pth whenever Python starts in this image."""

import asyncio

_wait = asyncio.wait


async def _wait_also_for_coroutines(fs, **options):
    """As asyncio.wait of Python 3.10: coroutines are made tasks first (Sanic 21.12's websocket code hands them in)."""
    return await _wait({asyncio.ensure_future(f) for f in fs}, **options)


asyncio.wait = _wait_also_for_coroutines
asyncio.tasks.wait = _wait_also_for_coroutines
