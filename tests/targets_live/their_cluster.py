"""A second kind cluster that plays AKS, and a checkout whose target leads there as to AKS: by the user's kubeconfig.

Other context name, node pools and zones by label, Pod Security restricted, a robot with the least rights, a registry
with a password. What it cannot play: Azure's own load balancer, disks and logins.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from botyard.targets import Target, load_target
from botyard.tools import docker
from botyard.tools.kube import Kube

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "targets-live"
STAND_IN = {
    "driver": "kind",
    "cluster": "botyard-plays-aks",
    "ports": {"rasa": 5105, "registry": 5101, "depot": 5102},
}
# Pool and zone of each worker, as AKS labels them.
NODES = {
    "botyard-plays-aks-worker": ("bots", "westeurope-1"),
    "botyard-plays-aks-worker2": ("bots", "westeurope-2"),
    "botyard-plays-aks-worker3": ("spot", "westeurope-3"),
}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str


def invoke(root: Path, *argv: str, **env: str) -> Done:
    """Runs a task of that checkout, as a user does."""
    command = [sys.executable, "-m", "invoke", *argv]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=1500, check=False, env={**os.environ, **env}
    )
    return Done(done.returncode, done.stdout + done.stderr)


def copy_of_this(root: Path) -> None:
    """A checkout without what this one has made."""
    left_out = shutil.ignore_patterns(".git", ".venv", ".botyard", "__pycache__", "*.egg-info", ".*_cache")
    shutil.copytree(ROOT, root, ignore=left_out)


@dataclass(frozen=True)
class StandIn:
    """The cluster that plays AKS, as who made it sees it."""

    target: Target
    kubeconfig: Path
    kube: Kube

    def part(self, kind: str) -> dict[str, Any]:
        """The ``cluster`` or ``user`` of its kubeconfig."""
        found: dict[str, Any] = yaml.safe_load(self.kubeconfig.read_text())[f"{kind}s"][0][kind]
        return found


@contextmanager
def stand_in(folder: Path) -> Iterator[StandIn]:
    """Made by the project's own task, which needs a machine that has seen `invoke e2e`; taken away afterwards."""
    root = folder / "maker"
    copy_of_this(root)
    (root / "values/targets.yml").write_text(yaml.safe_dump({"targets": {"stand-in": STAND_IN}}))
    made = invoke(root, "cluster", "--target", "stand-in", "--plain")
    try:
        assert made.code == 0, made.out
        target = load_target(root, "stand-in")
        kubeconfig = target.kubeconfig_in(root / ".botyard" / target.cluster)
        kube = Kube(kubeconfig, target.context)
        for node, (pool, zone) in NODES.items():
            labels = {"kubernetes.azure.com/agentpool": pool, "topology.kubernetes.io/zone": zone}
            kube.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node, "labels": labels}})
        yield StandIn(target, kubeconfig, kube)
    finally:
        gone = invoke(root, "down", "--target", "stand-in", "--plain")
        assert gone.code == 0 and not docker.containers(f"io.x-k8s.kind.cluster={STAND_IN['cluster']}"), gone.out


@dataclass
class Checkout:
    """A copy of this one; its tasks are run as a user does."""

    root: Path
    cluster: StandIn
    ca: bytes

    @property
    def kube(self) -> Kube:
        return self.cluster.kube

    def target(self, **body: Any) -> None:
        """Writes values/targets.yml: one target named ``there``."""
        whole = {"driver": "aks", "namespace": NAMESPACE, "context": "there", "kubeconfig": str(self.config), **body}
        (self.root / "values/targets.yml").write_text(yaml.safe_dump({"targets": {"there": whole}}))

    @property
    def config(self) -> Path:
        return self.root / "user.kubeconfig"

    def reach(self, user: dict[str, Any], server: str | None = None) -> None:
        """Writes the user's kubeconfig with these credentials."""
        cluster = {
            "server": server or self.cluster.part("cluster")["server"],
            "certificate-authority-data": base64.b64encode(self.ca).decode(),
        }
        self.config.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "c", "cluster": cluster}],
                    "users": [{"name": "u", "user": user}],
                    "contexts": [{"name": "there", "context": {"cluster": "c", "user": "u"}}],
                }
            )
        )

    def admin(self) -> None:
        """Reach it as who made it."""
        self.reach(self.cluster.part("user"))

    def robot(self) -> None:
        """Reach it as the account that `target.rbac` prints, with no other right."""
        printed = self.invoke("target.rbac", "--target", "there")
        assert printed.code == 0, printed.out
        for body in yaml.safe_load_all(printed.out):
            self.kube.apply(body)
        self.as_robot()

    def as_robot(self) -> None:
        """The same with a new token, where the roles are there."""
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/botyard-deploy/token"
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        self.reach({"token": self.kube.post(path, asked)["status"]["token"]})

    def invoke(self, *argv: str, **env: str) -> Done:
        """Runs a task of that checkout."""
        return invoke(self.root, *argv, **env)
