"""A bot on a real minikube cluster, beside what kind has made: made, used, found again, brought back, and taken away.

Needs a machine on which `invoke e2e` works from packages; run by `invoke test --all`. In order: each test uses what the
one before it left.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from slow_lane import INVOKE, ROOT, invoke

from botyard.contracts import MARK_CONFIGMAP
from botyard.targets import load_target
from botyard.tools import docker
from botyard.tools.kube import Kube

TARGET = load_target(ROOT, "minikube")
STATE = ROOT / ".botyard" / TARGET.cluster
WAS_THERE = (Path.home() / ".minikube").exists()  # a user's own
NODES = [TARGET.cluster, *(f"{TARGET.cluster}-m{number:02}" for number in range(2, 2 + TARGET.workers))]


@pytest.fixture
def kube() -> Kube:
    return Kube(STATE / "kubeconfig", TARGET.context)


def started() -> dict[str, str]:
    """When each node was last started."""
    found = {name: docker.container(name) for name in NODES}
    return {name: str(one.attrs["State"]["StartedAt"]) for name, one in found.items() if one is not None}


def of_ours() -> list[str]:
    """What Docker has of this cluster: containers, volumes and networks, by name."""
    found = []
    for kind, shown in (("ps", "{{.Names}}"), ("volume", "{{.Name}}"), ("network", "{{.Name}}")):
        words = ["ps", "--all"] if kind == "ps" else [kind, "ls"]
        names = docker.cli(*words, "--format", shown).stdout.split()
        found += [name for name in names if name == TARGET.cluster or name.startswith(f"{TARGET.cluster}-")]
    return found


def test_a_bot_is_released_and_passes_the_readonly_checks() -> None:
    said = invoke("e2e", "--target", TARGET.name, "--skip-tags", "disruptive")
    assert f"{len(NODES)} nodes Ready, DNS up" in said
    assert "checks passed" in said


def test_it_is_minikubes_and_carries_our_mark(kube: Kube) -> None:
    nodes = {node["metadata"]["name"]: node for node in kube.list("v1", "Node")}
    assert sorted(nodes) == NODES
    for name, node in nodes.items():
        ready = next(one["status"] for one in node["status"]["conditions"] if one["type"] == "Ready")
        about = node["status"]["nodeInfo"]
        assert (ready, about["kubeletVersion"]) == ("True", TARGET.kubernetes_version), name
        assert about["containerRuntimeVersion"].startswith("containerd://"), name
    assert nodes[NODES[0]]["metadata"]["labels"]["minikube.k8s.io/name"] == TARGET.cluster
    assert kube.get("v1", "ConfigMap", MARK_CONFIGMAP, "kube-system") is not None


def test_it_answers_on_the_targets_port() -> None:
    done = subprocess.run([*INVOKE, "talk", "hello", "--target", TARGET.name], cwd=ROOT, check=True,
                          capture_output=True, text=True, timeout=120)  # fmt: skip
    assert done.stdout.strip()


def test_a_second_run_changes_nothing_and_asks_minikube_nothing() -> None:
    before = started()
    profile = STATE / "minikube/.minikube/profiles" / TARGET.cluster / "config.json"
    written = profile.stat().st_mtime_ns
    said = invoke("release", "--target", TARGET.name)
    assert "changed=0" in said
    assert (started(), profile.stat().st_mtime_ns) == (before, written)


def test_stopped_nodes_come_back_and_the_bot_answers(kube: Kube) -> None:
    docker.cli("stop", "--time", "5", *NODES, timeout_s=120)
    said = invoke("release", "--target", TARGET.name)
    assert "making it anew" not in said
    assert f"{len(NODES)} nodes Ready, DNS up" in said
    invoke("verify", "--target", TARGET.name)


def test_sources_that_it_does_not_work_from_are_refused() -> None:
    said = invoke("cluster", "--target", TARGET.name, "--sources", "registries", wanted=2)
    assert "driver minikube works from packages alone" in said


def test_down_takes_away_what_is_ours_and_nothing_else() -> None:
    others = set(docker.cli("ps", "--all", "--format", "{{.Names}}").stdout.split()) - set(of_ours())
    invoke("down", "--target", TARGET.name)
    assert of_ours() == []
    assert not (STATE / "kubeconfig").exists() and not (STATE / "minikube").exists()
    assert others <= set(docker.cli("ps", "--all", "--format", "{{.Names}}").stdout.split())
    assert not (Path.home() / ".minikube").exists() or WAS_THERE
