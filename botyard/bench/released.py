"""What is released now, as the variables of release.yml: with them that playbook has nothing to change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from botyard.contracts import BotyardError, Paths
from botyard.host.toolbox import tool
from botyard.targets import Target
from botyard.tools.helm import Helm

PLAYBOOK = Path(__file__).with_name("release.yml")
_CHARTS = {"rasa-action-server": "rasa-action-server", "myrasa": "rasa"}
_REPOSITORY = "botyard"


def variables(target: Target, paths: Paths) -> tuple[str, str]:
    """The variables as JSON; or why there are none, as where nothing is released."""
    try:
        helm = Helm(tool(paths, "helm"), paths.state / "helm", paths.state / "kubeconfig", target.context)
        url = helm.repositories()[_REPOSITORY]
        found = {name: _release(helm, name, chart, target.namespace) for name, chart in _CHARTS.items()}
    except (BotyardError, KeyError) as error:
        return "", f"nothing is released to {target.name}: {str(error).splitlines()[0]}"
    names = {"bench_namespace": target.namespace, "bench_repository": url, "bench_releases": found}
    return json.dumps(names), ""


def _release(helm: Helm, name: str, chart: str, namespace: str) -> dict[str, Any]:
    live = helm.status(name, namespace)
    if live is None:
        raise BotyardError(f"there is no release {name}")
    newest = helm.history(name, namespace)[-1]["chart"]
    return {"chart_version": newest.removeprefix(f"{chart}-"), "release_values": live.values}
