"""A run in Markdown, as GitHub shows it on a workflow's page: how it ended, its plays, its checks, what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_MOST_FAILURES = 20
_LONGEST = 1500


def markdown(report: Mapping[str, Any]) -> str:
    """Takes what report.json holds."""
    bad = [task for task in report["tasks"] if task["status"] in ("failed", "interrupted", "running")]
    verdict = "passed" if report["exit_code"] == 0 else "failed"
    lines = [f"## botyard: {verdict} in {_duration(report['duration_s'])}", ""]
    lines += ["| play | ok | changed | failed | skipped | seconds |", "| --- | --: | --: | --: | --: | --: |"]
    for play in report["plays"]:
        counts = " | ".join(str(play[key]) for key in ("ok", "changed", "failed", "skipped"))
        lines.append(f"| {_cell(play['name'])} | {counts} | {play['duration_s']:.1f} |")
    checks = [check for task in report["tasks"] for check in _checks(task)]
    if checks:
        good = sum(check["outcome"] == "passed" for check in checks)
        slow = max(checks, key=lambda check: float(check["seconds"]))
        slowest = f"the slowest `{slow['name']}`, {slow['seconds']:.1f} s"
        lines += ["", f"**{good} of {len(checks)} checks passed**; {slowest}"]
    for task in bad[:_MOST_FAILURES]:
        lines += ["", f"### {_cell(task['name'])}: {task['status']}", "", *_block(task["msg"] or "no reason given")]
        if task["cure"]:
            lines += ["", f"Cure: {_cell(task['cure'])}"]
        for check in _checks(task):
            if check["outcome"] not in ("passed", "skipped"):
                lines += ["", f"`{check['name']}`", "", *_block(check["why"] or "no reason given")]
    return "\n".join([*lines, ""])


def _checks(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those of a test suite; what looks over the machine has checks of another kind."""
    return [check for check in task["data"].get("checks", []) if "outcome" in check]


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _cell(text: str) -> str:
    """On one line, and nothing of it is Markdown or HTML."""
    flat = " ".join(text.split())
    return flat.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")


def _block(text: str) -> Sequence[str]:
    """As it stands: indented, so that no fence within can end it."""
    kept = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n..."
    return [f"    {line}" for line in kept.splitlines()]
