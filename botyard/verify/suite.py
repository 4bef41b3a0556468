"""Runs the e2e suite as a child process and reads its verdict."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botyard.process import run

MARKER = "botyard-check:"  # begins each line of the child that is meant for us
NOTHING_COLLECTED = 5  # pytest's own exit code


@dataclass
class Verdict:
    """What a run of the suite came to."""

    collected: int = 0
    seconds: float = 0.0
    exit_code: int = 0
    failures: list[str] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)  # name, outcome, seconds, why; in the order they ended
    summary_lines: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.checks)

    @property
    def passed(self) -> int:
        return self._ended_as("passed")

    @property
    def skipped(self) -> int:
        return self._ended_as("skipped")

    @property
    def failed(self) -> int:
        return self.total - self.passed - self.skipped

    def _ended_as(self, outcome: str) -> int:
        return sum(check["outcome"] == outcome for check in self.checks)

    @property
    def good(self) -> bool:
        """Every check that ran passed, and at least one ran."""
        return self.exit_code == 0 and not self.failed and self.passed > 0

    def line(self) -> str:
        """One line for a person."""
        parts = [f"{self.passed} passed"]
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"{self.skipped} skipped"] if self.skipped else []
        return f"{', '.join(parts)} in {self.seconds:.1f} s"

    def data(self) -> dict[str, Any]:
        """What a playbook may read."""
        return {
            "passed": self.passed,
            "failed_checks": self.failed,  # failed and skipped alone are flags of the task
            "skipped_checks": self.skipped,
            "total": self.total,
            "seconds": round(self.seconds, 1),
            "summary_lines": self.summary_lines,
            "failures": self.failures,
            "checks": self.checks,
        }


class Reader:
    """Takes the child's lines one by one: counts the checks and tells ``progress`` about each."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self.verdict = Verdict()
        self._progress = progress

    def line(self, text: str) -> None:
        """One line of the child's stdout or stderr."""
        if not text.startswith(MARKER):
            self._own_line(text)
            return
        told = json.loads(text[len(MARKER) :])
        if "collected" in told:
            self.verdict.collected = int(told["collected"])
            return
        outcome, name = told["outcome"], told["name"]
        self.verdict.checks.append({key: told[key] for key in ("name", "outcome", "seconds", "why")})
        if outcome not in ("passed", "skipped"):
            self.verdict.failures.append(f"{name}: {told['why'] or 'no reason given'}")
        count = f"{self.verdict.total}/{self.verdict.collected}" if self.verdict.collected else str(self.verdict.total)
        reason = f": {(told['why'] or '').splitlines()[0]}" if told["why"] else ""
        self._progress(f"[{count}] {outcome} {name} ({told['seconds']:.1f} s){reason}")

    def _own_line(self, text: str) -> None:
        closing = text.startswith("=") and text.endswith("=") and " in " in text
        if closing or text.startswith(("FAILED ", "ERROR ", "SKIPPED ")):
            self.verdict.summary_lines.append(text)


def arguments(path: Path, marks: str, extra: Sequence[str], junit: Path | None) -> list[str]:
    """The child's command line; ``junit`` None means: only collect, run nothing."""
    argv = [sys.executable, "-m", "pytest", str(path), "-m", marks, "-p", "botyard.verify.check_progress"]
    argv += ["-p", "no:cacheprovider", "--color=no", "--tb=short", "-ra"]
    argv += ["--collect-only", "-q"] if junit is None else [f"--junit-xml={junit}"]
    return [*argv, *extra]


def run_suite(
    path: Path,
    marks: str,
    *,
    root: Path,
    env: Mapping[str, str],
    junit: Path | None,
    progress: Callable[[str], None],
    extra: Sequence[str] = (),
    timeout_s: float = 1800,
) -> tuple[Verdict, str]:
    """Runs the checks of ``path`` that carry ``marks``.

    Args:
        junit: where the JUnit file goes; None only collects.
        env: added to the child's environment.
        timeout_s: seconds until the child is ended with its children.

    Returns:
        The verdict, and all that the child printed to stdout (for a log).
    """
    reader = Reader(progress)
    # -B: a check must not leave bytecode in the checkout.
    child_env = {**env, "COLUMNS": "120", "PYTHONDONTWRITEBYTECODE": "1"}
    done = run(
        arguments(path, marks, extra, junit),
        env=child_env,
        cwd=root,
        timeout_s=timeout_s,
        check=False,
        on_line=reader.line,
    )
    verdict = reader.verdict
    verdict.exit_code, verdict.seconds = done.returncode, done.duration_s
    if done.returncode not in (0, NOTHING_COLLECTED) and not verdict.failures:
        kept = [line for line in f"{done.stderr}\n{done.stdout}".splitlines() if line and not line.startswith(MARKER)]
        verdict.failures.append(_why_ended(kept) or f"pytest ended with exit code {done.returncode}: {kept[-8:]}")
    return verdict, done.stdout


def _why_ended(lines: list[str]) -> str:
    """What ``pytest.exit`` was told, from where pytest prints it between exclamation marks."""
    for number, line in enumerate(lines):
        if line.startswith("!") and "Exit: " in line:
            told = [line.partition("Exit: ")[2]]
            for more in lines[number + 1 :]:
                if told[-1].endswith("!"):
                    break
                told.append(more)
            return "\n".join(part.rstrip("! ") for part in told)
    return ""
