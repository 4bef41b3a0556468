"""``botyard.core.chart_artifact``: charts by their version in the target's registry, as OCI artifacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from botyard.contracts import Context, Result
from botyard.host import chart_artifacts, registry_place, toolbox
from botyard.modules.spec import arg
from botyard.tools.helm import Helm

NAME = "botyard.core.chart_artifact"
RETURNS = {
    "refs": "by chart: its place in the registry with version and digest; empty for those of this checkout",
    "folders": "by chart: its folder on this machine; of state fetched",
}
EXAMPLE = """\
- name: Charts into the registry
  botyard.core.chart_artifact:
    charts: ["{{ root }}/charts/rasa"]

- name: One of them back from there
  botyard.core.chart_artifact:
    state: fetched
    charts: [rasa]
    version: 0.3.0
  register: fetched
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    charts: list[str] = arg("folders of charts; of state fetched, their names")
    state: Literal["present", "fetched"] = arg("present: in the registry; fetched: from there to here", "present")
    version: str = arg("which one to fetch; without it, those of this checkout as they are", "")


def run(args: Args, ctx: Context) -> Result:
    """Changed where the registry had no such version; one that it has with other content is refused.

    In check mode nothing is pushed; what is fetched goes into this machine's cache all the same.
    """
    return _fetched(args, ctx) if args.state == "fetched" else _present(args, ctx)


def _present(args: Args, ctx: Context) -> Result:
    place = registry_place.of(ctx.target)
    home = ctx.paths.state / "helm"
    helm = Helm(toolbox.tool(ctx.paths, "helm"), home)
    charts = [chart_artifacts.packed(helm, ctx.basedir / folder, home / "packages") for folder in args.charts]
    with place.open() as registry:
        new = chart_artifacts.put_all(registry, place, charts, ctx.progress, check=ctx.check)
        refs = {chart.name: chart_artifacts.shown_of(registry, place, chart) for chart in charts}
    verb = "would be pushed" if ctx.check else "pushed"
    told = ", ".join(f"{chart.name} {chart.version}" for chart in new)
    return Result(changed=bool(new), msg=f"{verb}: {told}" if new else "published already", data={"refs": refs})


def _fetched(args: Args, ctx: Context) -> Result:
    if not args.version:
        own = {name: str(ctx.paths.root / "charts" / name) for name in args.charts}
        return Result(msg="those of this checkout", data={"refs": {}, "folders": own})
    place = registry_place.of(ctx.target)
    with place.open() as registry:
        found = {
            name: chart_artifacts.fetched(registry, place, name, args.version, ctx.paths.cache / "charts")
            for name in args.charts
        }
    refs = {name: one.ref for name, one in found.items()}
    folders = {name: str(one.folder) for name, one in found.items()}
    return Result(msg=", ".join(refs.values()), data={"refs": refs, "folders": folders})
