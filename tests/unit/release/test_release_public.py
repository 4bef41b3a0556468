"""An address on the internet is had by the target's word alone, and for the gateway's edge alone."""

from __future__ import annotations

from typing import Any

import pytest

from botyard.exposure import Exposure
from botyard.release import public

EDGE = ["edge", "edge-plain"]
MARK = {public.INTERNAL: "true"}


def service(
    annotations: dict[str, Any] | None = None, *, ports: list[Any] | None = None, kind: str = "LoadBalancer"
) -> Any:
    listed = [{"port": 80 + number, "targetPort": port} for number, port in enumerate(ports or ["http"])]
    about = {"name": "myrasa", **({"annotations": annotations} if annotations is not None else {})}
    return {"apiVersion": "v1", "kind": "Service", "metadata": about, "spec": {"type": kind, "ports": listed}}


@pytest.mark.parametrize("annotations", [None, {}, {public.INTERNAL: "false"}, {public.INTERNAL: "True"}])
@pytest.mark.parametrize("exposed", [True, False])
def test_the_whole_api_is_never_public_on_azure(annotations: dict[str, Any] | None, exposed: bool) -> None:
    found = public.problem(service(annotations), "aks", exposed)
    assert found is not None and found.message.startswith("Service/myrasa: ") and "/conversations" in found.message
    assert "exposure.public: true" in found.cure and "'true'" in found.cure


def test_an_edge_that_the_target_does_not_open_is_refused() -> None:
    body = service({public.INTERNAL: "false"}, ports=EDGE)
    found = public.problem(body, "aks", False)
    assert found is not None and "does not say exposure.public" in found.message
    assert public.problem(body, "aks", True) is None


def test_what_stays_inside_is_not_told() -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    for body in (service(MARK), service(MARK, ports=EDGE), service(kind="ClusterIP"), service(kind="NodePort"), config):
        assert public.problem(body, "aks", False) is None
    # A throw-away cluster's addresses are of this machine; what another cloud does is not known.
    assert public.problem(service(), "kind", False) is None and public.problem(service(), "existing", False) is None


def test_a_port_of_the_api_beside_the_edge_makes_it_no_edge() -> None:
    assert public.problem(service(ports=["edge", "http"]), "aks", True) is not None


def test_where_the_cloud_is_not_known_it_is_a_warning() -> None:
    assert "Service/myrasa" in public.warning(service(), "existing")
    for inside in ({"networking.gke.io/load-balancer-type": "Internal"}, MARK):
        assert public.warning(service(inside), "existing") == ""
    scheme = "service.beta.kubernetes.io/aws-load-balancer-scheme"
    assert public.warning(service({scheme: "internal"}), "existing") == ""
    assert public.warning(service({scheme: "internet-facing"}), "existing")
    assert public.warning(service(ports=EDGE), "existing") == "" and public.warning(service(), "aks") == ""
    assert public.warning(service(kind="ClusterIP"), "existing") == ""


@pytest.mark.parametrize(
    "said", [{"public": True, "tls_secret": "t"}, {"tls_secret": "t"}, {"public": True, "insecure": True}]
)
def test_what_the_target_itself_asks_for_passes(said: dict[str, Any]) -> None:
    exposure = Exposure(**said)
    edge = exposure.gateway("aks")["edge"]["service"]
    body = service(edge["annotations"], ports=EDGE, kind=edge["type"])
    assert public.problem(body, "aks", exposure.public) is None
