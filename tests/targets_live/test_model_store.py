"""A model that lies in Azure Blob Storage (played by Azurite) and comes to the pods by a signed URL."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import platformdirs
import pytest
import requests
from azurite import connection, served
from their_cluster import NAMESPACE, StandIn
from their_shop import Shop

from botyard.contracts import Paths
from botyard.host import toolbox
from botyard.process import run
from botyard.tools import docker
from botyard.tools.helm_record import recorded
from botyard.tools.kube import Kube
from botyard.wait import wait_until

pytest.importorskip("adlfs", reason="adlfs is not installed: pip install -e '.[azure]'")
RASA = "app.kubernetes.io/name=rasa"


@pytest.fixture
def blobs(cluster: StandIn, tmp_path: Path) -> Iterator[str]:
    """At this machine's address in the nodes' network alone: pods reach it, the world does not."""
    network = docker.inspect("network", cluster.target.network) or {}
    gateway = next(one["Gateway"] for one in network["IPAM"]["Config"] if "." in one.get("Gateway", ""))
    with served(tmp_path, gateway) as address:
        yield address


def test_pods_fetch_what_a_deploy_published(shop: Shop, blobs: str) -> None:
    kube = shop.checkout.kube
    shop.target(model_store={"url": "az://models/tea"})
    shop.env["AZURE_STORAGE_CONNECTION_STRING"] = connection(blobs)
    first = shop.deploy("--skip-tags", "verify")
    assert first.code == 0 and "uploaded" in first.out, first.out
    url = signed(kube)
    signature = parse_qs(urlsplit(url).query)["sig"][0]
    assert url.startswith(f"{blobs}/models/tea/") and signature not in first.out and "sig=" not in first.out
    assert requests.get(url.partition("?")[0], timeout=30).status_code in (403, 404)
    answers(shop)
    fetched = {pod["metadata"]["name"]: fetch(pod) for pod in pods(kube)}
    assert len(fetched) == 2 and set(fetched.values()) == {0}, fetched

    again = shop.deploy("--skip-tags", "verify")
    assert again.code == 0 and "changed=0" in again.out and signed(kube) == url, again.out
    assert {pod["metadata"]["name"] for pod in pods(kube)} == set(fetched)

    # A pod that is moved fetches again, and not from its neighbour.
    moved = min(fetched)
    kube.delete("v1", "Pod", moved, NAMESPACE)
    wait_until("the pod in its place", lambda: (replaced(kube, moved), "not ready yet"), 180, interval_s=1)
    answers(shop)

    # Who may read Deployments and pods may not fetch: the URL is in a Secret, and that of before stays for its pods.
    before = described(shop)
    assert "MODEL_URL" in before and signature not in before and "sig=" not in before, before
    shop.greets_with("A new pot is on")
    upgraded = shop.deploy("--skip-tags", "verify")
    assert upgraded.code == 0 and signed(kube) != url, upgraded.out
    kept = (kube.get("v1", "Secret", "myrasa-model", NAMESPACE) or {})["data"].values()
    assert {base64.b64decode(one).decode() for one in kept} == {url, signed(kube)}
    shown = shop.checkout.invoke("status", "--target", "there")
    assert url.partition("?")[0].rpartition("/")[0] in shown.out and "sig=" not in shown.out, shown.out


def signed(kube: Kube) -> str:
    live = recorded(kube, "myrasa", NAMESPACE)
    assert live is not None
    return str(live.values["applicationSettings"]["initialModel"])


def pods(kube: Kube) -> list[dict[str, Any]]:
    found = kube.list("v1", "Pod", NAMESPACE, labels=RASA)
    return [pod for pod in found if any(one["name"] == "rasa-oss" for one in pod["spec"]["containers"])]


def fetch(pod: dict[str, Any]) -> int:
    """The exit code of what fetched its model; -1 before its end."""
    statuses = {one["name"]: one for one in pod["status"].get("initContainerStatuses") or []}
    return int(((statuses.get("fetch-model") or {}).get("state") or {}).get("terminated", {}).get("exitCode", -1))


def replaced(kube: Kube, gone: str) -> bool:
    there = {pod["metadata"]["name"]: pod for pod in pods(kube)}
    return gone not in there and len(there) == 2 and all(ready(pod) for pod in there.values())


def ready(pod: dict[str, Any]) -> bool:
    conditions = {one["type"]: one["status"] for one in pod["status"].get("conditions") or []}
    return conditions.get("Ready") == "True" and fetch(pod) == 0


def answers(shop: Shop) -> None:
    spoken = shop.checkout.invoke("talk", "Hello", "--target", "there")
    assert spoken.code == 0 and "Welcome to the tea shop" in spoken.out, spoken.out


def described(shop: Shop) -> str:
    """What `kubectl describe` tells of the Deployment and its pods."""
    kubeconfig = shop.checkout.cluster.kubeconfig
    paths = Paths(shop.checkout.root, kubeconfig.parent, Path(platformdirs.user_cache_dir("botyard")))
    where = ["--kubeconfig", kubeconfig, "--namespace", NAMESPACE]
    return run([toolbox.tool(paths, "kubectl"), *where, "describe", "deployments,pods"]).stdout
