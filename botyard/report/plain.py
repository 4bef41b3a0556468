"""Lines for logs and pipes, as Ansible prints them; and the recap that every console ends with."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from botyard.contracts import Diff, shown
from botyard.report.records import PAGE, ItemRecord, Listener, PlayRecord, RunReport, Status, TaskRecord

_WIDTH = 79
_NAME_WIDTH = 40  # of a play in the recap
_MAX_ROUNDS = 5  # of a loop, whose output is shown
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_WORDS: dict[Status, str] = {
    "ok": "ok",
    "changed": "changed",
    "skipped": "skipping",
    "failed": "fatal",
    "ignored": "fatal",
    "rescued": "fatal",
    "interrupted": "interrupted",
}


class Plain(Listener):
    """Writes lines; while playbooks run side by side each line starts with its playbook's name."""

    def __init__(
        self, write: Callable[[str], Any] | None = None, *, show_diff: bool = False, debug: bool = False
    ) -> None:
        self._out = write or (lambda text: print(text, flush=True))
        self._show_diff = show_diff
        self._debug = debug

    def _write(self, text: str) -> None:
        self._out(harmless(text))

    def _say(self, lane: str, text: str) -> None:
        for line in text.splitlines() or [""]:
            self._write(f"{lane} | {line}" if lane else line)

    def play_started(self, play: PlayRecord) -> None:
        if not play.lane:
            self._write("")
        self._say(play.lane, _starred(f"PLAY [{play.name}]"))

    def task_started(self, task: TaskRecord) -> None:
        if not task.lane:
            self._write("")
        self._say(task.lane, _starred(f"{'RUNNING HANDLER' if task.handler else 'TASK'} [{task.name}]"))

    def progress(self, task: TaskRecord, line: str) -> None:
        self._say(task.lane, f"    {task.name}: {line}")

    def item_done(self, task: TaskRecord, item: ItemRecord) -> None:
        word = "failed" if item.status == "failed" else _WORDS[item.status]
        self._say(task.lane, f"{word}: [localhost] => (item={item.label}){_after(item.msg)}")
        self._diffs(task, item.diff)

    def task_done(self, task: TaskRecord) -> None:
        seconds = f" ({task.duration_s:.1f} s)" if task.duration_s >= 0.1 else ""
        name = f" {task.name}" if task.lane else ""
        if task.status in ("failed", "ignored", "rescued"):
            self._say(task.lane, f"fatal: [localhost]: FAILED!{name}{seconds} => {first_line(task.msg)}")
            for line in failure_lines(task, debug=self._debug):
                self._say(task.lane, f"    {line}")
            if task.status == "ignored":
                self._say(task.lane, "...ignoring")
        elif not task.items or task.status == "interrupted":
            msg = "" if task.status == "interrupted" else _after(task.msg)
            self._say(task.lane, f"{_WORDS[task.status]}: [localhost]{name}{seconds}{msg}")
        elif seconds:
            self._say(task.lane, f"    {task.name}: {len(task.items)} items{seconds}")
        for line in task.warnings:
            self._say(task.lane, f"[WARNING]: {line}")
        self._diffs(task, task.diff)

    def _diffs(self, task: TaskRecord, diffs: list[Diff]) -> None:
        if self._show_diff:
            for line in diff_lines(diffs):
                self._say(task.lane, line)

    def finished(self, report: RunReport) -> None:
        for line in recap(report):
            self._write(line)


def harmless(text: str) -> str:
    """``text`` without colours, and with the signs that steer a terminal written out: it may come from anywhere."""
    return _STEERING.sub(lambda found: repr(found[0])[1:-1], _COLOURS.sub("", text))


def _starred(head: str) -> str:
    return f"{head} {'*' * max(3, _WIDTH - cells(head))}"


def _after(msg: str) -> str:
    return " => " + msg.replace("\n", "\n    ") if msg else ""


