"""JUnit XML: a suite for each play, a case for each task."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from botyard.playbook.report import PlayRecord, RunReport, TaskRecord

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: RunReport) -> str:
    """The report as JUnit XML; ignored and rescued failures count as passed."""
    plays = report.plays
    failed = sum(play.failed for play in plays)
    head = f'tests="{len(report.tasks)}" failures="{failed}" time="{report.duration_s:.3f}"'
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f'<testsuites name="botyard" {head}>']
    for play in plays:
        lines += _suite(play, [t for t in report.tasks if (t.play, t.playbook, t.lane) == _key(play)])
    return "\n".join([*lines, "</testsuites>", ""])


def _key(play: PlayRecord) -> tuple[str, str, str]:
    return (play.name, play.playbook, play.lane)


def _suite(play: PlayRecord, tasks: list[TaskRecord]) -> list[str]:
    counts = f'tests="{len(tasks)}" failures="{play.failed}" skipped="{play.skipped}" errors="0"'
    lines = [f'  <testsuite name={_attr(play.name)} {counts} time="{play.duration_s:.3f}">']
    for task in tasks:
        case = f'    <testcase classname={_attr(task.playbook)} name={_attr(task.name)} time="{task.duration_s:.3f}"'
        inner: list[str] = []
        if task.status in ("failed", "interrupted"):
            body = "\n".join(part for part in (task.msg, task.cure, task.where) if part)
            inner.append(f"      <failure message={_attr(task.msg[:500])}>{_text(body)}</failure>")
        elif task.status == "skipped":
            inner.append("      <skipped/>")
        elif task.msg:
            inner.append(f"      <system-out>{_text(task.msg)}</system-out>")
        lines += [f"{case}>", *inner, "    </testcase>"] if inner else [f"{case}/>"]
    return [*lines, "  </testsuite>"]


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("?", value))


def _attr(value: str) -> str:
    return quoteattr(_NOT_XML.sub("?", value))
