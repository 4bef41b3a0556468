"""The words that every room shares: what a task returns, what it is told, and how things go wrong.

Nothing here imports another room of botyard, so every room may import this one.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EXIT_DONE = 0
EXIT_FAILED = 1  # a task or a check failed
EXIT_BAD_INPUT = 2  # nothing was changed
EXIT_INTERRUPTED = 130


class BotyardError(Exception):
    """Something failed while working; the message is one sentence for a person, ``cure`` says what to do.

    Args:
        message: what failed and where.
        cure: what the reader can do about it, as a sentence or a command; may be empty.
    """

    exit_code = EXIT_FAILED

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message}\n  cure: {self.cure}" if self.cure else self.message


class BadInput(BotyardError):
    """What the user gave cannot be used; raised before anything was changed (exit code 2)."""

    exit_code = EXIT_BAD_INPUT


class CommandError(BotyardError):
    """A child process ended with an exit code other than 0.

    ``argv``, ``stdout`` and ``stderr`` are already redacted. ``str()`` gives a command that can be pasted
    into a shell and the end of what it printed.
    """

    def __init__(self, argv: Sequence[str], returncode: int, stdout: str, stderr: str) -> None:
        self.argv = list(argv)
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        tail = "\n".join((stderr.strip() or stdout.strip()).splitlines()[-15:])
        super().__init__(f"{shlex.join(self.argv)} ended with exit code {returncode}" + (f"\n{tail}" if tail else ""))


class TimedOut(BotyardError):
    """A wait reached its deadline; ``last`` is the last state seen, as a sentence."""

    def __init__(self, what: str, timeout_s: float, last: str, cure: str = "") -> None:
        super().__init__(f"gave up on {what} after {timeout_s:.0f} s; last seen: {last or 'nothing'}", cure)
        self.last = last


@dataclass(frozen=True)
class Secret:
    """A value that is never printed: ``str()`` and ``repr()`` give ``***``; ``reveal()`` gives the value."""

    value: str = field(repr=False)

    def reveal(self) -> str:
        return self.value

    def __str__(self) -> str:
        return "***"

    __repr__ = __str__


@dataclass(frozen=True)
class Diff:
    """One thing before and after a change, as text for ``--diff`` (secrets are already hidden in it)."""

    header: str
    before: str
    after: str


@dataclass
class Result:
    """What a task module returns.

    Args:
        changed: whether content differs (in check mode: would differ) from before.
        msg: one line for a person.
        data: what ``register`` gives the playbook besides changed/failed/msg.
        diff: what ``--diff`` prints.
        failed: the task failed in an expected way (an unexpected one raises BotyardError instead).
        skipped: the module itself found that there was nothing for it to do here.
        warnings: lines to show whatever the verbosity.
    """

    changed: bool = False
    msg: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    diff: list[Diff] = field(default_factory=list)
    failed: bool = False
    skipped: bool = False
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Paths:
    """Where things lie.

    Args:
        root: the checkout.
        state: ``<root>/.botyard/<cluster>``: this checkout's kubeconfig, Helm home, runs, reports.
        cache: ``$XDG_CACHE_HOME/botyard``: what can be rebuilt, keyed by content, shared between checkouts.
    """

    root: Path
    state: Path
    cache: Path


def _silent(_what: object) -> None:
    return None


def _no_templates(file: Path) -> str:
    raise BotyardError(f"cannot render {file}: nobody handed in the variables")


@dataclass
class Context:
    """What the engine tells a module about the run.

    Args:
        check: change nothing, say what would change.
        diff: fill ``Result.diff``.
        paths: where things lie.
        target: the typed target (``botyard.targets.Target``); Any here as contracts import nothing.
        progress: call with one short line whenever long work reaches a new state.
        hide: call with a value that must never be shown (or a list of such), as soon as it is known.
        environment: extra environment variables of the task, for child processes.
        basedir: folder of the playbook file; relative paths in arguments start there.
        render_file: gives the text of a template file with the task's variables filled in.
    """

    check: bool
    diff: bool
    paths: Paths
    target: Any
    progress: Callable[[str], None] = _silent
    hide: Callable[[object], None] = _silent
    environment: Mapping[str, str] = field(default_factory=dict)
    basedir: Path = field(default_factory=Path)
    render_file: Callable[[Path], str] = _no_templates

    @property
    def kubeconfig(self) -> Path:
        """The file that leads to the target; of a cluster of ours it is there once that is made."""
        file: Path = self.target.kubeconfig_in(self.paths.state)
        return file


# Everything that botyard makes in Docker carries this label with the cluster's name as its value;
# `down --all` finds leftovers by it.
LABEL_CLUSTER = "botyard.cluster"
# Images and build leftovers carry this label with the content key of what they were built from.
LABEL_KEY = "botyard.key"
# The mark of a cluster of ours: this ConfigMap in kube-system; key "spec" holds the JSON it was made from.
MARK_CONFIGMAP = "botyard"


def shown(file: Path) -> str:
    """A file as people read it: relative where it lies below the working folder."""
    try:
        return str(file.relative_to(Path.cwd()))
    except ValueError:
        return str(file)
