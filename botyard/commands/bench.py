"""Figures, each as a ratio within one run."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from botyard.commands.session import errors_as_lines


@task
def menu(c: Context) -> None:
    """Time `invoke --list` of this project against bare Invoke with an empty tasks.py."""
    with errors_as_lines():
        raise NotImplementedError
