"""Where the pods run, and whether all of them serve."""

from __future__ import annotations

from collections import Counter

import pytest

from botyard.verify.put_back import rollout_state
from botyard.verify.released import ACTIONS, RASA, RASA_PODS, Pod, Released

pytestmark = pytest.mark.readonly


def test_every_node_is_ready(released: Released) -> None:
    """All nodes of the target are there and Ready."""
    nodes = released.kube.list("v1", "Node")
    bad = [
        node["metadata"]["name"]
        for node in nodes
        if not any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])
    ]
    assert not bad, f"not Ready: {', '.join(bad)}"
    assert len(nodes) == released.target.workers + 1


@pytest.mark.parametrize("name", [RASA, ACTIONS])
def test_all_replicas_are_ready(released: Released, name: str) -> None:
    """Every wanted replica is of the newest version and Ready, and none of an older version is left."""
    body = released.deployment(name)
    done, shown = rollout_state(body)
    assert done, shown
    assert body["spec"]["replicas"] >= 2, "one replica is no proof of several working together"


def test_no_two_rasa_pods_share_a_node(rasa_pods: list[Pod]) -> None:
    """Required anti-affinity holds: one node lost is one Rasa pod lost."""
    crowded = {node: n for node, n in Counter(pod.node for pod in rasa_pods).items() if n > 1}
    assert not crowded, f"Rasa pods by node: {crowded}"


def test_action_pods_are_on_different_nodes(action_pods: list[Pod]) -> None:
    """Preferred anti-affinity was obeyed, as there are nodes enough."""
    assert len({pod.node for pod in action_pods}) == len(action_pods), [(p.name, p.node) for p in action_pods]


def test_pods_run_on_workers_only(released: Released, all_pods: list[Pod]) -> None:
    """Nothing of the release runs on the control plane."""
    control = {
        node["metadata"]["name"]
        for node in released.kube.list("v1", "Node", labels="node-role.kubernetes.io/control-plane")
    }
    assert control, "no control plane node was found"
    assert not [pod.name for pod in all_pods if pod.node in control]


@pytest.mark.parametrize("name", [RASA, ACTIONS])
def test_service_leads_to_every_pod(
    released: Released, rasa_pods: list[Pod], action_pods: list[Pod], name: str
) -> None:
    """The Service's ready endpoints are exactly the pods: none forgotten, none too many.

    With a gateway the bot's own Service leads to that (test_gateway.py), and the headless one to Rasa's pods.
    """
    service = RASA_PODS if name == RASA and released.has_gateway else name
    pods = rasa_pods if name == RASA else action_pods
    assert released.ready_behind(service) == {pod.ip for pod in pods}
