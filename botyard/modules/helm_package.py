"""``botyard.core.helm_package``: charts, named by their content, in the depot's Helm repository."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from botyard.contracts import BotyardError, Context, Result
from botyard.host import toolbox
from botyard.host.publish import publish
from botyard.modules.spec import arg
from botyard.release import charts as packing
from botyard.tools import docker
from botyard.tools.helm import Helm

NAME = "botyard.core.helm_package"
FOLDER = "charts"
RETURNS = {
    "repo_url": "the repository's address from this machine",
    "versions": "version of each chart by its name",
}
EXAMPLE = """\
- name: Package and publish
  botyard.core.helm_package:
    charts: ["{{ root }}/charts/rasa"]
  register: packages

- name: Make them known to helm
  kubernetes.core.helm_repository:
    name: botyard
    url: "{{ packages.repo_url }}"
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    charts: list[str] = arg("folders of charts")


def run(args: Args, ctx: Context) -> Result:
    """Packages only what the depot does not have by that content; check mode says what it would publish."""
    wanted = [packing.wanted(_path(folder, ctx)) for folder in args.charts]
    repo_url = f"http://127.0.0.1:{ctx.target.ports.depot}/{FOLDER}"
    data = {"repo_url": repo_url, "versions": {chart.name: chart.version for chart in wanted}}
    name = f"{ctx.target.cluster}-depot"
    depot = docker.container(name) if docker.engine_answers() else None
    if depot is None or depot.status != "running":
        if ctx.check:
            return Result(changed=True, msg="there is no depot yet", data=data)
        raise BotyardError(f"there is no depot container {name}", "run invoke e2e --tags services")
    index = packing.published(repo_url)
    new = [chart for chart in wanted if not packing.is_published(repo_url, index, chart)]
    if new and not ctx.check:

        def put(file: Path) -> None:
            publish(file, f"{FOLDER}/{file.name}", ctx.target, progress=ctx.progress)

        home = ctx.paths.state / "helm"
        packing.publish(Helm(toolbox.tool(ctx.paths, "helm"), home), new, index, home / "packages", put)
    told = ", ".join(chart.archive for chart in new) or "published already"
    return Result(changed=bool(new), msg=told, data=data)


def _path(folder: str, ctx: Context) -> Path:
    path = Path(folder)
    return path if path.is_absolute() else ctx.basedir / path
