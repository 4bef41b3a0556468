"""One call of a task's module: what it is told, and what becomes of what it gives or raises."""

from __future__ import annotations

import traceback as tracebacks
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from botyard.contracts import BadInput, BotyardError, Context, Result
from botyard.playbook.lane import At
from botyard.playbook.model import Entries, Task
from botyard.playbook.options import RunOptions
from botyard.playbook.outcome import Outcome
from botyard.playbook.source import Where
from botyard.playbook.template import Scope, TemplateFailed
from botyard.report.records import Listener, TaskRecord
from botyard.report.redact import Redactor

_MAX_INCLUDES = 100


@dataclass(frozen=True)
class Job:
    """A task at work: the variables that it sees, where it stands, what is told of it; ``hidden``: by no_log."""

    task: Task
    at: At
    scope: Scope
    record: TaskRecord
    hidden: bool

    def seeing(self, variables: Mapping[str, Any]) -> Job:
        return replace(self, scope=self.scope.with_layer(variables))


class Caller:
    """Calls modules for one run; used by several lanes at the same time."""

    def __init__(self, options: RunOptions, listener: Listener, redactor: Redactor) -> None:
        self._options = options
        self._listener = listener
        self._redactor = redactor

    def say(self, job: Job, line: str) -> None:
        """Shows one line about a task that goes on."""
        if not job.hidden:
            self._listener.progress(job.record, self._redactor.text(line))

    def call(self, job: Job) -> Outcome:
        """Whatever the module raises becomes a failed result.

        Raises:
            TemplateFailed: an argument or keyword could not be worked out.
        """
        task = job.task
        try:
            args = self._arguments(job)
            notify = job.scope.render(task.outer.notify)
            result = cast("Result", task.spec.run(args, self._context(job)))
            included = _included(task, args, job.at)
            outcome = self._taken(job, result)
        except TemplateFailed:
            raise
        except BotyardError as error:
            outcome = Outcome.failure(error.message, error.cure, bad_input=isinstance(error, BadInput))
            outcome.traceback = tracebacks.format_exc() if self._options.debug else ""
            for name in ("stdout", "stderr", "returncode"):
                if hasattr(error, name):
                    outcome.data["rc" if name == "returncode" else name] = getattr(error, name)
        except RecursionError:
            outcome = Outcome.failure("what it was given or gives nests too deeply", "use a part of it")
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

    def _arguments(self, job: Job) -> Any:
        spec, args = job.task.spec, job.task.args
        rendered = spec.expressions(args) | job.scope.render(spec.templates(args))
        return spec.build(rendered, job.scope.evaluate, self._redactor.learn)

    def _context(self, job: Job) -> Context:
        outer, scope = job.task.outer, job.scope
        check, diff = scope.flag("check_mode", outer.check_mode), scope.flag("diff", outer.diff)
        environment: dict[str, str] = {}
        for one in outer.environment:
            environment.update({str(name): str(value) for name, value in scope.render(one).items()})
        return Context(
            check=self._options.check if check is None else check,
            diff=self._options.diff if diff is None else diff,
            paths=self._options.paths,
            target=self._options.target,
            progress=lambda line: self.say(job, line),
            hide=self._redactor.learn,
            environment=environment,
            basedir=job.at.book.file.parent,
            render_file=lambda file: _rendered(file, scope),
        )

    def _taken(self, job: Job, result: Result) -> Outcome:
        data = {**self._redactor.unwrapped(result.data), "changed": result.changed, "failed": result.failed}
        data.pop("skipped", None)
        if result.skipped:
            data["skipped"] = True
        if result.msg and (result.failed or not job.task.module.startswith(("ansible.", "kubernetes."))):
            data.setdefault("msg", result.msg)  # of Ansible's own modules those that register one have it in their data
        facts = data.get("ansible_facts")
        if isinstance(facts, Mapping):
            job.at.lane.facts.update(facts)
        return Outcome(data, list(result.diff), list(result.warnings), shown=result.msg or None)


def _included(task: Task, args: Any, at: At) -> list[tuple[Entries, Mapping[str, Any]]]:
    if task.load is None:
        return []
    if len(at.params) > _MAX_INCLUDES:
        raise BotyardError("include_tasks goes too deep", "a file that includes itself needs a when that ends it")
    return [(task.load(args.file) if task.included is None else task.included, {})]


def _rendered(file: Path, scope: Scope) -> str:
    try:
        content = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BotyardError(f"cannot read the template {file}: {error}") from None
    return scope.render_file(content, Where(file, 1, 1))
