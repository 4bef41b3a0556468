"""Which findings reach a release: what the target says about the internet is held against what would be installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from botyard.contracts import Context, Paths
from botyard.exposure import Exposure
from botyard.modules import preflight as module
from botyard.release import preflight
from botyard.release.preflight import Cluster, Findings
from botyard.release.releases import Plan
from botyard.targets import Target
from botyard.tools.helm import Chart, Helm, Release

SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "myrasa"},
    "spec": {"type": "LoadBalancer", "ports": [{"port": 5005, "targetPort": "http"}]},
}


@pytest.mark.parametrize(
    ("driver", "exposure", "problems", "warnings"),
    [
        ("aks", Exposure(), 1, 0),
        ("aks", Exposure(public=True, tls_secret="t"), 1, 0),
        ("existing", Exposure(), 0, 1),
        ("kind", Exposure(), 0, 0),
    ],
)
def test_a_public_address_is_told_by_the_driver(
    driver: Any, exposure: Exposure, problems: int, warnings: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(preflight, "rendered", lambda *_: [SERVICE])
    monkeypatch.setattr(preflight, "examine", lambda *_: Findings())
    target = Target(name="there", driver=driver, context="there", exposure=exposure)
    ctx = Context(check=False, diff=False, paths=Paths(tmp_path, tmp_path / "state", tmp_path), target=target)
    plan = Plan(name="myrasa", namespace="shop", chart=Chart("rasa"), values_files=(), values={}, hidden=frozenset())
    found, _ = module._examined(cast(Helm, None), plan, None, Cluster(cast(Any, None), [], {}), ctx)
    assert (len(found.problems), len(found.warnings)) == (problems, warnings)


@pytest.mark.parametrize(
    ("remembered", "first", "found"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_a_chart_whose_name_says_nothing_of_its_content_is_as_the_last_look_at_it_found_it(
    remembered: bool, first: bool, found: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "rasa").mkdir()
    (tmp_path / "rasa/Chart.yaml").write_text("apiVersion: v2\nname: rasa\nversion: 0.3.0\n")
    plan = Plan(name="myrasa", namespace="shop", chart=Chart(str(tmp_path / "rasa")), values={"replicaCount": 2})
    live = Release("myrasa", "shop", 3, "deployed", {"replicaCount": 2}, "", chart="rasa-0.3.0")
    target = Target(name="there", driver="existing", context="there", kubeconfig=str(tmp_path / "config"))
    ctx = Context(check=False, diff=False, paths=Paths(tmp_path, tmp_path / "state", tmp_path), target=target)
    helm = tmp_path / "helm"

    class Memory:
        def __init__(self, folder: Path, program: Helm, _kube: Any, of: Plan) -> None:
            assert (folder, program.binary, of) == (tmp_path / "home/seen", helm, plan)

        def same(self, *, ready: bool) -> object:
            assert not ready
            return "known" if remembered else None

    monkeypatch.setattr(module.toolbox, "tool", lambda _paths, name: {"helm": helm}[name])
    monkeypatch.setattr(module.remembered, "Memory", Memory)
    as_released = module._as_released(plan, None if first else live, cast(Any, None), tmp_path / "home", ctx)
    assert as_released is found
