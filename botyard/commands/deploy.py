"""To a cluster that exists: the whole way as one unit, or nothing of it."""

from __future__ import annotations

import re
import sys

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from botyard.commands.main import HELP
from botyard.commands.session import Flags, play, reach, read_target
from botyard.commands.streams import as_typed, errors_as_lines

_SEMVER = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_KEPT = ("bot", "sources", "check", "diff", "plain", "debug", "tags", "skip-tags")
_WHERE = {
    "target": "where to: a target of values/targets.yml with driver aks or existing",
    "context": "another word for --target",
    "yes": "do not ask before anything is changed",
}
DEPLOY_HELP = {
    **{key: HELP[key] for key in _KEPT},
    **_WHERE,
    "values": "FILE with values of chart rasa, or rasa-action-server:FILE; may be given several times",
    "version": "version of both charts (no digest), from the target's registry; without it the charts of this checkout",
    "timeout": "seconds that a release may take until its pods are ready",
    "set": "key=value for chart rasa, or rasa-action-server:key=value; wins over files, may be given several times",
}
ROLLBACK_HELP = {
    **{key: HELP[key] for key in ("check", "plain", "debug")},
    **_WHERE,
    "to": "number of a deploy, as --list shows them; without it the one before the last",
    "list": "show the deploys that are noted in the cluster, change nothing",
    "say": "what is said to the bot when it is back; it must answer something",
}


@task(help=DEPLOY_HELP, iterable=["values", "set"])
def deploy(
    c: Context, values: list[str], set: list[str], target: str = "", context: str = "", bot: str = "tea",
    sources: str = "", version: str = "", timeout: int = 900, tags: str = "", skip_tags: str = "",
    check: bool = False, diff: bool = False, yes: bool = False, plain: bool = False, debug: bool = False,
) -> None:  # fmt: skip
    """Release a bot to a cluster that exists, such as AKS: all of it, or nothing.

    Refuses a cluster that is not the pinned one, looks whether it can be rolled out, pushes images and model to the
    target's registry, installs both charts, runs the readonly checks, and takes everything back where one of these
    fails. Look first: invoke deploy --target aks --check --diff
    """
    with errors_as_lines(debug):
        from botyard.commands.given_values import given_values
        from botyard.contracts import BadInput

        given = given_values(values, set)
        if timeout < 1:
            raise BadInput(f"--timeout {timeout} is no time to wait", "give seconds, as in --timeout 900")
        if re.search(r"sha256:|[0-9a-f]{64}", version):
            raise BadInput(
                f"--version {version} is a digest, and takes none: there are two charts, each with a digest of its own",
                "give the version of both, as in --version 0.3.0: publish.charts never changes one that is out, and "
                "the ConfigMap botyard-deploys notes by digest what was deployed",
            )
        if version and not _SEMVER.fullmatch(version):
            raise BadInput(f"--version {version!r} is no version of a chart", "give one as in --version 0.3.0")
        name = _agreed(target, context, "" if yes or check else f"deploy {bot}")
    flags = Flags(name, bot, sources, tags, skip_tags, check=check, diff=diff, plain=plain, debug=debug)
    play(
        ["deploy.yml"], flags, any_cluster=True, extra={"given": given, "timeout_s": timeout, "charts_version": version}
    )


@task(help=ROLLBACK_HELP)
def rollback(
    c: Context, target: str = "", context: str = "", to: int = 0, list: bool = False, say: str = "hello",
    check: bool = False, yes: bool = False, plain: bool = False, debug: bool = False,
) -> None:  # fmt: skip
    """Take both releases back to where an earlier invoke deploy left them.

    Which revisions belong together is noted in the cluster at the end of each deploy. Secrets and volumes stay.
    """
    with errors_as_lines(debug):
        name = _agreed(target, context, "" if yes or check or list else "roll back")
        if list:
            _show_deploys(name)
            return
    extra = {"to": to, "greeting": as_typed(say)}
    flags = Flags(name, check=check, plain=plain, debug=debug)
    play(["rollback.yml"], flags, needs_bot=False, any_cluster=True, extra=extra)


def _agreed(target: str, context: str, question: str) -> str:
    """The target's name, once it is one that exists and the person has said yes (asked where there is a terminal).

    Raises:
        BadInput: no target, two of them, or a throw-away cluster of ours.
        Exit: the answer is no.
    """
    from botyard.contracts import BadInput

    if target and context and target != context:
        raise BadInput(f"--target {target} and --context {context} are two targets", "give one of them")
    name = target or context
    if not name:
        raise BadInput("where to? there is no --target", "name one: invoke target.list shows them")
    found = read_target(Flags(name), any_cluster=True)
    if found.ours:
        raise BadInput(f"target {name} is a throw-away cluster of ours", f"use: invoke e2e --target {name}")
    if question and sys.stdin.isatty():
        answer = input(f"{question} to {name} (context {found.context}, namespace {found.namespace})? [y/N] ")
        if answer.strip().lower() not in ("y", "yes"):
            print("nothing was changed")
            raise Exit(code=0)
    return name


def _show_deploys(name: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from botyard.release import deploys
    from botyard.release.guard import answering

    found, kube = reach(name)
    with answering(kube):
        known = deploys.read(kube, found.namespace)
    if not known:
        print(f"namespace {found.namespace} has no note of a deploy")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("deploy", "when", "by", "bot", "model", "charts", "revisions", ""):
        table.add_column(title)
    for one in known:
        revisions = ", ".join(f"{release} {revision}" for release, revision in one.revisions.items())
        about = [str(one.about.get(key, "")) for key in ("bot", "model", "charts_version")]
        table.add_row(str(one.number), one.at, one.by, *about, revisions, one.note)
    Console(highlight=False).print(table)