def first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def failure_lines(task: TaskRecord, *, debug: bool) -> Iterator[str]:
    """What stands below the first line of a failed task."""
    yield from task.msg.splitlines()[1:]
    data = task.data if isinstance(task.data, dict) else {}
    rounds = [("", data)]
    if task.items:
        pairs = zip(task.items, data.get("results") or [], strict=False)
        rounds = [(f"{first_line(item.label)}: ", one) for item, one in pairs if item.status == "failed"]
    for label, one in rounds[:_MAX_ROUNDS]:
        for stream in ("stdout", "stderr"):
            text = str(one.get(stream) or "").strip()
            if text and text not in task.msg:
                first, *others = text.splitlines()[-15:]
                yield f"{label}{stream}: {first}"
                yield from (f"        {line}" for line in others)
    if task.cure:
        yield f"cure: {task.cure}"
    yield f"at {task.where} ({task.module})"
    if debug and task.traceback:
        yield from task.traceback.splitlines()


def cells(text: str) -> int:
    """How many columns of a terminal it takes: Chinese signs take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def fitted(text: str, width: int) -> str:
    """``text`` in exactly ``width`` columns."""
    if cells(text) > width:
        while cells(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - cells(text))


def diff_lines(diffs: list[Diff]) -> Iterator[str]:
    for diff in diffs:
        before, after = diff.before.splitlines(), diff.after.splitlines()
        yield from difflib.unified_diff(
            before, after, f"before: {diff.header}", f"after: {diff.header}", lineterm="", n=3
        )


def recap(report: RunReport) -> Iterator[str]:
    """Counts, seconds per play, the slowest tasks, what modules want said, and how to go on."""
    yield ""
    yield _starred("PLAY RECAP" + (" (check mode: nothing was changed)" if report.check else ""))
    counts = "    ".join(f"{name}={count}" for name, count in report.counts().items())
    yield f"{'localhost':<26} : {counts}"
    if report.plays:
        yield ""
        width = max(12, *(min(cells(p.name), _NAME_WIDTH) for p in report.plays))
        yield f"{'play':<{width}}  {'ok':>4} {'changed':>7} {'failed':>6} {'skipped':>7} {'seconds':>8}"
        rows: list[tuple[str, PlayRecord | RunReport]] = [(p.name, p) for p in report.plays]
        for name, p in [*rows, ("all", report)]:
            yield f"{fitted(name, width)}  {p.ok:>4} {p.changed:>7} {p.failed:>6} {p.skipped:>7} {p.duration_s:>8.1f}"
    elif not report.exit_code:
        yield "no task ran: --list-tasks tells which there are for these tags"
    slow = [task for task in report.slowest() if task.duration_s >= 0.05]
    if slow:
        yield ""
        yield "slowest tasks"
        yield from (f"{task.duration_s:>8.1f} s  {task.playbook}: {task.name}" for task in slow)
    lines = [line for task in report.tasks for line in task.summary_lines]
    if lines:
        yield ""
        yield from lines
    yield from ending(report)


def _told(message: str) -> str:
    """The first line, and the next one where that only announces it."""
    first = first_line(message)
    after = [line.strip() for line in message.splitlines()[1:] if line.strip()]
    return f"{first} {after[0]}" if first.endswith(":") and after else first


def ending(report: RunReport) -> Iterator[str]:
    """The last lines: what failed, where the report lies, how to go on."""
    bad = [task for task in report.tasks if task.status in ("failed", "interrupted")]
    if bad or report.exit_code:
        yield ""
    for task in bad:
        word = "failed" if task.status == "failed" else "interrupted in"
        yield f"{word}: {task.playbook}: {task.name}: {_told(task.msg)}".removesuffix(": interrupted")
        if task.cure:
            yield f"  cure: {task.cure}"
    if report.not_run:
        names = ", ".join(dict.fromkeys(report.not_run))
        yield f"notified, but not run for the failure: {names} (force_handlers: true in the play runs them even then)"
    if report.exit_code and report.go_on:
        yield f"go on with the same command (what is done is quick the second time): {report.go_on}"
    if report.run_dir is not None:
        yield f"report: {shown(report.run_dir / PAGE)}"
