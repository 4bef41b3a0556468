"""How long the main job takes beside the least that it could take."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from botyard.bench.figure import Figure
from botyard.contracts import BotyardError, Paths
from botyard.host import containers
from botyard.host.kind_cluster import nodes_of
from botyard.host.toolbox import tool
from botyard.process import Arg
from botyard.process import run as run_process
from botyard.targets import Target
from botyard.tools.kube import Kube
from botyard.verify.rest import say

# Runs playbooks of playbooks/ (with tags to skip) and returns the run's report.
Play = Callable[[list[str], str], Any]


def figures(play: Play, target: Target, paths: Paths) -> Iterator[Figure]:
    """Measures one figure after the other; the cluster of the target is taken down and made again.

    Raises:
        BotyardError: a run in between failed.
    """
    first = _good(play(["release_all.yml"], ""))
    image = next(task.data["ref"] for task in first.tasks if task.module == "botyard.core.node_image")
    _good(play(["down.yml"], ""))
    bare_before_s = _bare_kind(target, paths, image)
    ours = _good(play(["host.yml", "services.yml", "cluster.yml"], ""))
    _good(play(["host.yml", "services.yml", "cluster.yml", "bot.yml"], ""))
    _good(play(["cluster_down.yml"], ""))
    bare_s = (bare_before_s + _bare_kind(target, paths, image)) / 2
    yield Figure(
        "(a) cluster with registry, depot and mirrors / bare kind create cluster",
        ours.duration_s, bare_s, 1.15, "bare: the mean of one before and one after",
    )  # fmt: skip

    started = time.monotonic()
    released = _good(play(["release_all.yml"], ""))
    say(f"http://127.0.0.1:{target.ports.rasa}", "bench", "hello")
    total_s = time.monotonic() - started
    cluster_s = next(task.duration_s for task in released.tasks if task.module == "botyard.core.kind_cluster")
    kube = Kube(paths.state / "kubeconfig", target.context)
    pull_s, ready_s = slowest_pull_s(kube, target.namespace), slowest_start_s(kube, target.namespace)
    yield Figure(
        "(b) no cluster to the first good reply / cluster + slowest pull + Rasa ready",
        total_s, cluster_s + pull_s + ready_s, 1.3, f"{cluster_s:.1f} + {pull_s:.1f} + {ready_s:.1f}",
    )  # fmt: skip

    again = _good(play(["e2e.yml"], "disruptive"))
    if again.changed:
        raise BotyardError(f"the second run changed {again.changed} tasks", "see its report")
    yield Figure("(c) second e2e with the readonly checks, changed=0 / 20 s", again.duration_s, 20, 1.0)


def _good(report: Any) -> Any:
    if report is None or report.exit_code:
        raise BotyardError("a run of the benchmark failed", "mend that first: invoke e2e")
    return report


def _bare_kind(target: Target, paths: Paths, image: str) -> float:
    """Seconds of bare `kind create cluster --wait` with the same image and number of nodes."""
    kind, name = tool(paths, "kind"), f"{target.cluster}-bare"
    roles = "".join(f"- role: {role}\n" for role in ["control-plane", *["worker"] * target.workers])
    with tempfile.TemporaryDirectory() as folder:
        config, kubeconfig = Path(folder) / "kind.yaml", Path(folder) / "kubeconfig"
        config.write_text(f"kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n{roles}")
        common: list[Arg] = ["--name", name, "--kubeconfig", kubeconfig]
        _remove_nodes(name)  # of a benchmark that was killed
        try:
            made = run_process(
                [kind, "create", "cluster", *common, "--image", image, "--config", config, "--wait", "300s"]
            )
        finally:
            _remove_nodes(name)
    return made.duration_s


def _remove_nodes(cluster: str) -> None:
    """Not by kind, which says that it is done where Docker could not remove a node."""
    containers.remove([str(node.name) for node in nodes_of(cluster)])


def slowest_pull_s(kube: Kube, namespace: str) -> float:
    """Seconds of the slowest image pull that the namespace's events tell of."""
    found = [0.0]
    for event in kube.list("v1", "Event", namespace):
        seconds = re.search(r"Successfully pulled image .* in ((?:\d+m)?[\d.]+m?s)", event.get("message") or "")
        if seconds:
            found.append(_go_seconds(seconds.group(1)))
    return max(found)


def _go_seconds(text: str) -> float:
    if text.endswith("ms"):
        return float(text[:-2]) / 1000
    minutes, _, rest = text[:-1].rpartition("m")
    return 60 * float(minutes or 0) + float(rest)


def slowest_start_s(kube: Kube, namespace: str) -> float:
    """Seconds from the start of the Rasa container to Ready, of the slowest pod."""
    found = [0.0]
    for pod in kube.list("v1", "Pod", namespace, labels="app.kubernetes.io/name=rasa"):
        ready = next((c for c in pod["status"].get("conditions", []) if c["type"] == "Ready"), None)
        for status in pod["status"].get("containerStatuses", []):
            running = status.get("state", {}).get("running")
            if running and ready and status["name"] == "rasa-oss":
                found.append((_moment(ready["lastTransitionTime"]) - _moment(running["startedAt"])).total_seconds())
    return max(found)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
