"""A strict door to child processes: a command that a test does not expect fails that test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from botyard.contracts import CommandError
from botyard.process import Completed


@dataclass
class Door:
    """Commands that may run, by how they begin, with what they answer; ``calls`` has those that ran."""

    answers: list[tuple[tuple[str, ...], str, int, Callable[[list[str]], None] | None]] = field(default_factory=list)
    calls: list[list[str]] = field(default_factory=list)

    def expect(
        self, *begins: str, stdout: str = "", code: int = 0, does: Callable[[list[str]], None] | None = None
    ) -> None:
        self.answers.append((begins, stdout, code, does))

    def run(self, argv: Any, *, check: bool = True, on_line: Any = None, **_: Any) -> Completed:
        words = [str(word) for word in argv]
        self.calls.append(words)
        for begins, stdout, code, does in self.answers:
            if words[: len(begins)] == list(begins):
                if does is not None:
                    does(words)
                for line in stdout.splitlines() if on_line else []:
                    on_line(line)
                if check and code:
                    raise CommandError(words, code, stdout, "")
                return Completed(words, code, stdout, "", 0.0)
        pytest.fail(f"unexpected command: {words}")
