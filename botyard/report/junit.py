"""JUnit XML: a suite for each play, a case for each task; as Jenkins' schema (junit-10.xsd) has it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from botyard.report.records import PlayRecord, RunReport, TaskRecord

_ENDED = ("interrupted", "running")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: RunReport) -> str:
    """The report as JUnit XML: ignored and rescued failures count as passed, what was interrupted as an error."""
    suites: list[tuple[PlayRecord, list[TaskRecord]]] = [(play, []) for play in report.plays]
    for task in report.tasks:
        # A playbook may be imported twice: the task is of the last play of that name that had begun by then.
        own = [tasks for play, tasks in suites if _is_of(task, play)]
        own[-1].append(task)
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f"<testsuites {_head('botyard', report.tasks, report)}>"]
    for play, tasks in suites:
        began = datetime.fromisoformat(report.started_at) + timedelta(seconds=int(play.started_s))
        more = f'skipped="{_count(tasks, "skipped")}" timestamp="{began.isoformat()}" hostname="localhost"'
        lines.append(f"  <testsuite {_head(play.name, tasks, play)} {more}>")
        for task in tasks:
            lines += _case(task)
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _is_of(task: TaskRecord, play: PlayRecord) -> bool:
    same = (task.play, task.playbook, task.lane) == (play.name, play.playbook, play.lane)
    return same and play.started_s <= task.started_s


def _count(tasks: Sequence[TaskRecord], *statuses: str) -> int:
    return sum(task.status in statuses for task in tasks)


def _head(name: str, tasks: Sequence[TaskRecord], whole: PlayRecord | RunReport) -> str:
    counts = f'tests="{len(tasks)}" failures="{_count(tasks, "failed")}" errors="{_count(tasks, *_ENDED)}"'
    return f'name={_attr(name)} {counts} time="{whole.duration_s:.3f}"'


def _case(task: TaskRecord) -> list[str]:
    case = f'    <testcase classname={_attr(task.playbook)} name={_attr(task.name)} time="{task.duration_s:.3f}"'
    body = "\n".join(part for part in (task.msg, task.cure, task.where) if part)
    if task.status == "failed" or task.status in _ENDED:
        word = "failure" if task.status == "failed" else "error"
        inner = f"<{word} type={_attr(task.module)} message={_attr(task.msg[:500])}>{_text(body)}</{word}>"
    elif task.status == "skipped":
        inner = "<skipped/>"
    elif task.msg:
        inner = f"<system-out>{_text(task.msg)}</system-out>"
    else:
        return [f"{case}/>"]
    return [f"{case}>", f"      {inner}", "    </testcase>"]


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("?", value))


def _attr(value: str) -> str:
    return quoteattr(_NOT_XML.sub("?", value))
