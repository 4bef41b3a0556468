"""What is released now, as the variables of release.yml: with them that playbook has nothing to change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from botyard.contracts import BotyardError, Paths
from botyard.host.toolbox import tool
from botyard.release import guard
from botyard.targets import Target
from botyard.tools.helm import Helm
from botyard.tools.helm_record import recorded
from botyard.tools.kube import Kube

PLAYBOOK = Path(__file__).with_name("release.yml")
_CHARTS = {"rasa-action-server": "rasa-action-server", "myrasa": "rasa"}
_REPOSITORY = "botyard"


def variables(target: Target, paths: Paths) -> tuple[str, str]:
    """The variables as JSON; or why there are none, as where nothing is released."""
    try:
        url = Helm(tool(paths, "helm"), paths.state / "helm").repositories()[_REPOSITORY]
        kube = Kube(paths.state / "kubeconfig", target.context)
        with guard.answering(kube):
            found = {name: _release(kube, name, chart, target.namespace) for name, chart in _CHARTS.items()}
    except (BotyardError, KeyError) as error:
        return "", f"nothing is released to {target.name}: {str(error).splitlines()[0]}"
    names = {"bench_namespace": target.namespace, "bench_repository": url, "bench_releases": found}
    return json.dumps(names), ""


def _release(kube: Kube, name: str, chart: str, namespace: str) -> dict[str, Any]:
    live = recorded(kube, name, namespace)
    if live is None:
        raise BotyardError(f"there is no release {name}")
    return {"chart_version": live.chart.removeprefix(f"{chart}-"), "release_values": live.values}
