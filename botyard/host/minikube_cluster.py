"""How minikube makes a cluster of ours, by its docker driver; everything else is in own_cluster."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import yaml

from botyard.contracts import LABEL_CLUSTER, BadInput, BotyardError
from botyard.host import cluster_spec
from botyard.host.cluster_driver import Driver, Tell
from botyard.host.cluster_spec import ClusterSpec
from botyard.tools import docker
from botyard.tools.minikube import LABEL, Minikube, steps

if TYPE_CHECKING:
    from docker.models.containers import Container

POD_SUBNET = "10.244.0.0/16"  # minikube's own where the pod network is not one of its own
API_PORT = 8443
MOST_NODES = 10
# Nodes find the control plane by this name in /etc/hosts, which Docker writes anew whenever a container starts.
CONTROL_PLANE_ALIAS = "control-plane.minikube.internal"
ADD_ALIAS = 'grep -qxF "$1" /etc/hosts || echo "$1" >> /etc/hosts'
CONTROL_PLANE_TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


def node_name(cluster: str, number: int) -> str:
    """The name of a node, its container and its volume; the control plane is number 1."""
    return cluster if number == 1 else f"{cluster}-m{number:02}"


@dataclass(frozen=True)
class MinikubeDriver(Driver):
    """minikube.

    Args:
        version: Kubernetes' own, like ``v1.34.4``.
        manifests: the folder with the manifests of the pod network and the storage class, dockerfiles/node/manifests.
    """

    version: str
    manifests: Path

    name: ClassVar[str] = "minikube"
    fixed_nodes: ClassVar[bool] = True
    delete_command: ClassVar[str] = "minikube delete --profile {cluster}"

    def context(self, cluster: str) -> str:
        return cluster

    def nodes(self, cluster: str) -> list[Container]:
        ours = re.compile(rf"{re.escape(cluster)}(-m\d+)?")
        found = [one for one in docker.containers(f"{LABEL}=true") if ours.fullmatch(str(one.name))]
        return sorted(found, key=lambda one: (len(str(one.name)), str(one.name)))

    def create(self, spec: ClusterSpec, image: str, progress: Tell) -> None:
        # minikube would make them: made before, they carry our label, by which what an interrupted run left is found.
        for number in range(1, 2 + spec.workers):
            docker.cli("volume", "create", "--label", f"{LABEL_CLUSTER}={spec.name}", node_name(spec.name, number))
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "pod-network.yaml").write_text(
            yaml.safe_dump_all(pod_network(self.manifests, control_plane_address(spec.network)))
        )
        minikube = self._minikube()
        minikube.start(
            spec.name,
            image=image,
            version=self.version,
            network=spec.network,
            cni=self.home / "pod-network.yaml",
            port=f"127.0.0.1:{spec.rasa_port}:{cluster_spec.RASA_NODE_PORT}",
            on_line=steps(progress),
        )
        minikube.publish_no_more(spec.name)
        for number in range(2, 2 + spec.workers):
            progress(f"minikube: adding node {node_name(spec.name, number)}")
            minikube.add_worker(spec.name)
        kube = self.kube(spec.name)
        for body in yaml.safe_load_all((self.manifests / "default-storage.yaml").read_text()):
            kube.apply(body)
        # As with kind: a bot's pods are for the workers.
        taint = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": spec.name}}
        kube.apply({**taint, "spec": {"taints": [CONTROL_PLANE_TAINT]}})

    def come_back(self, spec: ClusterSpec, stopped: Sequence[str], progress: Tell) -> None:
        minikube = self._minikube()
        if not minikube.knows(spec.name):
            raise BadInput(
                f"the minikube cluster {spec.name} was made by another checkout: what minikube keeps of it is not here",
                f"go on there, or take it away: invoke down --target {spec.name}",
            )
        if stopped:
            docker.cli("start", *stopped)
        alias = f"{control_plane_address(spec.network)} {CONTROL_PLANE_ALIAS}"
        for node in self.nodes(spec.name):
            docker.exec_in(str(node.name), ["sh", "-c", ADD_ALIAS, "sh", alias])
        minikube.update_context(spec.name)

    def clear(self, cluster: str) -> None:
        for number in range(1, 1 + MOST_NODES):
            volume = docker.inspect("volume", node_name(cluster, number))
            if volume is not None and (volume.get("Labels") or {}).get(LABEL_CLUSTER) == cluster:
                docker.cli("volume", "rm", node_name(cluster, number))
        Minikube(Path(), self.home, self.kubeconfig).forget()

    @property
    def home(self) -> Path:
        """Where minikube keeps what it keeps."""
        return self.kubeconfig.parent / "minikube"

    def _minikube(self) -> Minikube:
        return Minikube(self.binary(), self.home, self.kubeconfig)


def control_plane_address(network: str) -> str:
    """The address that minikube asks for the control plane: the one after the network's gateway.

    Raises:
        BotyardError: there is no such network.
    """
    found = docker.inspect("network", network)
    if found is None:
        raise BotyardError(f"there is no Docker network {network}", "run it again")
    return str(ipaddress.ip_address(found["IPAM"]["Config"][0]["Gateway"]) + 1)


def pod_network(manifests: Path, control_plane: str) -> list[dict[str, Any]]:
    """The objects of the pod network, filled in as kind does it by itself."""
    text = (manifests / "default-cni.yaml").read_text().replace("{{ .PodSubnet }}", POD_SUBNET)
    bodies: list[dict[str, Any]] = list(yaml.safe_load_all(text))
    for body in bodies:
        if body["kind"] == "DaemonSet":
            for container in body["spec"]["template"]["spec"]["containers"]:
                container["env"].append({"name": "CONTROL_PLANE_ENDPOINT", "value": f"{control_plane}:{API_PORT}"})
    return bodies
