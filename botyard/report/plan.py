"""A run of --check --diff as a comment on a pull request: what would change, and how."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botyard.report.markdown import markdown

MARKER = "<!-- botyard: plan -->"  # by which the comment is found again
_LONGEST = 60_000  # GitHub takes 65,536 characters
_FENCES = re.compile(r"`+")


def plan(report: Mapping[str, Any]) -> str:
    """Takes what report.json holds; secrets are hidden in it already."""
    changed = [task for task in report["tasks"] if task["changed"] and task["status"] == "changed"]
    failed = report["exit_code"] != 0
    if failed:
        verdict = "this could not be deployed"
    elif changed:
        verdict = f"{len(changed)} task{'s' if len(changed) > 1 else ''} would change something"
    else:
        verdict = "nothing would change"
    head = [MARKER, f"## Plan: {verdict}", "", "Nothing was changed: `--check --diff`."]
    told = [_flat(line) for task in report["tasks"] for line in task.get("summary_lines") or []]
    parts = ["\n".join(head), *told, *([markdown(report)] if failed else []), *(_task(task) for task in changed)]
    for task in report["tasks"]:
        parts += [f"**Warning**, {_flat(task['name'])}: {_flat(text)}" for text in task["warnings"]]
    return _cut(parts)


def _task(task: Mapping[str, Any]) -> str:
    said = f": {_flat(task['msg'])}" if task["msg"] else ""
    diffs = [*task["diff"], *(one for item in task["items"] for one in item["diff"])]
    lines = [line for one in diffs for line in _diff(one)]
    if not lines:
        return f"- **{_flat(task['name'])}**{said}"
    body = "\n".join(lines)
    fence = "`" * max(3, 1 + max((len(run) for run in _FENCES.findall(body)), default=0))
    return (
        f"<details><summary><b>{_flat(task['name'])}</b>{said}</summary>\n\n{fence}diff\n{body}\n{fence}\n\n</details>"
    )


def _diff(one: Mapping[str, str]) -> Iterator[str]:
    before, after = one["before"].splitlines(), one["after"].splitlines()
    header = one["header"]
    return difflib.unified_diff(before, after, f"before: {header}", f"after: {header}", lineterm="")


def _flat(text: str) -> str:
    """On one line, and nothing of it is Markdown, HTML or somebody's name."""
    flat = " ".join(text.split())
    for mark, instead in (("&", "&amp;"), ("<", "&lt;"), ("`", "'"), ("@", "@\u200b"), ("*", "\\*"), ("[", "\\[")):
        flat = flat.replace(mark, instead)
    return flat


def _cut(parts: Sequence[str]) -> str:
    """Whole parts, as many as fit: one that is cut would leave a fence open."""
    kept: list[str] = []
    left = _LONGEST
    for number, part in enumerate(parts):
        left -= len(part) + 2
        if left < 0:
            kept.append(f"{len(parts) - number} more do not fit here: see the log of the workflow's run.")
            break
        kept.append(part)
    return "\n\n".join([*kept, ""])
