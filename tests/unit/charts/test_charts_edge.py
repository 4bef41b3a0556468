"""The edge of the gateway: what it adds, what it needs, and that nothing of it is there unless asked for."""

from __future__ import annotations

from typing import Any

import pytest
from chart_objects import Render, at, with_key
from pod_security import violations

from botyard.contracts import CommandError

EDGE: dict[str, Any] = {"gateway": {"enabled": True, "edge": {"enabled": True}, "tls": {"secretName": "shop"}}}
POD = "Deployment/myrasa-gateway/spec/template/spec"


def config(render: Render, values: dict[str, Any]) -> str:
    return str(render("rasa", **values)["ConfigMap", "myrasa-gateway"]["data"]["haproxy.cfg"])


def test_the_edge_is_a_service_of_its_own_and_the_others_stay(render: Render) -> None:
    plain, objects = render("rasa", gateway={"enabled": True}), render("rasa", **EDGE)
    assert ("Service", "myrasa-edge") not in plain and "frontend edge" not in config(
        render, {"gateway": {"enabled": True}}
    )
    assert objects["Service", "myrasa"] == plain["Service", "myrasa"]
    spec = at(objects, "Service/myrasa-edge/spec")
    assert (spec["type"], spec["externalTrafficPolicy"]) == ("LoadBalancer", "Local")
    assert {p["port"]: p["targetPort"] for p in spec["ports"]} == {443: "edge", 80: "edge-plain"}
    assert violations(at(objects, POD)) == []
    assert at(objects, f"{POD}/volumes/2/secret/secretName") == "shop"


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        (
            "origins",
            ["https://a.example", "https://b.example:8443"],
            "-m str https://a.example https://b.example:8443\n",
        ),
        ("origins", ["*"], "acl known_page always_true\n"),
        ("pages", ["/chat"], "acl page path -m str /chat\n"),
        ("rateLimit", {"requests": 7}, "sc_http_req_rate(0) gt 7 }"),
        ("rateLimit", {"seconds": 7}, "store http_req_rate(7s)\n"),
        ("trustForwardedFor", True, "track-sc0 hdr_ip(X-Forwarded-For,-1),ipmask(32,64) if "),
        ("maxConnections", 77, "  maxconn 77\n"),
        ("port", 9443, "  bind :9443 ssl "),
        ("redirectPort", 9080, "  bind :9080\n"),
    ],
)
def test_a_key_is_in_the_configuration(render: Render, key: str, value: Any, line: str) -> None:
    assert line in config(render, with_key(EDGE, f"gateway.edge.{key}", value))
    assert line not in config(render, EDGE)


def test_rates_are_limited_and_no_browser_is_let_in_by_default(render: Render) -> None:
    text = config(render, EDGE)
    assert "sc_http_req_rate(0) gt 60 }" in text and "acl known_page always_false\n" in text


@pytest.mark.parametrize(
    ("key", "value"),
    [("type", "NodePort"), ("externalTrafficPolicy", "Cluster"), ("loadBalancerSourceRanges", ["10.0.0.0/8"])],
)
def test_a_key_of_the_service(render: Render, key: str, value: Any) -> None:
    assert (
        at(render("rasa", **with_key(EDGE, f"gateway.edge.service.{key}", value)), f"Service/myrasa-edge/spec/{key}")
        == value
    )
    assert at(render("rasa", **EDGE), f"Service/myrasa-edge/spec/{key}") != value


def test_annotations_of_the_service_and_ports_in_a_policy(render: Render) -> None:
    values = with_key(EDGE, "gateway.edge.service.annotations", {"a": "b"}) | {"networkPolicy": {"enabled": True}}
    objects = render("rasa", **values)
    assert at(objects, "Service/myrasa-edge/metadata/annotations") == {"a": "b"}
    ingress = at(objects, "NetworkPolicy/myrasa-gateway/spec/ingress")
    assert ingress[-1] == {"ports": [{"port": "edge"}, {"port": "edge-plain"}]}


def test_insecure_is_plain_http_at_80(render: Render) -> None:
    values = {"gateway": {"enabled": True, "edge": {"enabled": True, "insecure": True}}}
    (port,) = at(render("rasa", **values), "Service/myrasa-edge/spec/ports")
    assert (port["port"], port["targetPort"]) == (80, "edge")
    text = config(render, values)
    assert " ssl " not in text and "frontend edge_plain" not in text and "edge.lua" not in text


def test_cert_manager_is_asked_for_the_certificate(render: Render) -> None:
    asked = {"issuer": "letsencrypt", "kind": "Issuer", "dnsNames": ["bot.example"]}
    objects = render("rasa", gateway={"enabled": True, "edge": {"enabled": True}, "tls": {"certManager": asked}})
    spec = at(objects, "Certificate/myrasa-edge/spec")
    assert spec["issuerRef"] == {"name": "letsencrypt", "kind": "Issuer", "group": "cert-manager.io"}
    assert spec["dnsNames"] == ["bot.example"]
    assert spec["secretName"] == at(objects, f"{POD}/volumes/2/secret/secretName") == "myrasa-edge-tls"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"gateway": {"enabled": True, "edge": {"enabled": True}}}, "gateway.edge: without TLS"),
        ({"gateway": {"edge": {"enabled": True, "insecure": True}}}, "gateway.edge.enabled"),
        ({"gateway": {"enabled": True, "tls": {"secretName": "x"}}}, "gateway.tls: TLS is of the edge"),
        (with_key(EDGE, "gateway.tls.certManager", {"issuer": "x"}), "gateway.tls.certManager.dnsNames"),
        (with_key(EDGE, "gateway.edge.port", 5005), "must all differ"),
        (with_key(EDGE, "gateway.edge.rateLimit", {"seconds": None}), "gateway.edge.rateLimit.seconds"),
        (with_key(EDGE, "gateway.edge.pages", ["/status"]), "Rasa's own"),
        (with_key(EDGE, "gateway.edge.pages", ["/a/../b"]), "/gateway/edge/pages"),
        (with_key(EDGE, "gateway.edge.origins", ["https://a.example/"]), "/gateway/edge/origins"),
        (with_key(EDGE, "gateway.edge.maxConnections", None), "no value for gateway.edge.maxConnections"),
    ],
)
def test_what_cannot_be_had_is_refused_by_its_key(render: Render, values: dict[str, Any], told: str) -> None:
    with pytest.raises(CommandError) as refused:
        render("rasa", **values)
    assert told in str(refused.value)
