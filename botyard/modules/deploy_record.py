"""``botyard.core.deploy_record``: which revisions were deployed together, kept in the cluster."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from botyard.contracts import BadInput, Context, Result
from botyard.modules.spec import arg
from botyard.release import deploys, guard, unit
from botyard.tools.helm_record import kept
from botyard.tools.kube import Kube

NAME = "botyard.core.deploy_record"
RETURNS = {
    "deploy": "the deploy that was noted or chosen: number, at, by, about, revisions, note; nothing in check mode "
    "where it would be noted, or where nothing has moved since the last one",
}
EXAMPLE = """\
- name: Note the deploy in the cluster
  botyard.core.deploy_record:
    state: recorded
    namespace: "{{ target.namespace }}"
    releases: [rasa-action-server, myrasa]
    about: {bot: "{{ bot.name }}"}

- name: What to go back to
  botyard.core.deploy_record:
    state: chosen
    namespace: "{{ target.namespace }}"
  register: before
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    state: Literal["recorded", "chosen"] = arg("recorded notes where the releases stand; chosen only looks one up")
    namespace: str = arg("of the releases")
    releases: list[str] = arg("with recorded: their names, in the order in which they are installed", [])
    about: dict[str, Any] = arg("with recorded: what was released, for people and for the checks", {})
    note: str = arg("with recorded: what is special about it", "")
    number: int = arg("with chosen: of the deploy; 0 is the one before the last", 0)


def run(args: Args, ctx: Context) -> Result:
    """Changed where a deploy was noted; none is where no release has moved. In check mode it only looks."""
    kube = Kube(ctx.kubeconfig, ctx.target.context)
    with guard.answering(kube):
        known = deploys.read(kube, args.namespace)
        if args.state == "chosen":
            found = deploys.chosen(known, args.number, args.namespace)
            _must_be_there(kube, args.namespace, found)
            return Result(msg=_shown(found), data={"deploy": asdict(found)})
        if not args.releases:
            raise BadInput("deploy_record: releases is missing", "name the releases that belong together")
        now = unit.noted(kube, args.namespace, args.releases)
        if known and known[-1].revisions == now:
            return Result(msg=f"as noted: {_shown(known[-1])}")
        if ctx.check:
            return Result(changed=True, msg=f"would note deploy {known[-1].number + 1 if known else 1}")
        new = deploys.add(kube, args.namespace, known, args.about, now, args.note)
    return Result(changed=True, msg=_shown(new), data={"deploy": asdict(new)})


def _must_be_there(kube: Kube, namespace: str, found: deploys.Deploy) -> None:
    for name, revision in found.revisions.items():
        if revision not in kept(kube, name, namespace):
            raise BadInput(
                f"deploy {found.number} had revision {revision} of release {name}, which Helm no longer keeps",
                "choose a newer one with --to, or deploy that version again",
            )


def _shown(one: deploys.Deploy) -> str:
    what = ", ".join(f"{name} revision {revision}" for name, revision in one.revisions.items())
    bot = f"bot {one.about['bot']}, " if one.about.get("bot") else ""
    return f"deploy {one.number} of {one.at} by {one.by}: {bot}{what}{f' ({one.note})' if one.note else ''}"
