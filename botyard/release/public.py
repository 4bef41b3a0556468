"""Who could reach what of a release from the internet? Behind every Service but the gateway's edge stands the whole
API: /status, /model, and what everybody ever said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botyard.release import desired
from botyard.release.arithmetic import Problem

INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
_EDGE = {"edge", "edge-plain"}  # ports of the gateway's listener for the internet


def problem(body: Mapping[str, Any], driver: str, public: bool) -> Problem | None:
    """What is wrong with an object that would get an address on the internet, on Azure.

    Args:
        public: whether the target says ``exposure.public: true``. It opens the edge, and nothing else.
    """
    if driver != "aks" or not _is_load_balancer(body) or _annotations(body).get(INTERNAL) == "true":
        return None
    name = desired.shown(dict(body))
    if not _is_edge(body):
        return Problem(
            f"{name}: a LoadBalancer without {INTERNAL}: 'true' has an address on the internet, with /status, /model "
            "and /conversations behind it",
            "set that annotation to 'true' (in quotes) or the type to ClusterIP; for the internet there is the "
            "gateway's edge (exposure.public: true in values/targets.yml): docs/how-to/expose.md",
        )
    if not public:
        return Problem(
            f"{name}: has an address on the internet, and the target does not say exposure.public: true",
            "say so in values/targets.yml, or leave gateway.edge.service to the target: docs/how-to/expose.md",
        )
    return None


def warning(body: Mapping[str, Any], driver: str) -> str:
    """The same where nobody here knows what the cloud makes of a LoadBalancer; '' where there is nothing to say."""
    if driver != "existing" or not _is_load_balancer(body) or _is_edge(body):
        return ""
    if any(_says_internal(key, str(value)) for key, value in _annotations(body).items()):
        return ""
    return (
        f"{desired.shown(dict(body))}: a LoadBalancer: many clouds give it an address on the internet, with /status, "
        "/model and /conversations behind it: set its annotation for an internal one, or type ClusterIP"
    )


def _says_internal(key: str, value: str) -> bool:
    """As Azure (load-balancer-internal: "true"), AWS (scheme: internal) and Google (type: Internal) have it."""
    return value.lower() == "internal" or ("internal" in key and value == "true")


def _is_load_balancer(body: Mapping[str, Any]) -> bool:
    return body["kind"] == "Service" and (body.get("spec") or {}).get("type") == "LoadBalancer"


def _is_edge(body: Mapping[str, Any]) -> bool:
    return {str(port.get("targetPort")) for port in body["spec"].get("ports") or []} <= _EDGE


def _annotations(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return body["metadata"].get("annotations") or {}
