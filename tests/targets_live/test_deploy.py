"""`invoke deploy` as it runs against AKS: a foreign kubeconfig, least rights, a private registry, a LoadBalancer."""

from __future__ import annotations

from typing import Any

import pytest
import their_noop
import yaml
from their_cluster import NAMESPACE, STAND_IN, Checkout
from their_registry import Private
from their_shop import Shop

from botyard.tools.helm_record import newest
from botyard.tools.kube import Kube
from botyard.verify.rest import say
from botyard.verify.traffic import Traffic
from botyard.wait import wait_until

URL = f"http://127.0.0.1:{STAND_IN['ports']['rasa']}"  # type: ignore[index]
NOBODY = "sha256:" + "0" * 64


def chart_version(checkout: Checkout) -> str:
    return str(yaml.safe_load((checkout.root / "charts/rasa/Chart.yaml").read_text())["version"])


def quota(kube: Kube) -> dict[str, Any]:
    return kube.get("v1", "ResourceQuota", "small", NAMESPACE) or {}


def test_a_bot_is_deployed_upgraded_and_put_back(
    shop: Shop, private: Private, capsys: pytest.CaptureFixture[str]
) -> None:
    """A look, a first deploy, one with nothing to do, a new model, a bad image, drift, and the way back."""
    checkout, kube = shop.checkout, shop.checkout.kube
    about = {"name": "small", "namespace": NAMESPACE}
    kube.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": about, "spec": {"hard": {"pods": "2"}}})
    wait_until("the quota's count", lambda: ("used" in (quota(kube).get("status") or {}), "no count yet"), 30)
    short = shop.deploy("--check")
    assert short.code == 2 and "quota small of namespace" in short.out and not shop.revisions(), short.out
    kube.delete("v1", "ResourceQuota", "small", NAMESPACE)
    looked = shop.deploy("--check", "--diff")
    assert looked.code == 0 and not shop.revisions(), looked.out

    first = shop.deploy()
    assert first.code == 0, first.out
    assert shop.revisions() == {"rasa-action-server": 1, "myrasa": 1}
    shown = checkout.invoke("status", "--target", "there")
    assert shown.code == 0 and f"{private.address}/bots/botyard/rasa@sha256:" in shown.out, shown.out
    service = kube.get("v1", "Service", "myrasa", NAMESPACE) or {}
    assert service["spec"]["type"] == "LoadBalancer" and service["status"]["loadBalancer"]["ingress"], service
    spoken = checkout.invoke("talk", "Hello", "--target", "there")
    assert spoken.code == 0 and "Welcome to the tea shop" in spoken.out, spoken.out

    again = shop.deploy()
    assert again.code == 0 and "changed=0" in again.out, again.out
    their_noop.tell(shop, capsys)
    assert shop.revisions() == {"rasa-action-server": 1, "myrasa": 1}

    published = checkout.invoke("publish.charts", "--target", "there", "--plain", **shop.env)
    assert published.code == 0, published.out
    missing = shop.deploy("--version", "9.9.9")
    assert missing.code == 2 and "there is no chart" in missing.out, missing.out
    by_version = shop.deploy("--version", chart_version(checkout))
    assert by_version.code == 0 and shop.revisions() == {"rasa-action-server": 1, "myrasa": 1}, by_version.out

    shop.greets_with("A new pot is on")
    with Traffic(URL, ["Hello"], rate_per_s=2) as people:
        upgraded = shop.deploy()
        assert upgraded.code == 0 and "A new pot" in say(URL, "one", "Hello").text, upgraded.out
        assert shop.revisions() == {"rasa-action-server": 1, "myrasa": 2}

        bad = shop.deploy("--set", f"image.digest={NOBODY}", "--timeout", "45")
        assert bad.code == 1 and "back to revision 2" in bad.out and "serves again" in bad.out, bad.out
    assert people.tally.sent > 50 and not people.tally.losses, people.tally.summary()
    record = newest(kube, "myrasa", NAMESPACE) or {}
    assert record["info"]["status"] == "deployed" and record["config"]["image"]["digest"] != NOBODY

    deployment = kube.get("apps/v1", "Deployment", "rasa-action-server", NAMESPACE) or {}
    deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 7
    about = {"name": "rasa-action-server", "namespace": NAMESPACE}
    by_hand = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": deployment["spec"]}
    kube.apply(by_hand, field_manager="somebody")
    drifted = checkout.invoke("drift", "--target", "there", "--diff")
    assert drifted.code == 1 and "terminationGracePeriodSeconds" in drifted.out, drifted.out
    repaired = shop.deploy()
    assert repaired.code == 0 and checkout.invoke("drift", "--target", "there").code == 0, repaired.out

    listed = checkout.invoke("rollback", "--target", "there", "--list")
    assert listed.code == 0 and "tea" in listed.out, listed.out
    unknown = checkout.invoke("rollback", "--target", "there", "--to", "99")
    assert unknown.code in (1, 2) and "there is no deploy 99" in unknown.out, unknown.out
    back = checkout.invoke("rollback", "--target", "there", "--to", "1", "--say", "Hello", "--plain")
    assert back.code == 0 and "Welcome to the tea shop" in back.out, back.out
    assert "Welcome to the tea shop" in say(URL, "two", "Hello").text
