"""A pytest plugin for the child that runs the checks: tells its parent about each finished check, as it finishes.

Loaded by ``-p botyard.verify.check_progress``. Lines go to the stderr that the child was started with, past
pytest's capture: ``botyard-check: {json}``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator
from typing import Any, TextIO

import pytest

from botyard.verify.suite import MARKER

FIRST_LINES = 6
_OUR_ERROR = re.compile(r"^botyard(\.\w+)+: ")  # its message is a sentence; the class before it tells a user nothing


class Reporter:
    """Turns pytest's three reports of a test (setup, call, teardown) into one line."""

    def __init__(self, sink: TextIO) -> None:
        self.sink = sink
        self.seconds: dict[str, float] = {}
        self.worst: dict[str, dict[str, Any]] = {}
        self.notes: dict[str, str] = {}  # what a passed check printed first: its figures

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._tell({"collected": len(session.items)})

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._tell(
                {
                    "name": report.nodeid or "collection",
                    "outcome": "failed",
                    "seconds": 0.0,
                    "why": _end(str(report.longrepr)),
                }
            )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        key = report.nodeid
        self.seconds[key] = self.seconds.get(key, 0.0) + report.duration
        if report.failed or (report.skipped and key not in self.worst):
            self.worst[key] = {"outcome": report.outcome, "why": why(report)}
        if report.when == "call" and report.passed and report.capstdout.strip():
            self.notes[key] = report.capstdout.strip().splitlines()[0]
        if report.when == "teardown":
            found = self.worst.pop(key, {"outcome": "passed", "why": self.notes.pop(key, "")})
            self._tell(
                {
                    "name": key.rsplit("::", 1)[-1],
                    "file": key.split("::", 1)[0],
                    "seconds": round(self.seconds.pop(key), 2),
                    **found,
                }
            )

    def _tell(self, what: dict[str, Any]) -> None:
        self.sink.write(f"{MARKER} {json.dumps(what, ensure_ascii=False)}\n")
        self.sink.flush()


def why(report: pytest.TestReport) -> str:
    """The first lines of what went wrong, '' where nothing did."""
    if isinstance(report.longrepr, tuple):  # a skip: file, line, reason
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message) if crash is not None else str(report.longrepr or "")
    text = _OUR_ERROR.sub("", text)
    where = f" ({report.when})" if report.when != "call" else ""
    return "\n".join(text.splitlines()[:FIRST_LINES]) + where


def _end(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-FIRST_LINES:])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Keeps a copy of stderr; a wrapper, as pytest's capture is one and would otherwise have begun already."""
    sink = os.fdopen(os.dup(2), "w", encoding="utf-8")
    early_config.pluginmanager.register(Reporter(sink), "botyard-reporter")
    return (yield)
