"""The tasks that a user types most."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from botyard.commands.session import Flags, paths_for, play, reach, read_target, root_folder
from botyard.commands.streams import as_typed, errors_as_lines
from botyard.contracts import shown

HELP = {
    "target": "where to: a name in values/targets.yml",
    "bot": "which bot: a folder in bots/, or a path",
    "sources": "auto | registries (pull upstream images) | packages (build all from package registries)",
    "tags": "run only tasks with one of these tags, comma separated",
    "skip-tags": "leave out tasks with one of these tags",
    "start-at-task": "begin at the task of this name",
    "check": "change nothing, say what would change",
    "diff": "show what changes, before and after",
    "recreate": "make the cluster anew where its spec has changed",
    "list-tasks": "list the tasks and their tags, run nothing",
    "list-tags": "list the tags, run nothing",
    "plain": "plain lines, no live display",
    "debug": "show tracebacks of internal errors",
}
SHORT = {key: HELP[key] for key in ("target", "plain", "debug")}


@task(help=HELP)
def e2e(
    c: Context, target: str = "kind", bot: str = "tea", sources: str = "", tags: str = "", skip_tags: str = "",
    start_at_task: str = "", check: bool = False, diff: bool = False, recreate: bool = False,
    list_tasks: bool = False, list_tags: bool = False, plain: bool = False, debug: bool = False,
) -> None:  # fmt: skip
    """The main job: from a bare machine to a bot tested on a real cluster.

    Looks over the machine, gets tools, builds images, trains the model, brings up the cluster, installs
    both charts, runs the end-to-end checks and prints a recap. A second run reuses what is there.
    """
    flags = Flags(target, bot, sources, tags, skip_tags, start_at_task, check, diff, recreate,
                  list_tasks=list_tasks, list_tags=list_tags, plain=plain, debug=debug)  # fmt: skip
    play(["e2e.yml"], flags)


def _part(name: str, doc: str, *files: str) -> Any:
    def body(
        c: Context, target: str = "kind", bot: str = "tea", sources: str = "", check: bool = False,
        diff: bool = False, recreate: bool = False, list_tasks: bool = False, plain: bool = False, debug: bool = False,
    ) -> None:  # fmt: skip
        flags = Flags(target, bot, sources, check=check, diff=diff, recreate=recreate,
                      list_tasks=list_tasks, plain=plain, debug=debug)  # fmt: skip
        play(list(files), flags)

    body.__doc__ = doc
    body.__name__ = name
    keep = {key: HELP[key] for key in HELP if key not in ("tags", "skip-tags", "start-at-task", "list-tags")}
    return task(body, help=keep)


images = _part("images", "Build the images and push them by digest.", "host.yml", "services.yml", "images.yml")
model = _part("model", "Train in the served image, test and publish the model.", "host.yml", "services.yml", "bot.yml")
cluster = _part("cluster", "Bring up the cluster, registry and depot.", "host.yml", "services.yml", "cluster.yml")
release = _part("release", "Bring up all that is needed and install both charts, no checks.", "release_all.yml")


@task(help=SHORT | {"disruptive": "also run the checks that break things and put them back"})
def verify(
    c: Context, target: str = "kind", disruptive: bool = False, plain: bool = False, debug: bool = False
) -> None:
    """Run the readonly end-to-end checks against what is released now."""
    with errors_as_lines(debug):
        from botyard.verify.released import open_released

        read_target(Flags(target))
        open_released(root_folder(), target)
    play(["verify.yml"], Flags(target, skip_tags="" if disruptive else "disruptive", plain=plain, debug=debug),
         needs_bot=False)  # fmt: skip


EXTRA = "name=value, a mapping as JSON, or @FILE; may be given several times"


@task(name="play", help=HELP | {"file": "the playbook", "extra-vars": EXTRA}, iterable=["extra_vars"])
def play_file(
    c: Context, file: str, extra_vars: list[str], target: str = "kind", bot: str = "tea", sources: str = "",
    tags: str = "", skip_tags: str = "", start_at_task: str = "", check: bool = False, diff: bool = False,
    recreate: bool = False, list_tasks: bool = False, list_tags: bool = False, plain: bool = False, debug: bool = False,
) -> None:  # fmt: skip
    """Run any playbook within the documented subset."""
    from botyard.contracts import BadInput

    flags = Flags(target, bot, sources, tags, skip_tags, start_at_task, check, diff, recreate,
                  list_tasks=list_tasks, list_tags=list_tags, plain=plain, debug=debug)  # fmt: skip
    with errors_as_lines(debug):
        from botyard.commands.extra_vars import extra_vars as read
        from botyard.targets import names

        if not Path(file).is_file():
            raise BadInput(f"there is no playbook {file}", _meant(Path(file)) or "give the path of a YAML file")
        if "-t" in sys.argv and target not in names(root_folder()):
            raise BadInput(f"-t is --target here, and there is no target {target!r}", f"for tags: --tags {target}")
        extra = read(extra_vars)
        needs_bot = bot != Flags.bot or _may_name_a_bot(Path(file))
    play([Path(file).resolve()], flags, any_cluster=True, extra=extra, needs_bot=needs_bot)


def _meant(file: Path) -> str:
    """A playbook beside it, or one of ours, that is called nearly so."""
    from botyard.hints import close_file

    folders = (file.parent, root_folder() / "playbooks")
    found = next((folder / name for folder in folders if (name := close_file(file.name, _yaml_in(folder)))), None)
    return f"did you mean {shown(found)}?" if found else ""


def _yaml_in(folder: Path) -> list[str]:
    return [one.name for one in folder.glob("*.y*ml")]


def _may_name_a_bot(playbook: Path) -> bool:
    """Whether a playbook has use for the variable ``bot``; of one with other files to it, that is taken for granted.

    A playbook of one's own should neither wait for a bot to be read nor fail for a fault in it.
    """
    return bool(re.search(rb"\b(bot|import_\w+|include_\w+)\b", playbook.read_bytes()))


@task(
    positional=["text"],
    help={"text": "what to say", "sender": "who says it; the bot remembers a sender", "target": HELP["target"]},
)
def talk(c: Context, text: str, sender: str = "you", target: str = "kind") -> None:
    """Say something to the released bot and print its replies."""
    from botyard.contracts import BadInput

    with errors_as_lines():
        from botyard.verify.rest import say
        from botyard.verify.way_in import base_url

        found = read_target(Flags(target), any_cluster=True)
        if not text.strip():
            raise BadInput("there is nothing to say", 'write it as in: invoke talk "hello"')
        if not found.ours:
            reach(target)  # says better than the way in what is wrong with a kubeconfig
        with base_url(found, paths_for(found.cluster).state) as url:
            for line in say(url, as_typed(sender), as_typed(text)).lines:
                print(line)


@task(
    help={
        **SHORT,
        "all": "also leftovers of interrupted runs, and a Docker engine of ours with its data",
        "check": HELP["check"],
    }
)
def down(
    c: Context, target: str = "kind", all: bool = False, check: bool = False, plain: bool = False, debug: bool = False
) -> None:
    """Take away what e2e made, nothing else. The cache stays: see invoke cache.clean."""
    play(["down.yml"], Flags(target, everything=all, check=check, plain=plain, debug=debug), needs_bot=False)


@task(help={"target": HELP["target"]})
def doctor(c: Context, target: str = "kind") -> None:
    """Look over this machine: what is fine, what e2e will see to itself, and what you must do."""
    with errors_as_lines():
        from rich.console import Console
        from rich.table import Table

        from botyard.host.doctor import examine

        found = read_target(Flags(target))
        checks = examine(paths_for(found.cluster), found)
        table = Table(box=None, pad_edge=False)
        for column in ("", "check", "seen", "cure"):
            table.add_column(column, overflow="fold")
        words = {"ok": "[green]ok[/]", "will_fix": "[yellow]will fix[/]", "you_must": "[red]you must[/]"}
        for check in checks:
            table.add_row(words[check.status], check.name, check.detail, check.cure)
        Console().print(table)
        if any(check.status == "you_must" for check in checks):
            raise Exit(code=2)
