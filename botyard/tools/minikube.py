"""minikube's command line, always with a home, a kubeconfig and a Docker network of our own."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botyard.process import Arg, run

LABEL = "created_by.minikube.sigs.k8s.io"
TIMEOUT_S = 600


@dataclass(frozen=True)
class Minikube:
    """One minikube binary, used for one home and one kubeconfig.

    Args:
        binary: the program.
        home: the folder for all that it keeps; never the user's ~/.minikube.
        kubeconfig: the file that it writes; never the user's.
    """

    binary: Path
    home: Path
    kubeconfig: Path

    def start(
        self,
        profile: str,
        *,
        image: str,
        version: str,
        network: str,
        cni: Path,
        port: str,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        """Makes a cluster of one node, without minikube's own add-ons.

        Args:
            image: what the nodes run; a local image.
            version: Kubernetes' own, like ``v1.34.4``.
            cni: manifest of the pod network.
            port: ``address:port:port in the node``, published by the first node.

        Raises:
            CommandError: minikube failed; the nodes are kept for a look.
        """
        self._run(
            "start", "--profile", profile, "--driver", "docker", "--container-runtime", "containerd",
            "--base-image", image, "--kubernetes-version", version, "--network", network, "--cni", cni,
            "--ports", port, "--memory", "no-limit", "--cpus", "no-limit", "--preload=false", "--cache-images=false",
            "--install-addons=false", "--interactive=false", "--embed-certs", "--wait", "apiserver",
            # One image at a time is the kubelet's default: a small image would wait behind Rasa's large one.
            "--extra-config", "kubelet.serialize-image-pulls=false",
            # It is older than this Kubernetes, and does not like to be run by root.
            "--force", on_line=on_line,
        )  # fmt: skip
        self.kubeconfig.chmod(0o600)

    def add_worker(self, profile: str) -> None:
        """Adds a node to a profile, made as the first one was.

        Raises:
            CommandError: minikube failed.
        """
        self._run("node", "add", "--profile", profile, "--worker")

    def update_context(self, profile: str) -> None:
        """Writes the API server's address into the kubeconfig, where it has changed.

        Raises:
            CommandError: the cluster does not run, or this home has no such profile.
        """
        self._run("update-context", "--profile", profile)
        self.kubeconfig.chmod(0o600)

    def knows(self, profile: str) -> bool:
        """Whether this home has that profile."""
        return self._config(profile).is_file()

    def publish_no_more(self, profile: str) -> None:
        """Nodes to come publish no port: minikube would give each of them the port that the first one has already."""
        file = self._config(profile)
        config = json.loads(file.read_text())
        file.write_text(json.dumps({**config, "ExposedPorts": []}, indent=1))

    def forget(self) -> None:
        """Removes all that it keeps."""
        shutil.rmtree(self.home, ignore_errors=True)

    def _config(self, profile: str) -> Path:
        return self.home / ".minikube" / "profiles" / profile / "config.json"

    def _run(self, *argv: Arg, on_line: Callable[[str], None] | None = None) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        # It takes any of its flags from the environment, too: those of the user are for clusters of theirs.
        theirs = {name: "" for name in os.environ if name.startswith("MINIKUBE_")}
        env = {
            **theirs,
            "MINIKUBE_HOME": str(self.home),
            "KUBECONFIG": str(self.kubeconfig),
            "MINIKUBE_MEMORY": "no-limit",  # else a second node takes 2200 MB for all
            "MINIKUBE_WANTUPDATENOTIFICATION": "false",
        }
        run([self.binary, *argv, "--output", "json"] if argv[0] == "start" else [self.binary, *argv],
            env=env, timeout_s=TIMEOUT_S, on_line=on_line)  # fmt: skip


def steps(progress: Callable[[str], None]) -> Callable[[str], None]:
    """Passes on the steps that minikube tells, without its pictures, advice and logs."""

    def on_line(line: str) -> None:
        event: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
        if event.get("type") == "io.k8s.sigs.minikube.step":
            words = str(event["data"]["message"]).encode("ascii", "ignore").decode().strip(" *!.\n")
            progress(f"minikube: {words[:1].lower()}{words[1:]}")

    return on_line
