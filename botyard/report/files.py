"""What a run leaves in its folder: events as JSON lines, the whole as JSON, JUnit and a page, tracebacks."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from botyard.report.records import PAGE, ItemRecord, Listener, PlayRecord, RunReport, TaskRecord, plain


class Files(Listener):
    """Writes ``events.jsonl`` line by line (so a killed run leaves what it did), the rest at the end."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._events = (folder / "events.jsonl").open("a", encoding="utf-8", buffering=1)
        self._faults = 0

    def _event(self, kind: str, **what: Any) -> None:
        line = {"at": round(time.time(), 3), "event": kind, **what}
        self._events.write(json.dumps(line, ensure_ascii=False, default=plain) + "\n")

    def play_started(self, play: PlayRecord) -> None:
        self._event("play_started", play=play.name, playbook=play.playbook, lane=play.lane)

    def task_started(self, task: TaskRecord) -> None:
        self._event(
            "task_started", task=task.name, module=task.module, play=task.play, where=task.where, lane=task.lane
        )

    def progress(self, task: TaskRecord, line: str) -> None:
        self._event("progress", task=task.name, lane=task.lane, line=line)

    def item_done(self, task: TaskRecord, item: ItemRecord) -> None:
        self._event("item_done", task=task.name, lane=task.lane, item=item.label, status=item.status, msg=item.msg)

    def task_done(self, task: TaskRecord) -> None:
        self._event("task_done", **vars(task))
        if task.traceback:
            self._faults += 1
            text = f"{task.where} {task.name} ({task.module})\n\n{task.traceback}"
            (self._folder / f"traceback-{self._faults}.txt").write_text(text, encoding="utf-8")

    def finished(self, report: RunReport) -> None:
        self._event("finished", exit_code=report.exit_code, duration_s=report.duration_s, counts=report.counts())
        _write(self._folder / "report.json", json.dumps(report.as_json(), ensure_ascii=False, default=plain))
        # Only at the end: they take some milliseconds to load, and no task should wait for that.
        from botyard.report.junit import junit
        from botyard.report.page import page

        _write(self._folder / "junit.xml", junit(report))
        _write(self._folder / PAGE, page(report))

    def close(self) -> None:
        self._events.close()


def _write(file: Path, text: str) -> None:
    half = file.with_name(file.name + ".new")
    half.write_text(text, encoding="utf-8")
    os.replace(half, file)  # noqa: PTH105 - the atomic rename, as everywhere here
