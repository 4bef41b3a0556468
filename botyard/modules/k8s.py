"""``kubernetes.core.k8s``: objects as a definition says, by server-side apply; or gone."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from botyard.contracts import BadInput, Context, Diff, Result
from botyard.modules.spec import arg
from botyard.release import desired, guard, pods
from botyard.tools.kube import Kube
from botyard.wait import wait_until

NAME = "kubernetes.core.k8s"
RETURNS = {
    "result": "the live object; of several `results`, each with `changed` and `result`; not in check mode",
}
EXAMPLE = """\
- name: Namespace
  kubernetes.core.k8s:
    definition:
      apiVersion: v1
      kind: Namespace
      metadata: {name: shop}
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    state: Literal["present", "absent"] = arg("wanted state", "present")
    definition: dict[str, Any] | list[dict[str, Any]] | str | None = arg(
        "the object, a list of them, or YAML text", None, aliases=("resource_definition", "inline")
    )
    src: str = arg("file with one or more objects", "")
    kind: str = arg("kind, where no definition is given", "")
    api_version: str = arg("API version, where no definition is given", "v1", aliases=("api", "version"))
    name: str = arg("name, where no definition is given", "")
    namespace: str = arg("namespace of objects that name none", "")
    wait: bool = arg("wait until Deployments are rolled out, or until what is deleted is gone", False)
    wait_timeout: int = arg("seconds to wait", 120)


def run(args: Args, ctx: Context) -> Result:
    """Changed is decided by the server's own dry run; check mode only asks for that, --diff shows it."""
    bodies = _bodies(args, ctx)
    ctx.hide([desired.secret_values(body) for body in bodies])
    kubeconfig = ctx.kubeconfig
    if ctx.check and not kubeconfig.is_file():
        return Result(changed=args.state == "present", msg="there is no cluster yet")
    kube = Kube(kubeconfig, ctx.target.context)
    with guard.answering(kube):
        return (_absent if args.state == "absent" else _present)(kube, bodies, args, ctx)


def _bodies(args: Args, ctx: Context) -> list[dict[str, Any]]:
    if args.src:
        file = Path(args.src)
        return desired.load_documents(file if file.is_absolute() else ctx.basedir / file)
    if isinstance(args.definition, str):
        return desired.load_documents(args.definition)
    if args.definition is not None:
        return desired.flatten(args.definition if isinstance(args.definition, list) else [args.definition])
    if not (args.kind and args.name):
        raise BadInput("kubernetes.core.k8s needs definition, src, or kind and name")
    return [{"apiVersion": args.api_version, "kind": args.kind, "metadata": {"name": args.name}}]


def _present(kube: Kube, bodies: list[dict[str, Any]], args: Args, ctx: Context) -> Result:
    namespace = args.namespace or None
    diffs: list[Diff] = []
    seen: dict[int, dict[str, Any]] = {}
    results: list[dict[str, Any]] = []
    changed: list[bool] = []
    for number, body in enumerate(bodies):
        diff = desired.difference(kube, body, namespace, seen=functools.partial(seen.__setitem__, number))
        changed.append(diff is not None)
        if diff is not None:
            diffs.append(diff)
            if not ctx.check:
                desired.applied(kube, body, namespace)
    if not ctx.check:
        for number, body in enumerate(bodies):
            waited = args.wait and body["kind"] == "Deployment"
            if waited:
                _rolled_out(kube, body, args, ctx)
            known = None if waited or len(bodies) > 1 else seen.get(number)
            results.append(known or _live(kube, body, namespace) or {})
            ctx.hide(desired.secret_values(results[-1]))
    names = ", ".join(d.header for d in diffs)
    each = [{"changed": new, "result": live} for new, live in zip(changed, results, strict=False)]
    data: dict[str, Any] = {}
    if not ctx.check:
        data["result"] = results[0] if len(results) == 1 else {"results": each}
    return Result(changed=bool(diffs), msg=names or "as wanted", data=data, diff=diffs if ctx.diff else [])


def _absent(kube: Kube, bodies: list[dict[str, Any]], args: Args, ctx: Context) -> Result:
    namespace = args.namespace or None
    found = [(body, live) for body in bodies if (live := _live(kube, body, namespace)) is not None]
    # What is on its way out already (a namespace takes its time) is not deleted again.
    there = [(body, live) for body, live in found if not live["metadata"].get("deletionTimestamp")]
    diffs = [Diff(desired.shown(body), desired.as_text(desired.comparable(live)), "") for body, live in there]
    if not ctx.check:
        for body, _ in there:
            kube.delete(body["apiVersion"], body["kind"], body["metadata"]["name"], _namespace(body, namespace))
        for body, _ in found if args.wait else []:
            wait_until(
                f"the end of {desired.shown(body)}",
                lambda body=body: (_live(kube, body, namespace) is None, "still there"),  # type: ignore[misc]
                args.wait_timeout,
            )
    names = ", ".join(diff.header for diff in diffs)
    return Result(changed=bool(there), msg=names or "not there", diff=diffs if ctx.diff else [])


def _rolled_out(kube: Kube, body: dict[str, Any], args: Args, ctx: Context) -> None:
    namespace = args.namespace or None

    def probe() -> tuple[bool, str]:
        live = _live(kube, body, namespace)
        why = pods.unfinished(live) if live else "gone"
        if live and why:
            labels = live["spec"]["selector"].get("matchLabels") or {}
            chosen = ",".join(f"{key}={value}" for key, value in labels.items())
            blocked = pods.blocked(kube.list("v1", "Pod", _namespace(body, namespace), labels=chosen)) if chosen else ""
            why = f"{why}; {blocked}" if blocked else why
        return not why, why

    wait_until(desired.shown(body), probe, args.wait_timeout, progress=ctx.progress)


def _namespace(body: dict[str, Any], namespace: str | None) -> str | None:
    given: str | None = body["metadata"].get("namespace", namespace)
    return given


def _live(kube: Kube, body: dict[str, Any], namespace: str | None) -> dict[str, Any] | None:
    return kube.get(body["apiVersion"], body["kind"], body["metadata"]["name"], _namespace(body, namespace))
