"""How often a task's module is called: conditions, loop, retries; and what its result is taken for."""

from __future__ import annotations

import time
from typing import Any

from botyard.playbook.call import Caller, Job
from botyard.playbook.lane import At
from botyard.playbook.outcome import Outcome, skipped, together
from botyard.playbook.source import Text
from botyard.playbook.template import Scope, TemplateFailed
from botyard.report.records import ItemRecord, Listener
from botyard.report.redact import Redactor


class Rounds:
    """The rounds of tasks of one run; used by several lanes at the same time."""

    def __init__(self, caller: Caller, listener: Listener, redactor: Redactor) -> None:
        self._caller = caller
        self._listener = listener
        self._redactor = redactor

    def all(self, job: Job) -> Outcome:
        """The task once, or once for each item of its loop.

        Raises:
            TemplateFailed: a keyword could not be worked out.
        """
        task, at = job.task, job.at
        if task.loop is None:
            return self._one(job)
        try:
            items = job.scope.render(task.loop)
        except TemplateFailed:
            # As in Ansible: a condition that is false without the loop's items excuses an undefined list.
            false = job.scope.first_false(task.outer.when)
            if false is not None:
                return skipped(false)
            raise
        if not isinstance(items, list | tuple):
            where = task.loop.where if isinstance(task.loop, Text) else task.where
            raise TemplateFailed(
                f"{where}: loop needs a list, not {type(items).__name__}", "use dict2items for a mapping"
            )
        outcomes: list[Outcome] = []
        for index, item in enumerate(items):
            if index and task.loop_pause:
                _sleep(job.scope.number("pause", task.loop_pause), at)
            own = {task.loop_var: item, "ansible_loop_var": task.loop_var}
            if task.index_var:
                own |= {task.index_var: index, "ansible_index_var": task.index_var}
            inner = job.seeing(own)
            try:
                outcome = self._one(inner)
            except TemplateFailed as error:
                outcome = Outcome.failure(error.message, error.cure)
            outcome.data = {**outcome.data, **own}
            outcome.included = [(entries, own) for entries, _ in outcome.included]
            outcomes.append(outcome)
            self._item_done(inner, outcome, item)
            if at.lane.stop.interrupted:
                break
        return together(outcomes)

    def _item_done(self, job: Job, outcome: Outcome, item: Any) -> None:
        try:
            label = str(item if job.task.loop_label is None else job.scope.render(job.task.loop_label))
        except TemplateFailed as error:
            label = error.message.splitlines()[0]
        done = ItemRecord("(hidden by no_log)", outcome.status)
        if not job.hidden:
            text = self._redactor.text
            done = ItemRecord(text(label), outcome.status, text(outcome.msg), self._redactor.diffs(outcome.diff))
        job.record.items.append(done)
        self._listener.item_done(job.record, done)

    def _one(self, job: Job) -> Outcome:
        """One round: the module once, or until its condition holds."""
        task, at, scope = job.task, job.at, job.scope
        false = scope.first_false(task.outer.when)
        if false is not None:
            return skipped(false)
        wanted = 3 if task.retries is None else int(scope.number("retries", task.retries))
        attempts = wanted + 1 if task.until or task.retries is not None else 1
        for attempt in range(1, attempts + 1):
            outcome = self._caller.call(job)
            seen = scope.with_layer({task.register: outcome.data}) if task.register else scope
            _judge(job, outcome, seen)
            outcome.attempts = attempt
            if attempts == 1:
                return outcome
            outcome.data["attempts"] = attempt
            done = seen.holds(task.until) if task.until else outcome.status != "failed"
            if done:
                return outcome
            if attempt == attempts or at.lane.stop.interrupted:
                outcome.data |= {"failed": True, "attempts": attempt - 1}  # as Ansible counts where none was right
                if not outcome.msg:
                    outcome.shown = f"not as wanted after {attempt} attempts"
                return outcome
            self._caller.say(job, f"attempt {attempt} of {attempts}: {outcome.msg or 'not as wanted yet'}")
            _sleep(scope.number("delay", task.delay), at)
        raise AssertionError("a task has at least one attempt")


def _sleep(seconds: float, at: At) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and not at.lane.stop.interrupted:
        time.sleep(min(left, 0.5))


def _judge(job: Job, outcome: Outcome, seen: Scope) -> None:
    """What changed_when and failed_when make of it."""
    task, data, word = job.task, outcome.data, "changed_when_result"
    if data.get("skipped") or outcome.bad_input:
        return
    try:
        if task.changed_when is not None:
            data["changed"] = seen.holds(task.changed_when)
        word = "failed_when_result"
        if task.failed_when is not None:
            data["failed"] = data[word] = seen.holds(task.failed_when)
            if data["failed"] and not data.get("msg"):
                outcome.shown = f"failed_when holds: {' and '.join(map(str, task.failed_when))}"
    except TemplateFailed as error:  # what the module did stays known
        data |= {"failed": True, word: error.message}
        outcome.shown, outcome.cure = error.message, error.cure
