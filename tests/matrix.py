"""The idempotence matrix: one stage (create, modify or delete) of a task, four times."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Protocol

World = Mapping[str, str]


class Ran(Protocol):
    """What a run of one task came to."""

    status: str
    exit_code: int
    out: str


def one_task(text: str) -> str:
    """YAML of a task as an entry of a list."""
    return "- " + textwrap.indent(text.strip(), "  ").lstrip()


def four_times(
    what: str, play: Callable[[bool], Ran], world: Callable[[], World], at_rest: Callable[[], World] | None = None
) -> None:
    """In check mode: changed, nothing written. Then: changed. In check mode: ok, nothing written. Again: ok.

    Args:
        play: runs the task, in check mode or for real.
        world: all that the task could write to.
        at_rest: the same, once nothing in it moves by itself.
    """
    for wanted in ("changed", "ok"):
        before = (at_rest or world)()
        for check in (True, False):
            ran = play(check)
            case = f"{what}, {'check mode' if check else 'for real'}: {ran.status} instead of {wanted}"
            assert (ran.status, ran.exit_code) == (wanted, 0), f"{case}\n{ran.out}"
            if check or wanted == "ok":
                now = world()
                assert now == before, f"{what}, {'check mode' if check else 'again'}: wrote\n{difference(before, now)}"
        if wanted == "changed":
            assert world() != before, f"{what}: changed nothing that can be seen"


def difference(before: World, after: World) -> str:
    """What is new, gone or other, one a line."""
    lines = []
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            lines.append(f"{key}: {before.get(key, 'not there')} -> {after.get(key, 'gone')}")
    return "\n".join(lines)
