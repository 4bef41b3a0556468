"""Figures, each as a ratio within one run."""

from __future__ import annotations

import functools
import sys
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from botyard.commands.main import HELP
from botyard.commands.session import Flags, paths_for, read_target, root_folder, run
from botyard.commands.streams import errors_as_lines


@task(
    help={
        "cold": "first remove the cluster, an engine of ours with its data, and the cache, and time the way back",
        "plain": "plain lines, no live display",
    }
)
def e2e(c: Context, cold: bool = False, plain: bool = False) -> None:
    """Print the figures of the main job. Takes the kind cluster down and makes it again, several times."""
    with errors_as_lines():
        from botyard.bench.e2e import figures
        from botyard.bench.figure import Figure
        from botyard.bench.menu import menu_ratio
        from botyard.host.cache import clean

        def play(files: list[str], skip_tags: str) -> Any:
            return run(list(files), Flags(skip_tags=skip_tags, plain=plain))

        target = read_target(Flags())
        paths = paths_for(target.cluster)
        lines: list[str] = []
        missed = False
        if cold:
            run(["down.yml"], Flags(everything=True, plain=plain), needs_bot=False)
            clean(paths.cache)
            report = play(["e2e.yml"], "")
            if report.exit_code:
                raise Exit(code=report.exit_code)
            lines.append(f"(d) bare machine to green: {report.duration_s / 60:.1f} min (wanted <= 40)")
            lines += [f"      {part.duration_s:7.1f} s  {part.name}" for part in report.plays]
            missed = report.duration_s > 40 * 60
        for figure in figures(play, target, paths):
            lines.append(figure.line())
            print(f"\n{figure.line()}\n", flush=True)  # now, too: a later one may fail
            missed = missed or figure.missed
        ours_s, bare_s = menu_ratio(root_folder())
        menu = Figure("(e) invoke --list / bare Invoke", ours_s, bare_s, 2.0)
        lines.append(menu.line())
        print("\n" + "\n".join(lines))
        if missed or menu.missed:
            raise Exit(code=1)


@task(
    help={
        "target": HELP["target"],
        "without-cluster": "leave out the figures of the release",
    }
)
def engine(c: Context, target: str = "kind", without_cluster: bool = False) -> None:
    """Print the figures of the playbook engine beside the real ansible-playbook. Changes no cluster; some minutes."""
    with errors_as_lines():
        from botyard.bench.engine import figures

        found = read_target(Flags(target))
        say = functools.partial(print, file=sys.stderr, flush=True)
        measured = list(figures(found, paths_for(found.cluster), say, cluster=not without_cluster))
        print("\n".join(figure.line() for figure in measured))
    if any(figure.missed for figure in measured):
        raise Exit(code=1)


@task(help={"target": HELP["target"]})
def gateway(c: Context, target: str = "kind") -> None:
    """Print the figures of the gateway beside a plain Service, in a namespace that it makes and removes; minutes."""
    with errors_as_lines():
        from botyard.bench.gateway import figures

        found = read_target(Flags(target))
        say = functools.partial(print, file=sys.stderr, flush=True)
        measured = list(figures(found, paths_for(found.cluster), say))
        print("\n".join(figure.line() for figure in measured))
    if any(figure.missed for figure in measured):
        raise Exit(code=1)
