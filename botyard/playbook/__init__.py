"""The playbook engine: a strict subset of Ansible's language, run in this process.

``run_playbooks`` loads and checks all files first (BadInput with file:line:column), then runs them.
"""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from botyard.playbook.load import Loader
from botyard.playbook.model import Playbook
from botyard.playbook.options import RunOptions
from botyard.playbook.run import Runner
from botyard.playbook.select import Selection, listing, select
from botyard.playbook.template import Templar
from botyard.playbook.undefined import refuse_undefined
from botyard.report.records import Broadcast, Listener, RunReport
from botyard.report.redact import Redactor

__all__ = ["RunOptions", "RunReport", "check_playbooks", "list_tasks", "load_playbooks", "run_checked", "run_playbooks"]


def load_playbooks(
    files: Sequence[Path], *, extra_vars: Mapping[str, Any] | None = None, target: Any = None
) -> tuple[list[Playbook], Templar]:
    """Loads and checks playbooks without running anything.

    Raises:
        BadInput: the first fault, with file:line:column, the line and a caret.
    """
    templar = Templar()
    hosts = tuple(str(getattr(target, name)) for name in ("name", "cluster") if hasattr(target, name))
    loader = Loader(templar, dict(extra_vars or {}), hosts)
    return [loader.load(Path(file)) for file in files], templar


def list_tasks(
    files: Sequence[Path],
    *,
    tags: Sequence[str] = (),
    skip_tags: Sequence[str] = (),
    start_at_task: str | None = None,
    tags_only: bool = False,
    extra_vars: Mapping[str, Any] | None = None,
    target: Any = None,
) -> list[str]:
    """The lines that ``--list-tasks`` prints: plays, tasks and their tags; or, ``tags_only``, those of ``--list-tags``.

    Raises:
        BadInput: as ``run_playbooks``.
    """
    books, _ = load_playbooks(files, extra_vars=extra_vars, target=target)
    return listing(books, select(books, tags, skip_tags, start_at_task), tags_only=tags_only).splitlines()


Checked = tuple[list[Playbook], Templar, Selection]
"""Playbooks that can run, with their compiled templates and the tasks that the flags chose."""


def check_playbooks(files: Sequence[Path], *, ctx: RunOptions) -> Checked:
    """Everything that ``run_playbooks`` looks at before it runs the first task.

    Raises:
        BadInput: the first fault, with file:line:column, the line and a caret.
    """
    books, templar = load_playbooks(files, extra_vars=ctx.extra_vars, target=ctx.target)
    selection = select(books, ctx.tags, ctx.skip_tags, ctx.start_at_task)
    refuse_undefined(books, selection, templar, ctx)
    return books, templar, selection


def run_playbooks(files: Sequence[Path], *, ctx: RunOptions) -> RunReport:
    """Runs playbooks one after another on the same variables.

    Raises:
        BadInput: a playbook cannot be used; nothing ran.
    """
    return run_checked(check_playbooks(files, ctx=ctx), ctx=ctx)


def run_checked(checked: Checked, *, ctx: RunOptions) -> RunReport:
    """Runs what ``check_playbooks`` gave for the same ``ctx``.

    Returns:
        the report; its ``exit_code`` is 0, 1 (a task failed), 2 (refused by a module, nothing changed) or 130.
    """
    books, templar, selection = checked
    report = RunReport(check=ctx.check, go_on=_this_command(), run_dir=ctx.run_dir)
    redactor = Redactor()
    ctx = replace(ctx, extra_vars=redactor.unwrapped(dict(ctx.extra_vars)))
    listener = Broadcast(_listeners(ctx))
    try:
        with _ended_like_ctrl_c():
            Runner(ctx, templar, selection, report, listener, redactor).run(books)
        report.go_on = redactor.text(report.go_on)  # its --extra-vars may hold what a task made known as secret
        listener.finished(report)
    finally:
        listener.close()
    return report


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """SIGTERM and SIGHUP end a run as Ctrl-C does: children first, then the recap."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is not signal.SIG_IGN]  # not nohup's
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listeners(ctx: RunOptions) -> list[Listener]:
    listeners: list[Listener] = []
    if ctx.run_dir is not None:
        from botyard.report.files import Files

        listeners.append(Files(ctx.run_dir))
    if ctx.console == "rich" or (ctx.console == "auto" and _is_terminal()):
        from botyard.report.console import Rich

        return [*listeners, Rich(show_diff=ctx.diff, debug=ctx.debug)]
    from botyard.report.plain import Plain

    return [*listeners, Plain(show_diff=ctx.diff, debug=ctx.debug)]


def _is_terminal() -> bool:
    with contextlib.suppress(ValueError, AttributeError):
        return sys.stdout.isatty()
    return False


def _this_command() -> str:
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else ""
    return shlex.join(["invoke" if name == "__main__.py" else name, *sys.argv[1:]]) if name else ""
