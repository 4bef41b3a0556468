"""From flags to a run: paths, target and bot are read and checked, then the playbooks run."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from botyard.commands.locks import must_be_writable, one_run_at_a_time
from botyard.commands.streams import errors_as_lines
from botyard.contracts import BadInput, Paths

if TYPE_CHECKING:
    from botyard.playbook import RunReport
    from botyard.targets import Target
    from botyard.tools.kube import Kube


@dataclass(frozen=True)
class Flags:
    """The flags that every playbook task has."""

    target: str = "kind"
    bot: str = "tea"
    sources: str = ""
    tags: str = ""
    skip_tags: str = ""
    start_at_task: str = ""
    check: bool = False
    diff: bool = False
    recreate: bool = False
    everything: bool = False
    list_tasks: bool = False
    list_tags: bool = False
    plain: bool = False
    debug: bool = False


def root_folder() -> Path:
    """The checkout: the folder that holds botyard/ and playbooks/."""
    return Path(__file__).resolve().parents[2]


def paths_for(cluster: str) -> Paths:
    """Where things lie for one cluster; see contracts.Paths."""
    root = root_folder()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "botyard"
    return Paths(root=root, state=root / ".botyard" / cluster, cache=cache)


def read_target(flags: Flags, *, any_cluster: bool = False) -> Target:
    """The target that the flags name, with --sources put over what values/targets.yml says.

    Args:
        any_cluster: the task works on clusters that are not ours, too; the others refuse those.
    """
    from botyard.targets import load_target

    target = load_target(root_folder(), flags.target)
    if not (target.ours or any_cluster):
        raise BadInput(
            f"target {target.name} is a cluster that exists (driver {target.driver}); this task is for throw-away "
            "clusters of our own, which it may make and take away",
            "choose a target of driver kind or minikube; what is there for others: invoke target.check, invoke play",
        )
    if not flags.sources:
        return target
    if flags.sources not in ("auto", "registries", "packages"):
        raise BadInput(f"unknown sources {flags.sources!r}", "use auto, registries or packages")
    if target.driver == "minikube" and flags.sources == "registries":
        raise BadInput("driver minikube works from packages alone", "leave --sources away, or choose a target of kind")
    from msgspec.structs import replace

    return replace(target, sources=replace(target.sources, mode=flags.sources))


def reach(name: str) -> tuple[Target, Kube]:
    """A target of any driver and its API, for tasks that look at what is there; one that exists answered just now."""
    from botyard.release import identity

    target = read_target(Flags(name), any_cluster=True)
    kube = identity.open_target(target, paths_for(target.cluster).state)
    if not target.ours:
        identity.must_answer(kube)
    return target, kube


def variables_for(flags: Flags, target: Target, run_dir: Path, *, needs_bot: bool = True) -> dict[str, Any]:
    """The variables that every playbook is given; docs/reference/playbooks.md tells what they mean."""
    from msgspec import to_builtins

    paths = paths_for(target.cluster)
    variables: dict[str, Any] = {
        "root": str(paths.root),
        "state": str(paths.state),
        "cache": str(paths.cache),
        "run_dir": str(run_dir),
        "recreate": flags.recreate,
        "everything": flags.everything,
        "target": {
            **to_builtins(target),
            "network": target.network,
            "exposure_values": target.exposure.gateway(target.driver),
            "kubeconfig": str(target.kubeconfig_in(paths.state)),
        },
    }
    if needs_bot:
        from botyard.host.bot import load_bot
        from botyard.verify.conversations import load_conversations

        bot = load_bot(paths.root, flags.bot)
        load_conversations(bot.dir)  # the checks read it at the end of the run; a fault in it is told now
        variables["bot"] = {
            "name": bot.name, "dir": str(bot.dir), "actions": str(bot.actions),
            "extra_apt": bot.extra_apt, "extra_pip": bot.extra_pip,
        }  # fmt: skip
    return variables


def play(
    files: list[str | Path],
    flags: Flags,
    *,
    needs_bot: bool = True,
    any_cluster: bool = False,
    needs_cluster: bool = True,
    extra: dict[str, Any] | None = None,
) -> None:
    """Runs playbooks (names in playbooks/ or paths) and ends the process with their exit code unless that is 0."""
    with errors_as_lines(flags.debug):
        report = run(
            files, flags, needs_bot=needs_bot, any_cluster=any_cluster, needs_cluster=needs_cluster, extra=extra
        )
    if report is not None and report.exit_code:
        raise Exit(code=report.exit_code)


def run(
    files: list[str | Path],
    flags: Flags,
    *,
    needs_bot: bool = True,
    any_cluster: bool = False,
    needs_cluster: bool = True,
    extra: dict[str, Any] | None = None,
) -> RunReport | None:
    """Like ``play``, but returns the report (None where tasks were only listed).

    Args:
        needs_cluster: without it no cluster is asked, so a pin neither.
    """
    from botyard import playbook

    target = read_target(flags, any_cluster=any_cluster)
    paths = paths_for(target.cluster)
    run_dir = _new_folder(paths.state / "runs" / time.strftime("%Y%m%d-%H%M%S"))
    variables = {**variables_for(flags, target, run_dir, needs_bot=needs_bot), **(extra or {})}
    found = [paths.root / "playbooks" / f if isinstance(f, str) else f for f in files]
    tags, skip = _words(flags.tags), _words(flags.skip_tags)
    if flags.list_tasks or flags.list_tags:
        chosen: dict[str, Any] = {"tags": tags, "skip_tags": skip, "start_at_task": flags.start_at_task or None}
        chosen |= {"tags_only": not flags.list_tasks, "extra_vars": variables, "target": target}
        for line in playbook.list_tasks(found, **chosen):
            print(line)
        return None
    options = playbook.RunOptions(
        paths=paths,
        target=target,
        extra_vars=variables,
        check=flags.check,
        diff=flags.diff,
        tags=tags,
        skip_tags=skip,
        start_at_task=flags.start_at_task or None,
        run_dir=run_dir,
        console="plain" if flags.plain or not sys.stdout.isatty() else "rich",
        debug=flags.debug,
    )
    # Before the lock: a fault in the files is told though another run holds the cluster.
    checked = playbook.check_playbooks(found, ctx=options)
    if needs_cluster and not target.ours:
        from botyard.release import identity

        identity.require_pin(target, identity.identify(identity.open_target(target, paths.state)))
    must_be_writable(paths.cache)
    with one_run_at_a_time(target.cluster, all_clusters=flags.everything):
        return playbook.run_checked(checked, ctx=options)


def _new_folder(wanted: Path) -> Path:
    """This name, or with a number where a run of the same second has it."""
    names = (wanted, *(wanted.with_name(f"{wanted.name}-{n}") for n in range(2, 100)))
    return next((name for name in names if not name.exists()), wanted)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
