"""Pods come and go while people talk to the bot, and no message stays without a reply."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from losses import lost_nothing

from botyard.tools.helm import Chart, Helm
from botyard.verify.helm_record import helm_record
from botyard.verify.put_back import put_back, roll, settled
from botyard.verify.released import ACTIONS, RASA, Released
from botyard.verify.traffic import Traffic

pytestmark = pytest.mark.disruptive
CALM_S = 2.0
ACTION_ROLLOUT_S = 45.0


def test_a_rolling_upgrade_of_rasa_loses_no_reply(
    released: Released, traffic: Callable[[], Traffic], take_evidence: Callable[[], None]
) -> None:
    """All Rasa pods are replaced, and replaced back, under traffic; every message is answered."""
    before = {pod.name for pod in released.rasa_pods()}
    with traffic() as people:
        people.run_for(CALM_S)
        with put_back(released, RASA, on_failure=take_evidence):
            roll(released, RASA, str(time.time()))
            settled(released, RASA, 180)
            assert before.isdisjoint(pod.name for pod in released.rasa_pods()), "a pod was not replaced"
        people.run_for(CALM_S)
    lost_nothing(people.tally)


@pytest.mark.parametrize("name", [RASA, ACTIONS], ids=["rasa", "action_server"])
def test_a_deleted_pod_loses_no_reply(released: Released, traffic: Callable[[], Traffic], name: str) -> None:
    """One pod is deleted under traffic; the others serve on, it is replaced, and no reply is lost or empty."""
    before = [pod.name for pod in released.pods_of(name) if not pod.leaving]
    with traffic() as people:
        people.run_for(CALM_S)
        released.kube.delete("v1", "Pod", before[0], released.namespace)
        settled(released, name, 120, gone_too=True)
        people.run_for(CALM_S)
    now = [pod.name for pod in released.pods_of(name)]
    assert len(now) == len(before) and before[0] not in now
    lost_nothing(people.tally)


def test_a_rollout_of_the_action_server_is_quick_and_loses_no_reply(
    released: Released, traffic: Callable[[], Traffic], take_evidence: Callable[[], None]
) -> None:
    """New action pods serve within seconds (a changed action is live soon) and no reply is lost meanwhile."""
    with traffic() as people:
        with put_back(released, ACTIONS, on_failure=take_evidence):
            begun = time.monotonic()
            roll(released, ACTIONS, str(time.time()))
            settled(released, ACTIONS, 120)
            took_s = time.monotonic() - begun
        people.run_for(CALM_S)
    lost_nothing(people.tally)
    print(f"action server rollout: {took_s:.1f} s")
    assert took_s <= ACTION_ROLLOUT_S


@pytest.mark.parametrize("name", [RASA, ACTIONS])
def test_helm_upgrade_reuse_values_keeps_serving(
    released: Released, helm: Helm, traffic: Callable[[], Traffic], name: str
) -> None:
    """``helm upgrade --reuse-values`` as the author does: nothing given, nothing changed, no pod touched."""
    before = helm_record(released, name)
    pods = {pod.name for pod in released.pods_of(name)}
    chart = Chart(f"botyard/{before.chart}", before.version)
    with traffic() as people:
        helm.upgrade(name, released.namespace, chart, [], reuse_values=True, wait_s=120)
        people.run_for(CALM_S)
    after = helm_record(released, name)
    assert (after.status, after.revision) == ("deployed", before.revision + 1)
    assert after.values == before.values
    assert {pod.name for pod in released.pods_of(name)} == pods, "pods were replaced though nothing changed"
    lost_nothing(people.tally)
