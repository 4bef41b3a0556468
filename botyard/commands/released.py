"""What is released: look at it, and hold it against what was asked for. Nothing is changed."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from botyard.commands.session import reach
from botyard.commands.streams import errors_as_lines

if TYPE_CHECKING:
    from botyard.release.status import Status

HELP = {"target": "a name in values/targets.yml"}


@task(help={**HELP, "as-json": "as JSON, for programs"})
def status(c: Context, target: str = "kind", as_json: bool = False) -> None:
    """Show what runs where: releases, images, model, and each pod with its node. Exit code 1 where one is held back."""
    with errors_as_lines():
        from botyard.release.status import look

        found, kube = reach(target)
        releases = look(kube, found.namespace)
        if as_json:
            print(json.dumps([dataclasses.asdict(one) for one in releases], indent=2))
        else:
            for one in releases:
                _show(one)
        if any(pod.blocker and not pod.leaving for one in releases for pod in one.pods):
            raise Exit(code=1)


def _show(one: Status) -> None:
    from rich.console import Console
    from rich.table import Table

    from botyard.release.status import age

    console = Console(highlight=False)
    console.print(f"[bold]{one.name}[/]  {one.chart}, revision {one.revision}, {one.status} {age(one.updated)} ago")
    lines = [("note", one.note), ("model", one.model), ("sha256", one.model_sha256)]
    lines += [(name, image) for name, image in one.images.items()]
    for name, text in lines:
        if text:
            console.print(f"  {name:14}{text}", markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    for pod in one.pods:
        restarts = f"{pod.restarts} restarts" if pod.restarts else ""
        colour = "yellow" if pod.leaving else "red"
        state = f"[{colour}]{pod.blocker}[/]" if pod.blocker else "[green]ready[/]"
        table.add_row("  ", pod.name, pod.node or "no node", age(pod.since), restarts, state)
    console.print(table)
    console.print()


@task(help={**HELP, "diff": "show each difference, secrets left out"})
def drift(c: Context, target: str = "kind", diff: bool = False) -> None:
    """Hold the cluster against what Helm recorded: what was changed by hand or is gone. Exit code 1 where something is.

    The next invoke release puts it back.
    """
    with errors_as_lines():
        from botyard.release.status import drift as compare

        found, kube = reach(target)
        differs = 0
        for name, changes in compare(kube, found.namespace).items():
            print(f"{name}: {len(changes) or 'no'} object{'' if len(changes) == 1 else 's'} changed by hand or gone")
            for change in changes:
                print(f"  {change.header}")
                if diff:
                    from botyard.report.plain import diff_lines

                    for line in diff_lines([change]):
                        print(f"    {line.rstrip()}")
            differs += len(changes)
        if differs:
            raise Exit(code=1)
