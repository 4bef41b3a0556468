"""A load brings more pods, and they go when it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from botyard.tools.helm import Chart, Helm
from botyard.verify.conversations import Conversation
from botyard.verify.helm_record import HelmRecord
from botyard.verify.put_back import rolled_back
from botyard.verify.released import RASA, Released
from botyard.verify.traffic import MOST_PER_S, Traffic
from botyard.wait import wait_until

pytestmark = pytest.mark.disruptive
METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods"
CALM_PER_S = 1
# The load gives each of two pods more than 100m of CPU, which is what the release asks for; the calm after it far less.
SCALED: dict[str, Any] = {
    "enabled": True,
    "minReplicas": 2,
    "maxReplicas": 3,
    "targetCPUUtilizationPercentage": 60,
    "behavior": {"scaleDown": {"stabilizationWindowSeconds": 15}},
}


def _counts(released: Released) -> tuple[int, int]:
    """How many Rasa pods there are to be, and how many are ready."""
    body = released.deployment(RASA)
    return int(body["spec"].get("replicas", 1)), int((body.get("status") or {}).get("readyReplicas") or 0)


def _scaler(released: Released) -> str:
    found = released.kube.get("autoscaling/v2", "HorizontalPodAutoscaler", RASA, released.namespace) or {}
    status = found.get("status") or {}
    usage = [
        m.get("resource", {}).get("current", {}).get("averageUtilization") for m in status.get("currentMetrics") or []
    ]
    return f"{_counts(released)[1]} ready of {_counts(released)[0]}, CPU {usage[0] if usage else '?'} % of the request"


@contextmanager
def _people(released: Released, greeting: Conversation, rate_per_s: float) -> Iterator[Traffic]:
    """Traffic that must lose nothing."""
    with Traffic(released.base_url, [greeting.turns[0].say], rate_per_s=rate_per_s, senders=20) as people:
        yield people
    assert people.tally.sent and not people.tally.losses, people.tally.summary()
    print(people.tally.summary())


def test_a_load_brings_a_pod_which_goes_again_and_no_reply_is_lost(
    released: Released,
    helm: Helm,
    rasa_record: HelmRecord,
    greeting: Conversation,
    take_evidence: Callable[[], None],
    tmp_path: Path,
) -> None:
    """Two pods become three under load and two again after it; not one message stays without a reply.

    Turning autoscaling on touches no pod, and what it does afterwards is no change to the release.
    """
    if released.target.workers < SCALED["maxReplicas"]:
        pytest.skip("anti-affinity leaves no node for a third pod")
    wait_until(
        "metrics of the pods",
        lambda: (bool((released.kube.read(METRICS.format(released.namespace)) or {}).get("items")), "none yet"),
        90,
    )
    pods = {pod.name for pod in released.rasa_pods()}
    values = tmp_path / "autoscaling.yaml"
    values.write_text(json.dumps({"autoscaling": SCALED}))
    with rolled_back(released, helm, RASA, on_failure=take_evidence):
        chart = Chart(f"botyard/{rasa_record.chart}", rasa_record.version)
        helm.upgrade(RASA, released.namespace, chart, [values], reuse_values=True)
        assert _counts(released) == (2, 2) and {pod.name for pod in released.rasa_pods()} == pods
        with _people(released, greeting, MOST_PER_S):
            begun = time.monotonic()
            wait_until("a third pod", lambda: (_counts(released) == (3, 3), _scaler(released)), 120)
            print(f"out after {time.monotonic() - begun:.0f} s; {_scaler(released)}")
        with _people(released, greeting, CALM_PER_S):
            begun = time.monotonic()
            wait_until("the third pod to go", lambda: (_counts(released) == (2, 2), _scaler(released)), 120)
            print(f"back after {time.monotonic() - begun:.0f} s; {_scaler(released)}")
