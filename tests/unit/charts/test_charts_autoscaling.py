"""autoscaling.behavior, the replicas that the autoscaler owns, and the DNS label that Azure would refuse."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
from chart_objects import Render

from botyard.contracts import CommandError
from botyard.reference.charts import VERSIONS

NAMES = {"rasa": "myrasa", "rasa-action-server": "rasa-action-server"}
AZURE = "service.beta.kubernetes.io/azure-dns-label-name"
every_chart = pytest.mark.parametrize("chart", VERSIONS)
BEHAVIOR: dict[str, Any] = {
    "scaleUp": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 15}], "selectPolicy": "Max"},
    "scaleDown": {"stabilizationWindowSeconds": 15},
}


@every_chart
def test_behavior_is_passed_through(render: Render, chart: str) -> None:
    objects = render(chart, autoscaling={"enabled": True, "behavior": BEHAVIOR})
    scaler = objects["HorizontalPodAutoscaler", NAMES[chart]]
    assert scaler["spec"]["behavior"] == BEHAVIOR
    assert scaler["spec"]["metrics"][0]["resource"]["name"] == "cpu"
    kubernetes_validate.validate(scaler, "1.34", strict=True)


@every_chart
@pytest.mark.parametrize("behavior", [{}, None])
def test_without_a_behavior_kubernetes_own_holds(render: Render, chart: str, behavior: Any) -> None:
    objects = render(chart, autoscaling={"enabled": True, "behavior": behavior})
    assert "behavior" not in objects["HorizontalPodAutoscaler", NAMES[chart]]["spec"]


@every_chart
@pytest.mark.parametrize(
    ("behavior", "key"),
    [
        ({"scaleDown": {"stabilizationWindowSeconds": "15s"}}, "scaleDown/stabilizationWindowSeconds"),
        ({"scaleDown": {"stabilizationWindowSeconds": 3601}}, "scaleDown/stabilizationWindowSeconds"),
        ({"scaleUp": {"selectPolicy": "Most"}}, "scaleUp/selectPolicy"),
        ({"scaleUp": {"policies": [{"type": "Pods", "value": 0, "periodSeconds": 15}]}}, "scaleUp/policies/0/value"),
        ({"scaleUp": {"policies": [{"type": "Pods", "value": 1}]}}, "scaleUp/policies/0"),
    ],
)
def test_a_behavior_that_kubernetes_refuses_is_named(render: Render, chart: str, behavior: Any, key: str) -> None:
    with pytest.raises(CommandError, match=f"/autoscaling/behavior/{key}"):
        render(chart, autoscaling={"enabled": True, "behavior": behavior})


@every_chart
@pytest.mark.parametrize("label", ["acrasa", "a1b", "a-b-9", "a" * 63])
def test_an_azure_dns_label_is_passed_on(render: Render, chart: str, label: str) -> None:
    objects = render(chart, service={"type": "LoadBalancer", "annotations": {AZURE: label}})
    assert objects["Service", NAMES[chart]]["metadata"]["annotations"] == {AZURE: label}


@every_chart
@pytest.mark.parametrize("label", ["ab", "1ab", "Acrasa", "a.b.c", "ab-", "a_b_c", "a" * 64])
def test_an_azure_dns_label_that_azure_refuses_is_named(render: Render, chart: str, label: str) -> None:
    with pytest.raises(CommandError, match="Azure takes no DNS label") as caught:
        render(chart, service={"type": "LoadBalancer", "annotations": {AZURE: label}})
    assert label in caught.value.stderr and AZURE in caught.value.stderr
