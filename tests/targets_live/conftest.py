"""The cluster that plays AKS, a checkout of its own, and a namespace there; all are gone afterwards."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from their_cluster import NAMESPACE, Checkout, StandIn, copy_of_this, stand_in
from their_registry import Private, private_registry
from their_shop import Shop, open_shop

from botyard.wait import wait_until


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One for all tests; a minute on a machine that has the node image."""
    with stand_in(tmp_path_factory.mktemp("stand-in")) as made:
        yield made


@pytest.fixture
def checkout(cluster: StandIn, tmp_path: Path) -> Iterator[Checkout]:
    """The copy, and a namespace that is gone afterwards."""
    root = tmp_path / "checkout"
    copy_of_this(root)
    kube = cluster.kube
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    try:
        yield Checkout(root, cluster, base64.b64decode(cluster.part("cluster")["certificate-authority-data"]))
    finally:
        kube.delete("v1", "Namespace", NAMESPACE)
        # Its pods would take their time for people who are not there.
        kube.ask("DELETE", f"/api/v1/namespaces/{NAMESPACE}/pods", {"gracePeriodSeconds": "0"})
        wait_until("its end", lambda: (kube.get("v1", "Namespace", NAMESPACE) is None, NAMESPACE), 180, interval_s=0.2)
        for kind in ("ClusterRole", "ClusterRoleBinding"):
            kube.delete("rbac.authorization.k8s.io/v1", kind, "botyard-deploy")


@pytest.fixture(scope="session")
def private(cluster: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Private]:
    """A registry with a password and TLS: one for all tests, as an image is gigabytes to push and to pull."""
    with private_registry(cluster.target, tmp_path_factory.mktemp("registry")) as there:
        yield there


@pytest.fixture
def shop(checkout: Checkout, private: Private, tmp_path: Path) -> Iterator[Shop]:
    """A team that may deploy to the namespace."""
    with open_shop(checkout, private, tmp_path) as opened:
        yield opened
