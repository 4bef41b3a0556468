"""The chart rasa-action-server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Objects = dict[tuple[str, str], dict[str, Any]]
Render = Callable[..., Objects]

CHART = "rasa-action-server"
AUTHOR = "tests/unit/charts/author/action_values.yml"
BASE = "values/rasa-action-server/base.yaml"
KIND = "values/rasa-action-server/kind.yaml"


def pod(objects: Objects) -> dict[str, Any]:
    return dict(objects["Deployment", CHART]["spec"]["template"]["spec"])


@pytest.mark.parametrize("files", [(), (BASE, KIND), (AUTHOR,)])
def test_lints_clean(lint: Callable[..., None], files: tuple[str, ...]) -> None:
    lint(CHART, *files)


def test_the_authors_values_render_what_they_ask_for(render: Render) -> None:
    objects = render(CHART, AUTHOR)
    (container,) = pod(objects)["containers"]
    assert container["name"] == "action-server"
    assert container["image"] == "docker.io/kevinng77/myaction:latest"
    assert container["imagePullPolicy"] == "Always"
    assert objects["Deployment", CHART]["spec"]["replicas"] == 2
    assert "command" not in container, "the image knows how to start"


def test_the_service_leads_from_80_to_5055(render: Render) -> None:
    objects = render(CHART, AUTHOR)
    service = objects["Service", CHART]["spec"]
    assert service["type"] == "ClusterIP"
    assert service["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]
    (container,) = pod(objects)["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": 5055}]


def test_selectors_match_the_pods(render: Render) -> None:
    objects = render(CHART, BASE)
    labels = objects["Deployment", CHART]["spec"]["template"]["metadata"]["labels"]
    assert objects["Deployment", CHART]["spec"]["selector"]["matchLabels"] == labels
    assert objects["Service", CHART]["spec"]["selector"] == labels
    assert labels["app"] == "rasa-action-server"
    assert labels["app.kubernetes.io/instance"] == CHART


def test_connections_outlive_a_blocked_rasa(render: Render) -> None:
    (container,) = pod(render(CHART))["containers"]
    assert {"name": "SANIC_KEEP_ALIVE_TIMEOUT", "value": "75"} in container["env"]


def test_actions_can_tell_which_pod_served_them(render: Render) -> None:
    (container,) = pod(render(CHART))["containers"]
    fields = {e["name"]: e["valueFrom"]["fieldRef"]["fieldPath"] for e in container["env"] if "valueFrom" in e}
    assert fields == {"POD_NAME": "metadata.name", "NODE_NAME": "spec.nodeName"}


def test_pods_are_restricted(render: Render) -> None:
    spec = pod(render(CHART, AUTHOR))
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsUser"] == 1001
    (container,) = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_it_rolls_and_drains_without_losing_a_call(render: Render) -> None:
    objects = render(CHART)
    (container,) = pod(objects)["containers"]
    assert container["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]
    assert objects["Deployment", CHART]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert container["readinessProbe"]["httpGet"]["path"] == "/health"


def test_autoscaling_and_disruption_budget(render: Render) -> None:
    objects = render(CHART, AUTHOR, autoscaling={"enabled": True}, podDisruptionBudget={"enabled": True})
    assert objects["HorizontalPodAutoscaler", CHART]["spec"]["maxReplicas"] == 5
    assert objects["PodDisruptionBudget", CHART]["spec"]["maxUnavailable"] == 1
    assert "replicas" not in objects["Deployment", CHART]["spec"]
