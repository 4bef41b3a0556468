"""The reference of playbooks, in the terminal and as files."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from invoke.context import Context
from invoke.tasks import task

from botyard.commands.session import root_folder
from botyard.commands.streams import errors_as_lines


def positionals(argv: Sequence[str]) -> list[str]:
    """``name`` where a word follows ``doc``: Invoke itself knows no positional that may be left out."""
    follows = argv[list(argv).index("doc") + 1 :] if "doc" in argv else []
    return ["name"] if follows and not follows[0].startswith("-") else []


@task(
    positional=positionals(sys.argv),
    help={
        "name": "a module or keyword, as in: invoke doc helm, invoke doc filters; without one all are listed",
        "write": "bring docs/reference/, playbooks/schema.json and the READMEs of the charts up to date instead",
    },
)
def doc(c: Context, name: str | None = None, write: bool = False) -> None:
    """What a playbook may say: its modules with their arguments, and its keywords.

    `invoke doc` lists all, `invoke doc helm` tells what the module helm takes, does and returns, with an
    example. How to write a playbook: docs/how-to/write-a-playbook.md.
    """
    with errors_as_lines():
        if write:
            from botyard import reference

            for path in reference.write(root_folder()):
                print(f"written: {path}")
            return
        from rich.console import Console

        from botyard.reference.lookup import show

        show(name or "", Console())
