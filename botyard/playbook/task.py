"""Runs one task: its variables, its name, its handlers, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botyard.playbook.call import Caller, Job
from botyard.playbook.lane import At
from botyard.playbook.model import META, Task
from botyard.playbook.options import RunOptions
from botyard.playbook.outcome import Outcome, TaskFailed
from botyard.playbook.rounds import Rounds
from botyard.playbook.template import Scope, Templar, TemplateFailed
from botyard.report.records import HIDDEN, Clock, Listener, RunReport, Status, TaskRecord
from botyard.report.redact import Redactor


class TaskRunner:
    """Runs tasks for one run; used by several lanes at the same time."""

    def __init__(
        self,
        options: RunOptions,
        templar: Templar,
        listener: Listener,
        redactor: Redactor,
        clock: Clock,
        report: RunReport,
    ) -> None:
        self._options = options
        self._templar = templar
        self._listener = listener
        self._redactor = redactor
        self._clock = clock
        self._report = report
        self._rounds = Rounds(Caller(options, listener, redactor), listener, redactor)

    def run(self, task: Task, at: At) -> Outcome:
        """Runs it, notifies its handlers and tells everyone.

        Raises:
            TaskFailed: it failed and its errors are not ignored.
        """
        scope = self._scope(task, at)
        record = TaskRecord(
            name=self._title(task, scope),
            module=task.module,
            where=str(task.where),
            play=at.play.name,
            playbook=at.book.name,
            lane=at.lane.name,
            started_s=self._clock.now(),
            handler=at.handling,
        )
        self._report.tasks.append(record)
        self._listener.task_started(record)
        hidden = True  # until we know better: a task whose no_log cannot be read shows nothing
        try:
            hidden = bool(scope.flag("no_log", task.outer.no_log))
            outcome = self._rounds.all(Job(task, at, scope, record, hidden))
            _notify(outcome, at)
        except TemplateFailed as error:
            outcome = Outcome.failure(error.message, error.cure)
        except KeyboardInterrupt:
            self._close(record, Outcome({"msg": "interrupted"}), "interrupted", hidden=False)
            raise
        if task.register is not None:
            at.lane.facts[task.register] = outcome.data
        status = outcome.status
        if status == "failed" and at.lane.stop.interrupted:
            status, outcome = "interrupted", Outcome({"msg": "interrupted"})
        elif status == "failed":
            status = "ignored" if self._ignores(task, scope) else "rescued" if at.rescued else "failed"
        self._close(record, outcome, status, hidden)
        if task.module != META:
            at.play.count(record)
        at.play.ok += max(0, len(outcome.included) - 1)  # as in Ansible: ok counts each file of include_tasks
        if status in ("failed", "rescued", "interrupted"):
            raise TaskFailed(record, outcome.data, outcome.bad_input)
        return outcome

    def _close(self, record: TaskRecord, outcome: Outcome, status: Status, hidden: bool) -> None:
        record.status = status
        record.changed = bool(outcome.data.get("changed"))
        record.duration_s = round(self._clock.now() - record.started_s, 3)
        record.attempts = outcome.attempts
        if hidden:
            record.msg = HIDDEN
        else:
            clean = self._redactor
            record.msg = clean.text(outcome.msg)
            record.cure = clean.text(outcome.cure)
            record.diff = clean.diffs(outcome.diff)
            record.warnings = [clean.text(line) for line in outcome.warnings]
            record.data = clean.clean(outcome.data)
            record.traceback = clean.text(outcome.traceback)
            lines = outcome.data.get("summary_lines") or []
            record.summary_lines = [clean.text(str(line)) for line in lines]
        self._listener.task_done(record)

    def interrupt_running(self) -> None:
        """What still runs, side by side with what Ctrl-C ended, ends with this process."""
        for record in self._report.tasks:
            if record.status == "running":
                self._close(record, Outcome({"msg": "interrupted"}), "interrupted", hidden=False)

    def _ignores(self, task: Task, scope: Scope) -> bool:
        try:
            return bool(scope.flag("ignore_errors", task.outer.ignore_errors))
        except TemplateFailed:
            return False

    def _scope(self, task: Task, at: At) -> Scope:
        # Ansible's order: extra vars, of include_tasks, what tasks registered, of the task, of its blocks, of the play.
        params: list[Mapping[str, Any]] = [*task.params, *at.params]
        own: list[Mapping[str, Any]] = [*reversed(task.outer.vars)]
        return Scope(self._templar, [self._options.extra_vars, *params, at.lane.facts, *own, *at.layers])

    def title(self, task: Task, at: At) -> str:
        """Its name; the templates in it stay as they are where they could show what no_log or an argument hides."""
        return self._title(task, self._scope(task, at))

    def _title(self, task: Task, scope: Scope) -> str:
        title: Any = task.title
        try:
            if not scope.flag("no_log", task.outer.no_log):
                for value in task.spec.secrets(task.args):
                    self._redactor.learn(scope.render(value))
                title = scope.render(task.name) or task.module
        except TemplateFailed:
            pass  # the task itself will say so
        return self._redactor.text(str(title))


def _notify(outcome: Outcome, at: At) -> None:
    """Only where something changed; then for all items of a loop."""
    for name in outcome.notify if outcome.status == "changed" else ():
        if not at.handlers.notify(str(name)):
            outcome.shown = f"no handler is named {str(name)!r}"
            outcome.data.update(failed=True, msg=outcome.shown)
