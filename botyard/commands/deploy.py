"""To a cluster that exists: the whole way as one unit, or nothing of it."""

from __future__ import annotations

import sys

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from botyard.commands.main import HELP
from botyard.commands.session import Flags, play, read_target
from botyard.commands.streams import errors_as_lines

_KEPT = ("bot", "sources", "check", "diff", "plain", "debug", "tags", "skip-tags")
DEPLOY_HELP = {
    **{key: HELP[key] for key in _KEPT},
    "target": "where to: a target of values/targets.yml with driver aks or existing",
    "context": "another word for --target",
    "yes": "do not ask before anything is changed",
}


@task(help=DEPLOY_HELP)
def deploy(
    c: Context, target: str = "", context: str = "", bot: str = "tea", sources: str = "", tags: str = "",
    skip_tags: str = "", check: bool = False, diff: bool = False, yes: bool = False, plain: bool = False,
    debug: bool = False,
) -> None:  # fmt: skip
    """Release a bot to a cluster that exists, such as AKS. Under way: not yet tried as a whole, so not for production.

    Refuses a cluster that is not the pinned one, looks whether it can be rolled out, pushes images and model to the
    target's registry, installs both charts, runs the readonly checks, and takes everything back where one of these
    fails. Look first: invoke deploy --target aks --check --diff
    """
    with errors_as_lines(debug):
        from botyard.contracts import BadInput

        if target and context and target != context:
            raise BadInput(f"--target {target} and --context {context} are two targets", "give one of them")
        name = target or context
        if not name:
            raise BadInput("where to? there is no --target", "name one: invoke target.list shows them")
        found = read_target(Flags(name), any_cluster=True)
        if found.ours:
            raise BadInput(f"target {name} is a throw-away cluster of ours", f"use: invoke e2e --target {name}")
        if not (yes or check) and sys.stdin.isatty():
            answer = input(f"deploy {bot} to {name} (context {found.context}, namespace {found.namespace})? [y/N] ")
            if answer.strip().lower() not in ("y", "yes"):
                print("nothing was changed")
                raise Exit(code=0)
    flags = Flags(name, bot, sources, tags, skip_tags, check=check, diff=diff, plain=plain, debug=debug)
    play(["deploy.yml"], flags, any_cluster=True)
