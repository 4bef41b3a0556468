"""A bot on the internet: an address of its own, TLS under a private authority, and behind it what is meant for people.

The stand-in's load balancer holds every address on one node, so the edge's Service takes traffic from all of them
(externalTrafficPolicy: Cluster); that clients are then told apart by their own address is Azure's to show.
"""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
import urllib3
from their_authority import issue
from their_cluster import NAMESPACE
from their_internet import SOCKET, Stranger
from their_shop import Shop
from websocket import WebSocketBadStatusException

from botyard.release.public import INTERNAL
from botyard.tools.kube import Kube
from botyard.wait import wait_until

HOST = "bot.example"
PAGE, FOREIGN = "https://shop.example", "https://evil.example"
# Below gateway.edge.rateLimit: requests and seconds of chart rasa.
REQUESTS, SECONDS = 60, 10
VALUES = """
gateway: {edge: {service: {externalTrafficPolicy: Cluster}}}
"""
OPEN = f"""
service: {{annotations: {{{INTERNAL}: "false"}}}}
"""
HIDDEN = [
    "/", "/status", "/status?token=guess", "/version", "/domain", "/model", "/model/parse", "/metrics",
    "/conversations/stranger/tracker", "/webhooks/botyard/ready", "/webhooks/rest/", "/%73tatus", "//status",
    "/webhooks/rest/webhook/../../../status",
]  # fmt: skip


@pytest.fixture
def exposed(shop: Shop, tmp_path: Path) -> Shop:
    """Its target says public; the certificate lies in a Secret, as a company's own authority issued it."""
    certs = tmp_path / "edge"
    certs.mkdir()
    issue(certs, f"DNS:{HOST}")
    kept = {f"tls.{end}": base64.b64encode((certs / f"server.{end}").read_bytes()).decode() for end in ("crt", "key")}
    about = {"name": "bot-tls", "namespace": NAMESPACE}
    shop.checkout.kube.apply(
        {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": about, "data": kept}
    )
    (tmp_path / "edge.yaml").write_text(VALUES)
    shop.values += ["--values", f"rasa:{tmp_path / 'edge.yaml'}"]
    shop.target(exposure={"public": True, "tls_secret": "bot-tls", "origins": [PAGE]})
    return shop


def test_public_without_tls_is_refused_before_anything_is_changed(shop: Shop) -> None:
    before = objects(shop.checkout.kube)
    shop.target(exposure={"public": True})
    refused = shop.deploy()
    assert refused.code == 2 and "public without TLS" in refused.out and "insecure: true" in refused.out, refused.out
    assert objects(shop.checkout.kube) == before and not shop.revisions()


def test_people_are_let_in_and_nobody_gets_at_the_rest(exposed: Shop, tmp_path: Path) -> None:
    kube = exposed.checkout.kube
    done = exposed.deploy("--skip-tags", "verify")
    assert done.code == 0, done.out
    edge, inside = (kube.get("v1", "Service", name, NAMESPACE) or {} for name in ("myrasa-edge", "myrasa"))
    assert edge["metadata"]["annotations"][INTERNAL] == "false" and edge["spec"]["type"] == "LoadBalancer"
    assert inside["metadata"]["annotations"][INTERNAL] == "true"
    (address,) = edge["status"]["loadBalancer"]["ingress"]
    stranger = Stranger(address["ip"], HOST, tmp_path / "edge/ca.crt")
    wait_until("the edge", lambda: answers(stranger), 60, interval_s=0.5)

    for other in (Stranger(stranger.address, HOST, None), Stranger(stranger.address, "evil.example", stranger.ca)):
        with pytest.raises(urllib3.exceptions.SSLError):
            other.ask("GET", SOCKET)
    _people_are_let_in(stranger)
    _nobody_gets_at_the_rest(stranger)
    _a_browser_is_told_whose_page_may_ask(stranger)
    _who_asks_too_often_waits(stranger)

    again = exposed.deploy("--skip-tags", "verify")
    assert again.code == 0 and "changed=0" in again.out, again.out
    (tmp_path / "open.yaml").write_text(OPEN)
    refused = exposed.deploy("--values", f"rasa:{tmp_path / 'open.yaml'}")
    assert refused.code == 2 and "Service/myrasa: a LoadBalancer without" in refused.out, refused.out
    assert (kube.get("v1", "Service", "myrasa", NAMESPACE) or {})["metadata"]["annotations"][INTERNAL] == "true"


def objects(kube: Kube) -> set[tuple[str, str, str]]:
    """What the namespace holds, and in which state."""
    kinds = [("v1", "Secret"), ("v1", "ConfigMap"), ("v1", "Service"), ("apps/v1", "Deployment")]
    found = [body["metadata"] | {"kind": kind} for api, kind in kinds for body in kube.list(api, kind, NAMESPACE)]
    return {(body["kind"], body["name"], body["resourceVersion"]) for body in found}


def answers(stranger: Stranger) -> tuple[bool, str]:
    try:
        return stranger.ask("GET", SOCKET + "polling").status == 200, "another answer"
    except urllib3.exceptions.HTTPError as error:
        return False, str(error)


def _people_are_let_in(stranger: Stranger) -> None:
    said = stranger.say("Hello")
    assert said.status == 200 and "Welcome to the tea shop" in said.json()[0]["text"], said.data
    for opened in (stranger.ask("GET", SOCKET + "polling").data.decode(), stranger.socket()):
        assert opened.startswith("0{") and json.loads(opened[1:])["sid"], opened


def _nobody_gets_at_the_rest(stranger: Stranger) -> None:
    for path in HIDDEN:
        found = stranger.ask("GET", path)
        assert (found.status, found.data) == (404, b"not found\n"), path  # the edge's words, not Rasa's
        assert "Server" not in found.headers
    moved = stranger.plain("/webhooks/rest/webhook")
    assert (moved.status, moved.headers["Location"]) == (308, f"https://{HOST}/webhooks/rest/webhook")


def _a_browser_is_told_whose_page_may_ask(stranger: Stranger) -> None:
    known, foreign = stranger.say("Hello", Origin=PAGE), stranger.say("Hello", Origin=FOREIGN)
    assert (known.status, known.headers["Access-Control-Allow-Origin"]) == (200, PAGE) and known.json()
    assert foreign.status == 403 and "Access-Control-Allow-Origin" not in foreign.headers
    asked: dict[str, Any] = {"Access_Control_Request_Method": "POST"}
    may = stranger.ask("OPTIONS", "/webhooks/rest/webhook", Origin=PAGE, **asked)
    told = [may.headers.get(f"Access-Control-Allow-{what}") for what in ("Origin", "Methods", "Headers")]
    assert (may.status, told) == (204, [PAGE, "GET, POST", "Content-Type, Authorization"])
    assert stranger.ask("OPTIONS", "/webhooks/rest/webhook", Origin=FOREIGN, **asked).status == 403
    assert stranger.socket(PAGE).startswith("0{")
    with pytest.raises(WebSocketBadStatusException) as refused:
        stranger.socket(FOREIGN)
    assert refused.value.status_code == 403


def _who_asks_too_often_waits(stranger: Stranger) -> None:
    for _ in range(REQUESTS + 1):
        last = stranger.ask("GET", "/nothing")
        if last.status != 404:
            break
    assert (last.status, last.headers["Retry-After"]) == (429, str(SECONDS)), last.data
    time.sleep(SECONDS + 1)
    assert stranger.say("Hello").status == 200
