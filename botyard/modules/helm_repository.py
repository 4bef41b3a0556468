"""``kubernetes.core.helm_repository``: a Helm repository, known to our own Helm home with its newest index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from botyard.contracts import BadInput, Context, Result
from botyard.modules.helm import binary
from botyard.modules.spec import arg
from botyard.release import charts
from botyard.tools.helm import Helm

NAME = "kubernetes.core.helm_repository"
RETURNS = {
    "url": "its address",
}
EXAMPLE = """\
- name: A repository of charts
  kubernetes.core.helm_repository:
    name: botyard
    url: http://127.0.0.1:8080/charts
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    name: str = arg("what the repository is called", aliases=("repo_name",))
    url: str = arg("its address (http or https)", "", aliases=("repo_url",))
    state: Literal["present", "absent"] = arg("wanted state", "present", aliases=("repo_state",))
    binary_path: str = arg("a helm of your own, 3.13 or newer; without it the one of this checkout", "")


def run(args: Args, ctx: Context) -> Result:
    """Changed where the name, its address or the repository's index is new; check mode says whether it would."""
    home = ctx.paths.state / "helm"
    known = Helm(home / "unused", home).repositories().get(args.name)  # reads a file, needs no program
    if args.state == "absent":
        if known is None:
            return Result(msg=f"{args.name} is not there")
        if not ctx.check:
            Helm(binary(args.binary_path, ctx), home).repo_remove(args.name)
        return Result(changed=True, msg=f"{args.name} removed")
    if not args.url.startswith(("http://", "https://")):
        raise BadInput(f"helm repository {args.name}: url must be http or https, not {args.url or 'empty'}")
    why = _why(args, home_known=known, ctx=ctx)
    if why and not ctx.check:
        helm = Helm(binary(args.binary_path, ctx), home)
        if known == args.url:
            helm.repo_update(args.name)
        else:
            helm.repo_add(args.name, args.url)
    return Result(changed=bool(why), msg=why or f"{args.name} is known and current", data={"url": args.url})


def _why(args: Args, home_known: str | None, ctx: Context) -> str:
    if home_known is None:
        return f"{args.name} added: {args.url}"
    if home_known != args.url:
        return f"{args.name} now leads to {args.url} (was {home_known})"
    kept = Helm(ctx.paths.state, ctx.paths.state / "helm").repository_index(args.name)
    there = charts.fetch(f"{args.url.rstrip('/')}/{charts.INDEX}")
    if not kept.is_file() or kept.read_bytes() != there:
        return f"new index of {args.name}"
    return ""
