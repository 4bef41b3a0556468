"""Runs loaded playbooks: plays in order, blocks with rescue and always, neighbours side by side in threads."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Sequence
from dataclasses import replace

from botyard import process
from botyard.contracts import EXIT_BAD_INPUT, EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED
from botyard.playbook.lane import At, Handlers, Lane, PlayEnded, Stop, Stopped, magic_vars
from botyard.playbook.model import META, Block, Entries, Imported, Play, Playbook, Task, every_task
from botyard.playbook.options import RunOptions
from botyard.playbook.outcome import TaskFailed
from botyard.playbook.select import Selection
from botyard.playbook.task import TaskRunner
from botyard.playbook.template import Templar
from botyard.report.records import Broadcast, Clock, PlayRecord, RunReport
from botyard.report.redact import Redactor

_QUIET_S = 2  # after Ctrl-C: how long playbooks side by side may go on without any child process


class Runner:
    """Runs playbooks one after another on the same variables."""

    def __init__(
        self,
        options: RunOptions,
        templar: Templar,
        selection: Selection,
        report: RunReport,
        listener: Broadcast,
        redactor: Redactor,
    ) -> None:
        self._options = options
        self._selection = selection
        self._report = report
        self._listener = listener
        self._clock = Clock()
        self._stop = Stop()
        self._lock = threading.Lock()
        self._tasks = TaskRunner(options, templar, listener, redactor, self._clock, report)

    def run(self, books: Sequence[Playbook]) -> None:
        """Runs all; fills the report, its exit code included."""
        lane = Lane("", {}, self._stop)
        try:
            for book in books:
                self._book(book, lane)
            self._report.exit_code = EXIT_DONE
        except TaskFailed as failure:
            changed = not self._report.check and any(task.changed for task in self._report.tasks)
            self._report.exit_code = EXIT_BAD_INPUT if failure.bad_input and not changed else EXIT_FAILED
        except (KeyboardInterrupt, Stopped):
            self._stop.set(interrupted=True)
            process.end_children()
            self._tasks.interrupt_running()
            self._report.exit_code = EXIT_INTERRUPTED
        self._report.duration_s = self._clock.now()

    def _book(self, book: Playbook, lane: Lane) -> None:
        def group(entry: Play | Imported) -> str | None:
            return entry.side_by_side if isinstance(entry, Imported) else None

        for name, entries in itertools.groupby(book.entries, key=group):
            members = list(entries)
            if name is not None and len(members) > 1:
                self._side_by_side([m.playbook for m in members if isinstance(m, Imported)], lane)
                continue
            for entry in members:
                if isinstance(entry, Play):
                    self._play(entry, book, lane)
                else:
                    self._book(entry.playbook, lane)

    def _side_by_side(self, books: Sequence[Playbook], lane: Lane) -> None:
        """Each playbook on a copy of the variables; what they registered is merged back in the order of the file."""
        stop = Stop(lane.stop)
        lanes = [Lane(f"{lane.name}/{b.name}".strip("/"), dict(lane.facts), stop) for b in books]
        faults: list[BaseException] = []

        def work(book: Playbook, own: Lane) -> None:
            try:
                self._book(book, own)
            except TaskFailed as failure:
                own.failures.append(failure)
                stop.set()
                if not stop.interrupted:
                    self._listener.progress(failure.record, "ends here; its neighbours finish the task they are in")
            except Stopped:
                pass
            except BaseException as fault:  # noqa: BLE001 - raised again below, in the thread that waits
                faults.append(fault)
                stop.set()
            finally:
                own.done.set()

        for pair in zip(books, lanes, strict=True):
            threading.Thread(target=work, args=pair, name=pair[1].name, daemon=True).start()
        # Events, as Python 3.11 takes a thread for ended when Ctrl-C interrupts its join (bpo-45274).
        try:
            for own in lanes:
                while not own.done.wait(0.5):
                    pass  # short rounds: a wait without end would hold back Ctrl-C
        except KeyboardInterrupt:
            stop.set(interrupted=True)
            quiet_since_s = self._clock.now()
            while not all(own.done.wait(0.1) for own in lanes) and self._clock.now() < quiet_since_s + _QUIET_S:
                if process.end_children():  # again and again: a lane may just have been starting one
                    quiet_since_s = self._clock.now()
            raise
        before = dict(lane.facts)
        for own in lanes:
            lane.facts.update({k: v for k, v in own.facts.items() if k not in before or before[k] is not v})
        for fault in faults:
            raise fault
        for own in lanes:
            for failure in own.failures:
                raise failure
        if lane.stop.is_set():
            raise Stopped

    def _play(self, play: Play, book: Playbook, lane: Lane) -> None:
        if not any(self._selection.runs(task) for task in every_task(play.tasks)):
            return
        record = PlayRecord(play.name, play.hosts, book.name, lane.name, self._clock.now())
        with self._lock:
            self._report.plays.append(record)
        self._listener.play_started(record)
        layers = [*reversed(play.vars), magic_vars(play, book, self._options)]
        at = At(record, book, layers, lane, Handlers(play.handlers, lambda handler: self._tasks.title(handler, at)))
        try:
            with contextlib.suppress(PlayEnded):
                self._tasks_and_handlers(play, at)
        finally:
            record.duration_s = self._clock.now() - record.started_s

    def _tasks_and_handlers(self, play: Play, at: At) -> None:
        flushes = 2 if self._selection.handlers else 0  # as in Ansible: after tasks, and after post_tasks
        try:
            self._entries(play.tasks, at)
        except TaskFailed:
            if play.force_handlers and flushes:
                self._flush(at)
            with self._lock:
                self._report.not_run += at.handlers.waiting()
            raise
        for _ in range(flushes):
            self._flush(at)

    def _flush(self, at: At) -> None:
        for handler in at.handlers.flush():
            self._task(handler, replace(at, handling=True))

    def _entries(self, entries: Entries, at: At) -> None:
        for entry in entries:
            if isinstance(entry, Block):
                self._block(entry, at)
            elif at.handling or self._selection.runs(entry):
                self._task(entry, at)

    def _task(self, task: Task, at: At) -> None:
        if at.lane.stop.is_set():
            raise Stopped
        outcome = self._tasks.run(task, at)
        for entries, loop_vars in outcome.included:
            self._entries(entries, replace(at, params=(loop_vars, *task.params, *at.params)))
        if task.module == META and outcome.status == "ok":
            if outcome.data["action"] == "flush_handlers":
                self._flush(at)
            elif outcome.data["action"] == "end_play":
                raise PlayEnded

    def _block(self, block: Block, at: At) -> None:
        pending: TaskFailed | None = None
        try:
            self._entries(block.tasks, replace(at, rescued=True) if block.rescue else at)
        except TaskFailed as failure:
            if block.rescue:
                name, action = failure.record.name, failure.record.module
                at.lane.facts["ansible_failed_task"] = {"name": name if name != action else "", "action": action}
                at.lane.facts["ansible_failed_result"] = failure.result
                try:
                    self._entries(block.rescue, at)
                except TaskFailed as second:
                    pending = second
            else:
                pending = failure
        self._entries(block.always, at)
        if pending is not None:
            raise pending
