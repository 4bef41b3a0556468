"""A page in a real Chromium: Playwright's own, or the machine's (Debian: apt-get install chromium)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        pytest.skip("Playwright is not installed: pip install -e '.[browser]'")
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        found = own if Path(own).is_file() else shutil.which("chromium")
        if found is None:
            pytest.skip("there is no Chromium: apt-get install chromium, or playwright install chromium")
        running = playwright.chromium.launch(executable_path=found)
        yield running
        running.close()
