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
from botyard.tools.helm import Chart, Helm

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
