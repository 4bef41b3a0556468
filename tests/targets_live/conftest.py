"""A checkout of its own, and a namespace on the live cluster; both are gone afterwards."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from their_cluster import LIVE, LIVE_CONFIG, NAMESPACE, ROOT, Checkout
from their_registry import Private, private_registry

from botyard.tools.kube import Kube
from botyard.wait import wait_until


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """The copy, and a namespace on the live cluster that is gone afterwards."""
    if not LIVE_CONFIG.is_file():
        pytest.fail("there is no cluster: first run invoke e2e")
    left_out = shutil.ignore_patterns(".git", ".venv", ".botyard", "__pycache__", "*.egg-info")
    root = tmp_path / "checkout"
    shutil.copytree(ROOT, root, ignore=left_out)
    live = yaml.safe_load(LIVE_CONFIG.read_text())["clusters"][0]["cluster"]
    kube = Kube(LIVE_CONFIG, LIVE.context)
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    try:
        yield Checkout(root, kube, base64.b64decode(live["certificate-authority-data"]))
    finally:
        kube.delete("v1", "Namespace", NAMESPACE)
        wait_until("its end", lambda: (kube.get("v1", "Namespace", NAMESPACE) is None, NAMESPACE), 180, interval_s=0.2)
        for kind in ("ClusterRole", "ClusterRoleBinding"):
            kube.delete("rbac.authorization.k8s.io/v1", kind, "botyard-deploy")


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Private]:
    """A registry with a password and TLS; gone afterwards."""
    with private_registry(LIVE, tmp_path) as there:
        yield there
