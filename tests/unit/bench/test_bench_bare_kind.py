"""The bare cluster that the main job is held against: nothing of an earlier one is left in its way."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from botyard.bench import e2e
from botyard.commands.session import Flags, paths_for, read_target
from botyard.process import Completed
from botyard.wait import wait_until


def test_a_removal_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    left = ["leftover"]
    calls: list[str] = []
    refusals = iter([1, 0, 0])

    def run(argv: Any, **_: Any) -> Completed:
        calls.append(argv[1])
        code = 0
        if argv[1] == "delete":
            code = next(refusals)
            left[:] = left if code else []
        else:
            assert not left
            left.append("made")
        return Completed([], code, "", "device or resource busy", 26.0)

    monkeypatch.setattr(e2e, "run_process", run)
    monkeypatch.setattr(e2e, "tool", lambda paths, name: Path("/kind"))
    monkeypatch.setattr(e2e, "wait_until", functools.partial(wait_until, sleep=lambda seconds: None))
    target = read_target(Flags())
    assert e2e._bare_kind(target, paths_for(target.cluster), "image") == 26.0
    assert (calls, left) == (["delete", "delete", "create", "delete"], [])
