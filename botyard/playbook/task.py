"""Runs one task: conditions, loop, retries, the module itself, and what becomes of its result."""

from __future__ import annotations

import time
import traceback as tracebacks
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from botyard.contracts import BadInput, BotyardError, Context, Result
from botyard.playbook.lane import At
from botyard.playbook.model import META, Conditions, Entries, Task
from botyard.playbook.options import RunOptions
from botyard.playbook.outcome import Outcome, TaskFailed, skipped, together
from botyard.playbook.source import Text, Where
from botyard.playbook.template import Scope, Templar, TemplateFailed
from botyard.report.records import (
    HIDDEN,
    Clock,
    ItemRecord,
    Listener,
    RunReport,
    Status,
    TaskRecord,
)
from botyard.report.redact import Redactor

_MAX_INCLUDES = 100


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

    def run(self, task: Task, at: At) -> Outcome:
        """Runs it, notifies its handlers and tells everyone.

        Raises:
            TaskFailed: it failed and its errors are not ignored.
        """
        scope = self._scope(task, at)
        record = TaskRecord(
            name=self.title(task, at),
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
            hidden = bool(self._one(task.outer.no_log, scope))
            outcome = self._rounds(task, at, scope, record, hidden)
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
            return bool(self._one(task.outer.ignore_errors, scope))
        except TemplateFailed:
            return False

    def _scope(self, task: Task, at: At) -> Scope:
        # Ansible's order: extra vars, of include_tasks, what tasks registered, of the task, of its blocks, of the play.
        params: list[Mapping[str, Any]] = [*task.params, *at.params]
        own: list[Mapping[str, Any]] = [*reversed(task.outer.vars)]
        return Scope(self._templar, [self._options.extra_vars, *params, at.lane.facts, *own, *at.layers])

    def title(self, task: Task, at: At) -> str:
        """Its name; the templates in it stay as they are where they could show what no_log or an argument hides."""
        scope = self._scope(task, at)
        title: Any = task.title
        try:
            if not self._one(task.outer.no_log, scope):
                for value in task.spec.secrets(task.args):
                    self._redactor.learn(self._one(value, scope))
                title = self._templar.render(task.name, scope) or task.module
        except TemplateFailed:
            pass  # the task itself will say so
        return self._redactor.text(str(title))

    def _rounds(self, task: Task, at: At, scope: Scope, record: TaskRecord, hidden: bool) -> Outcome:
        if task.loop is None:
            return self._round(task, at, scope, record, hidden)
        try:
            items = self._templar.render(task.loop, scope)
        except TemplateFailed:
            # As in Ansible: a condition that is false without the loop's items excuses an undefined list.
            false = self._first_false(task.outer.when, scope)
            if false is not None:
                return skipped(false)
            raise
        if not isinstance(items, list | tuple):
            at_loop = task.loop.where if isinstance(task.loop, Text) else task.where
            raise TemplateFailed(
                f"{at_loop}: loop needs a list, not {type(items).__name__}", "use dict2items for a mapping"
            )
        outcomes: list[Outcome] = []
        for index, item in enumerate(items):
            if index and task.loop_pause:
                time.sleep(float(self._one(task.loop_pause, scope)))
            own = {task.loop_var: item, "ansible_loop_var": task.loop_var}
            if task.index_var:
                own |= {task.index_var: index, "ansible_index_var": task.index_var}
            inner = scope.with_layer(own)
            try:
                outcome = self._round(task, at, inner, record, hidden)
            except TemplateFailed as error:
                outcome = Outcome.failure(error.message, error.cure)
            outcome.data = {**outcome.data, **own}
            outcome.included = [(entries, own) for entries, _ in outcome.included]
            outcomes.append(outcome)
            self._item_done(task, inner, record, outcome, item, hidden)
            if at.lane.stop.interrupted:
                break
        return together(outcomes)

    def _item_done(
        self, task: Task, scope: Scope, record: TaskRecord, outcome: Outcome, item: Any, hidden: bool
    ) -> None:
        try:
            label = str(item if task.loop_label is None else self._templar.render(task.loop_label, scope))
        except TemplateFailed as error:
            label = error.message.splitlines()[0]
        done = ItemRecord("(hidden by no_log)", outcome.status)
        if not hidden:
            text = self._redactor.text
            done = ItemRecord(text(label), outcome.status, text(outcome.msg), self._redactor.diffs(outcome.diff))
        record.items.append(done)
        self._listener.item_done(record, done)

    def _round(self, task: Task, at: At, scope: Scope, record: TaskRecord, hidden: bool) -> Outcome:
        """The task once, or until its condition holds."""
        false = self._first_false(task.outer.when, scope)
        if false is not None:
            return skipped(false)
        wanted = 3 if task.retries is None else max(0, int(self._one(task.retries, scope)))
        attempts = wanted + 1 if task.until or task.retries is not None else 1
        for attempt in range(1, attempts + 1):
            outcome = self._call(task, at, scope, record, hidden)
            seen = scope.with_layer({task.register: outcome.data}) if task.register else scope
            self._judge(task, outcome, seen)
            outcome.attempts = attempt
            if attempts == 1:
                return outcome
            outcome.data["attempts"] = attempt
            done = self._holds(task.until, seen) if task.until else outcome.status != "failed"
            if done:
                return outcome
            if attempt == attempts or at.lane.stop.interrupted:
                outcome.data |= {"failed": True, "attempts": attempt - 1}  # as Ansible counts where none was right
                if not outcome.msg:
                    outcome.shown = f"not as wanted after {attempt} attempts"
                return outcome
            if not hidden:
                self._say(record, f"attempt {attempt} of {attempts}: {outcome.msg or 'not as wanted yet'}")
            self._sleep(float(self._one(task.delay, scope)), at)
        raise AssertionError("a task has at least one attempt")

    @staticmethod
    def _sleep(seconds: float, at: At) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not at.lane.stop.interrupted:
            time.sleep(min(left, 0.5))

    def _judge(self, task: Task, outcome: Outcome, scope: Scope) -> None:
        if outcome.data.get("skipped") or outcome.bad_input:
            return
        data, word = outcome.data, "changed_when_result"
        try:
            if task.changed_when is not None:
                data["changed"] = self._holds(task.changed_when, scope)
            word = "failed_when_result"
            if task.failed_when is not None:
                data["failed"] = data[word] = self._holds(task.failed_when, scope)
                if data["failed"] and not data.get("msg"):
                    outcome.shown = f"failed_when holds: {' and '.join(map(str, task.failed_when))}"
        except TemplateFailed as error:  # what the module did stays known
            data |= {"failed": True, word: error.message}
            outcome.shown, outcome.cure = error.message, error.cure

    def _call(self, task: Task, at: At, scope: Scope, record: TaskRecord, hidden: bool) -> Outcome:
        """The module itself; whatever it raises becomes a failed result."""

        def progress(line: str) -> None:
            if not hidden:
                self._say(record, line)

        try:
            args = self._arguments(task, scope)
            notify = self._one(task.outer.notify, scope)
            check = self._one(task.outer.check_mode, scope)
            diff = self._one(task.outer.diff, scope)
            context = Context(
                check=self._options.check if check is None else bool(check),
                diff=self._options.diff if diff is None else bool(diff),
                paths=self._options.paths,
                target=self._options.target,
                progress=progress,
                hide=self._redactor.learn,
                environment=self._environment(task, scope),
                basedir=at.book.file.parent,
                render_file=lambda file: self._render_file(file, scope),
            )
            result = cast("Result", task.spec.run(args, context))
            included = self._included(task, args, at)
            outcome = self._taken(task, result, at)
        except TemplateFailed:
            raise
        except BotyardError as error:
            outcome = Outcome.failure(error.message, error.cure, bad_input=isinstance(error, BadInput))
            outcome.traceback = tracebacks.format_exc() if self._options.debug else ""
            for name in ("stdout", "stderr", "returncode"):
                if hasattr(error, name):
                    outcome.data["rc" if name == "returncode" else name] = getattr(error, name)
        except Exception as error:  # noqa: BLE001 - the boundary to modules: a fault in one must not end the run unseen
            outcome = Outcome.failure(
                f"internal error in {task.module}: {type(error).__name__}: {error}",
                "run again with --debug and report this; it is a fault of botyard, not of the playbook",
            )
            outcome.traceback = tracebacks.format_exc()
        else:
            outcome.notify = [] if notify is None else notify if isinstance(notify, list) else [notify]
            outcome.included = included
        return outcome

    @staticmethod
    def _included(task: Task, args: Any, at: At) -> list[tuple[Entries, Mapping[str, Any]]]:
        if task.load is None:
            return []
        if len(at.params) > _MAX_INCLUDES:
            raise BotyardError("include_tasks goes too deep", "a file that includes itself needs a when that ends it")
        return [(task.load(args.file) if task.included is None else task.included, {})]

    def _taken(self, task: Task, result: Result, at: At) -> Outcome:
        data = {**self._redactor.unwrapped(result.data), "changed": result.changed, "failed": result.failed}
        if result.skipped:
            data["skipped"] = True
        if result.msg and (result.failed or not task.module.startswith(("ansible.", "kubernetes."))):
            data.setdefault("msg", result.msg)  # of Ansible's own modules those that register one have it in their data
        facts = data.get("ansible_facts")
        if isinstance(facts, Mapping):
            at.lane.facts.update(facts)
        return Outcome(data, list(result.diff), list(result.warnings), shown=result.msg or None)

    def _arguments(self, task: Task, scope: Scope) -> Any:
        rendered = task.spec.expressions(task.args) | self._templar.render(task.spec.templates(task.args), scope)
        return task.spec.build(rendered, lambda text: self._templar.evaluate(text, scope), self._redactor.learn)

    def _render_file(self, file: Path, scope: Scope) -> str:
        try:
            content = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BotyardError(f"cannot read the template {file}: {error}") from None
        return self._templar.render_file(content, Where(file, 1, 1), scope)

    def _environment(self, task: Task, scope: Scope) -> dict[str, str]:
        merged: dict[str, str] = {}
        for one in task.outer.environment:
            merged.update({str(k): str(v) for k, v in self._templar.render(one, scope).items()})
        return merged

    def _say(self, record: TaskRecord, line: str) -> None:
        self._listener.progress(record, self._redactor.text(line))

    def _one(self, value: Any, scope: Scope) -> Any:
        return self._templar.render(value, scope)

    def _holds(self, conditions: Conditions, scope: Scope) -> bool:
        return self._first_false(conditions, scope) is None

    def _first_false(self, conditions: Conditions, scope: Scope) -> Any:
        """The first that does not hold, None if all do; as in Ansible since 2.19 each must give true or false."""
        for condition in conditions:
            value = self._templar.evaluate(condition, scope) if isinstance(condition, Text) else condition
            if not isinstance(value, bool):
                where = condition.where if isinstance(condition, Text) else "?"
                message = f"{where}: the condition {str(condition)!r} gives {type(value).__name__}, not true or false"
                raise TemplateFailed(message, "compare it, or use | bool, | length > 0, is defined")
            if not value:
                return condition
        return None


def _notify(outcome: Outcome, at: At) -> None:
    """Only where something changed; then for all items of a loop."""
    for name in outcome.notify if outcome.status == "changed" else ():
        if not at.handlers.notify(str(name)):
            outcome.shown = f"no handler is named {str(name)!r}"
            outcome.data.update(failed=True, msg=outcome.shown)
