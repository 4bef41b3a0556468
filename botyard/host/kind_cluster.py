"""How kind makes a cluster of ours; everything else is in own_cluster."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from botyard.host import cluster_spec
from botyard.host.cluster_driver import Driver, Tell
from botyard.host.cluster_spec import ClusterSpec
from botyard.tools import docker
from botyard.tools.kind import LABEL, LABEL_ROLE, Kind, steps

if TYPE_CHECKING:
    from docker.models.containers import Container


def nodes_of(cluster: str) -> list[Container]:
    """All node containers of that kind cluster, running or not, the control plane first."""
    found = docker.containers(f"{LABEL}={cluster}")
    return sorted(found, key=lambda c: (c.labels.get(LABEL_ROLE) != "control-plane", c.name or ""))


@dataclass(frozen=True)
class KindDriver(Driver):
    """kind."""

    name: ClassVar[str] = "kind"
    delete_command: ClassVar[str] = "kind delete cluster --name {cluster}"

    def context(self, cluster: str) -> str:
        return f"kind-{cluster}"

    def nodes(self, cluster: str) -> list[Container]:
        return nodes_of(cluster)

    def create(self, spec: ClusterSpec, image: str, progress: Tell) -> None:
        patches = self.kubeconfig.parent / "kubeadm-patches"
        patches.mkdir(parents=True, exist_ok=True)
        for name, patch in cluster_spec.KUBEADM_PATCHES.items():
            (patches / name).write_text(json.dumps(patch))
        config = cluster_spec.kind_config(spec, patches)
        self._kind(spec).create(spec.name, config, image, on_line=steps(progress))

    def come_back(self, spec: ClusterSpec, stopped: Sequence[str], progress: Tell) -> None:
        if stopped:
            docker.cli("start", *stopped)
        self._kind(spec).export_kubeconfig(spec.name)

    def _kind(self, spec: ClusterSpec) -> Kind:
        return Kind(self.binary(), self.kubeconfig, spec.network)
