"""As many replicas as workers, each on its own: an upgrade ends all the same, and what could not is refused before."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import BadInput
from botyard.release import preflight
from botyard.release.releases import Plan
from botyard.tools.helm import Chart, Helm
from botyard.verify.helm_record import helm_record
from botyard.verify.put_back import rolled_back, settled
from botyard.verify.released import RASA, Released
from botyard.verify.traffic import Traffic

ROOT = Path(__file__).parents[2]
BLIND = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": {"app": "rasa-server"}}, "topologyKey": "kubernetes.io/hostname"}
        ]
    }
}


@pytest.mark.disruptive
def test_an_upgrade_of_as_many_replicas_as_workers_ends(
    released: Released,
    helm: Helm,
    tmp_path: Path,
    traffic: Callable[[], Traffic],
    take_evidence: Callable[[], None],
) -> None:
    """One pod on each worker, all replaced under traffic, then one pod on each worker again; nobody is lost."""
    workers = released.target.workers
    chart = Chart("botyard/rasa", helm_record(released, RASA).version)
    values = tmp_path / "values.yaml"

    def upgrade(**more: Any) -> set[str]:
        values.write_text(json.dumps({"replicaCount": workers, **more}))
        helm.upgrade(RASA, released.namespace, chart, [values], reuse_values=True, wait_s=180)
        settled(released, RASA, 120, gone_too=True)
        pods = released.rasa_pods()
        assert len(pods) == len({pod.node for pod in pods}) == workers, [(pod.name, pod.node) for pod in pods]
        return {pod.name for pod in pods}

    with rolled_back(released, helm, RASA, on_failure=take_evidence):
        before = upgrade()
        with traffic() as people:
            begun = time.monotonic()
            after = upgrade(podAnnotations={"botyard/rolled": "yes"})
            took_s = time.monotonic() - begun
        assert before.isdisjoint(after), "a pod was not replaced"
        assert people.tally.sent > 10 and not people.tally.losses, people.tally.summary()
        print(f"{workers} replicas on {workers} workers rolled in {took_s:.1f} s; {people.tally.summary()}")


@pytest.fixture
def examined(released: Released, helm: Helm, tmp_path: Path) -> Callable[..., preflight.Findings]:
    """``examined(**values)``: what the preflight finds about the live release with these values over its own."""
    record = helm_record(released, RASA)
    live = helm.status(RASA, released.namespace)
    assert live is not None

    def look(**values: Any) -> preflight.Findings:
        plan = Plan(RASA, released.namespace, Chart(str(ROOT / "charts" / "rasa")), values={})
        files = [tmp_path / "live.json", tmp_path / "own.json"]
        for file, content in zip(files, (record.values, values), strict=True):
            file.write_text(json.dumps(content))
        cluster = preflight.Cluster(released.kube, released.kube.list("v1", "Node"), {})
        objects = preflight.rendered(helm, replace(plan, values_files=tuple(files)), files, "")
        return preflight.examine(objects, live, released.namespace, cluster)

    return look


@pytest.mark.readonly
def test_what_is_released_can_be_upgraded(examined: Callable[..., preflight.Findings]) -> None:
    """The preflight has nothing against the release that runs, nor against one replica a worker."""
    assert not examined().problems


@pytest.mark.readonly
def test_values_that_cannot_roll_out_are_refused_with_both_cures(
    released: Released, examined: Callable[..., preflight.Findings]
) -> None:
    """A rule that counts all versions and as many replicas as workers: the sum is shown, and what cures it."""
    workers = released.target.workers
    found = examined(replicaCount=workers, affinity=BLIND)
    with pytest.raises(BadInput) as refused:
        found.raised(RASA, [])
    total = workers + 1
    assert f"{workers} replicas + 1 surge = {total} pods that need {total} different nodes" in refused.value.message
    assert f"{workers} nodes can take them" in refused.value.message
    assert "matchLabelKeys: [pod-template-hash]" in refused.value.cure
    assert "maxSurge: 0, maxUnavailable: 1" in refused.value.cure
    cured = examined(
        replicaCount=workers, affinity=BLIND, strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    )
    assert not cured.problems


@pytest.mark.readonly
def test_more_replicas_than_workers_are_refused(
    released: Released, examined: Callable[..., preflight.Findings]
) -> None:
    """One more than there are workers would wait for a node for ever."""
    found = examined(replicaCount=released.target.workers + 1)
    with pytest.raises(BadInput, match=rf"{released.target.workers} nodes can take them"):
        found.raised(RASA, [])
