"""A checkout of its own whose target leads to the live cluster as AKS is reached: by a kubeconfig of the user's."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from botyard.targets import load_target
from botyard.tools.kube import Kube

ROOT = Path(__file__).resolve().parents[2]
LIVE = load_target(ROOT, "kind")
LIVE_CONFIG = ROOT / ".botyard" / LIVE.cluster / "kubeconfig"
NAMESPACE = "targets-live"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str


@dataclass
class Checkout:
    """A copy of this one; its tasks are run as a user does."""

    root: Path
    kube: Kube
    ca: bytes

    def target(self, **body: Any) -> None:
        """Writes values/targets.yml: one target named ``there``."""
        whole = {"driver": "aks", "namespace": NAMESPACE, "context": "there", "kubeconfig": str(self.config), **body}
        (self.root / "values/targets.yml").write_text(yaml.safe_dump({"targets": {"there": whole}}))

    @property
    def config(self) -> Path:
        return self.root / "user.kubeconfig"

    def reach(self, user: dict[str, Any], server: str | None = None) -> None:
        """Writes the user's kubeconfig with these credentials."""
        live = yaml.safe_load(LIVE_CONFIG.read_text())["clusters"][0]["cluster"]
        cluster = {"server": server or live["server"], "certificate-authority-data": base64.b64encode(self.ca).decode()}
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
        self.reach(yaml.safe_load(LIVE_CONFIG.read_text())["users"][0]["user"])

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
        command = [sys.executable, "-m", "invoke", *argv]
        done = subprocess.run(
            command, cwd=self.root, capture_output=True, text=True, timeout=1500, check=False, env={**os.environ, **env}
        )
        return Done(done.returncode, done.stdout + done.stderr)
