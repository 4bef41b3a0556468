"""What comes of a task: the outcome of one round, of a loop, and the failure that ends a block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botyard.contracts import Diff
from botyard.playbook.model import Entries
from botyard.report.records import Status, TaskRecord


class TaskFailed(Exception):
    """A task failed and its errors are not ignored; ``result`` is what a rescue sees."""

    def __init__(self, record: TaskRecord, result: dict[str, Any], bad_input: bool) -> None:
        super().__init__(record.name)
        self.record = record
        self.result = result
        self.bad_input = bad_input


@dataclass
class Outcome:
    """The result of one round: what ``register`` gives, and what only people see."""

    data: dict[str, Any]
    diff: list[Diff] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    cure: str = ""
    traceback: str = ""
    bad_input: bool = False
    attempts: int = 1
    shown: str | None = None  # the message as people see it, where it is not the registered one
    notify: list[str] = field(default_factory=list)
    included: list[tuple[Entries, Mapping[str, Any]]] = field(default_factory=list)  # tasks, and the loop's variables

    @property
    def msg(self) -> str:
        return str(self.data.get("msg") or "") if self.shown is None else self.shown

    @property
    def status(self) -> Status:
        if self.data.get("failed"):
            return "failed"
        if self.data.get("skipped"):
            return "skipped"
        return "changed" if self.data.get("changed") else "ok"

    @classmethod
    def failure(cls, message: str, cure: str = "", *, bad_input: bool = False) -> Outcome:
        return cls({"changed": False, "failed": True, "msg": message}, cure=cure, bad_input=bad_input)


def skipped(condition: Any) -> Outcome:
    """As in Ansible, what was skipped has neither ``failed`` nor ``msg``."""
    false = condition if isinstance(condition, bool) else str(condition)
    reason = "Conditional result was False"
    return Outcome({"changed": False, "skipped": True, "skip_reason": reason, "false_condition": false})


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """The result of a loop, as ``register`` gives it: with Ansible's words, while people are told which item failed."""
    results = [o.data for o in outcomes]
    failed = [o for o in outcomes if o.status == "failed"]
    every = all(o.status == "skipped" for o in outcomes)
    data: dict[str, Any] = {"results": results, "changed": any(bool(r.get("changed")) for r in results)}
    if not results:
        data.update(skipped=True, skipped_reason="No items in the list")
    elif failed:
        data.update(skipped=False, failed=True, msg="One or more items failed")
    else:
        data.update(skipped=every, msg=f"All items {'skipped' if every else 'completed'}")
    whole = Outcome(data, warnings=[w for o in outcomes for w in o.warnings])
    whole.shown = f"{len(failed)} of {len(results)} items failed: {failed[0].data.get('msg')}" if failed else ""
    whole.notify = [name for o in outcomes for name in o.notify]
    whole.included = [one for o in outcomes for one in o.included]
    lines = [line for r in results for line in r.get("summary_lines") or []]
    if lines:
        data["summary_lines"] = lines
    if failed:
        whole.cure, whole.traceback = failed[0].cure, failed[0].traceback
        whole.bad_input = any(o.bad_input for o in failed)
    return whole
