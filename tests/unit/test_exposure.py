"""A target's exposure: internal by default, public only with TLS or the word insecure."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from botyard.exposure import Exposure

INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
LABEL = "service.beta.kubernetes.io/azure-dns-label-name"


def test_nothing_is_exposed_by_default() -> None:
    assert Exposure().gateway("aks") == {"edge": {}, "tls": {}}


@pytest.mark.parametrize(("public", "internal"), [(True, "false"), (False, "true")])
def test_azure_is_asked_for_the_kind_of_address(public: bool, internal: str) -> None:
    edge = Exposure(public=public, tls_secret="t", dns_label="tea").gateway("aks")["edge"]
    assert edge["service"] == {"type": "LoadBalancer", "annotations": {INTERNAL: internal, LABEL: "tea"}}


def test_elsewhere_what_is_not_public_stays_in_the_cluster() -> None:
    assert Exposure(insecure=True).gateway("existing")["edge"]["service"] == {"type": "ClusterIP", "annotations": {}}
    assert Exposure(insecure=True, public=True).gateway("existing")["edge"]["service"]["type"] == "LoadBalancer"


def test_tls_and_origins_are_handed_on() -> None:
    told = Exposure(public=True, issuer="le", hosts=["bot.example"], origins=["https://a.example"]).gateway("aks")
    assert told["tls"] == {"secretName": "", "certManager": {"issuer": "le", "dnsNames": ["bot.example"]}}
    assert (told["edge"]["insecure"], told["edge"]["origins"]) == (False, ["https://a.example"])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"public": True}, "public without TLS"),
        ({"public": "yes"}, "Expected `bool`, got `str`"),
        ({"insecure": True, "tls_secret": "t"}, "exclude each other"),
        ({"issuer": "le"}, "issuer needs hosts"),
        ({"dns_label": "-tea"}, "regex"),
        ({"publik": True}, "unknown field `publik`"),
    ],
)
def test_what_is_not_safe_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=told):
        msgspec.convert(given, Exposure)
