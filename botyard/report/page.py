"""The run as one HTML page that needs no network and no other file."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined, Template

from botyard.report.plain import diff_lines, failure_lines, first_line
from botyard.report.records import RunReport, Status, TaskRecord

_MAX_CHARS = 40_000  # of one text; report.json has all of it
_SHOWN_APART = ("msg", "stdout", "stderr", "stdout_lines", "stderr_lines", "checks", "summary_lines")
_STATUSES: tuple[Status, ...] = (
    "failed", "interrupted", "running", "rescued", "ignored", "changed", "ok", "skipped",
)  # fmt: skip
_VERDICTS = {0: "Done", 1: "Failed", 2: "Refused", 130: "Interrupted"}


def page(report: RunReport) -> str:
    """The whole page as text."""
    tasks = list(enumerate(report.tasks))
    rows = {
        (play.playbook, play.lane): [(n, t) for n, t in tasks if (t.playbook, t.lane) == (play.playbook, play.lane)]
        for play in report.plays
    }
    return _template().render(
        report=report,
        verdict=_VERDICTS.get(report.exit_code, f"Exit code {report.exit_code}"),
        rows=rows,
        statuses={s: n for s in _STATUSES if (n := sum(task.status == s for task in report.tasks))},
        failure_lines=failure_lines,
        bad=[(n, task) for n, task in tasks if task.status in ("failed", "interrupted", "running")],
        slowest=sorted(tasks, key=lambda pair: -pair[1].duration_s)[:5],
        details=[_details(task) for task in report.tasks],
    )


@functools.cache
def _template() -> Template:
    here = Path(__file__).parent
    # Compiling the page takes 20 ms at the end of every run, so what comes of it is kept where Python keeps its own.
    kept = here / "__pycache__"
    cache = FileSystemBytecodeCache(str(kept)) if os.access(kept, os.W_OK) else None
    environment = Environment(
        loader=FileSystemLoader(here),
        bytecode_cache=cache,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["first_line"] = first_line
    return environment.get_template("report.html.j2")


def _details(task: TaskRecord) -> dict[str, Any]:
    """What a reader sees of a task once it is opened."""
    data = task.data if isinstance(task.data, dict) else {}
    results = data.get("results") if task.items else None
    rounds = results if isinstance(results, list) else []
    items = [
        {"label": item.label, "status": item.status, "diff": _diff(item.diff)}
        | _texts(rounds[n] if n < len(rounds) else {}, item.msg)
        for n, item in enumerate(task.items)
    ]
    left = {key: value for key, value in data.items() if not items or key != "results"}
    checks = data.get("checks")
    return {
        "cure": task.cure,
        "warnings": task.warnings,
        "items": items,
        "checks": checks if isinstance(checks, list) else [],
        "diff": _diff(task.diff),
        "traceback": _short(task.traceback),
        **_texts(left, task.msg),
    }


def _texts(data: Any, msg: str) -> dict[str, str]:
    """Message, output and the rest of what one round registered."""
    data = data if isinstance(data, dict) else {}
    left = {key: value for key, value in data.items() if key not in _SHOWN_APART}
    return {
        "msg": _short(msg),
        "stdout": _short(str(data.get("stdout") or "")),
        "stderr": _short(str(data.get("stderr") or "")),
        # The browser indents it, once somebody looks: json does that in Python, slowly.
        "data": _short(json.dumps(left, ensure_ascii=False, default=str)) if left else "",
    }


def _diff(diffs: Iterable[Any]) -> str:
    return _short("\n".join(diff_lines(list(diffs))))


def _short(text: str) -> str:
    """The start and the end of a long text."""
    if len(text) <= _MAX_CHARS:
        return text
    half = _MAX_CHARS // 2
    return f"{text[:half]}\n\n... {len(text) - 2 * half} characters left out, see report.json ...\n\n{text[-half:]}"
