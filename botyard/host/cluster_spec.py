"""What a cluster of ours is made from: the spec stored in it, kind's configuration, containerd's mirrors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from botyard.contracts import Diff
from botyard.host import mirror
from botyard.targets import Target

RASA_NODE_PORT = 30505
PATCHES_IN_NODE = "/kind/botyard-patches"
# kubeadm probes CoreDNS every 10 s, the first time before it can answer: DNS would count as down for 10 s for nothing.
KUBEADM_PATCHES = {
    "corednsdeployment+strategic.json": {
        "spec": {"template": {"spec": {"containers": [{"name": "coredns", "readinessProbe": {"periodSeconds": 1}}]}}}
    }
}
REGISTRY_PORT = 5000
# Registries whose images are asked from sources.mirror where one is set -> the server that stands behind the name.
UPSTREAMS = {
    "docker.io": "https://registry-1.docker.io",
    "registry.k8s.io": "https://registry.k8s.io",
    "ghcr.io": "https://ghcr.io",
    "quay.io": "https://quay.io",
}


@dataclass(frozen=True)
class ClusterSpec:
    """Everything that cannot change without making the cluster anew.

    Args:
        image_key: content key (or digest) of the node image.
        rasa_port: port on 127.0.0.1 that leads to node port 30505 of the control plane.
        registry_port: nodes pull ``localhost:<registry_port>/...`` from the registry container.
        mirror: asked by nodes instead of upstream's registries; '' for none.
        layout: raise it when kind_config changes otherwise, so that clusters made the old way are told from new ones.
        driver: what makes it. The spec of a cluster of before there was a choice says none: that is kind.
    """

    name: str
    image_key: str
    workers: int
    network: str
    rasa_port: int
    registry_port: int
    mirror: str = ""
    layout: int = 3
    driver: str = "kind"

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True)


def spec_of(target: Target, image_key: str) -> ClusterSpec:
    """The spec that a target asks for."""
    return ClusterSpec(
        name=target.cluster,
        image_key=image_key,
        workers=target.workers,
        network=target.network,
        rasa_port=target.ports.rasa,
        registry_port=target.ports.registry,
        mirror=mirror.for_nodes(target.sources.mirror),
        driver=target.driver,
    )


def difference(stored: str, wanted: ClusterSpec) -> Diff | None:
    """The spec stored in the cluster against the wanted one; None where they say the same."""
    if _fields(stored) == asdict(wanted):
        return None
    return Diff(f"spec of cluster {wanted.name}", stored.rstrip() + "\n", wanted.to_json() + "\n")


def changes(stored: str, wanted: ClusterSpec) -> str:
    """What differs, on one line: ``rasa_port 5005 -> 5006, workers 3 -> 2``."""
    before, after = _fields(stored), asdict(wanted)
    rows = [(key, before.get(key), after.get(key)) for key in sorted(before.keys() | after.keys())]
    return ", ".join(f"{key} {was} -> {now}" for key, was, now in rows if was != now)


def _fields(stored: str) -> dict[str, object]:
    try:
        found = json.loads(stored)
    except ValueError:
        return {}
    return {"driver": "kind", **found} if isinstance(found, dict) else {}


def kind_config(spec: ClusterSpec, patches: Path) -> str:
    """kind's configuration as JSON, which is YAML too.

    Args:
        patches: folder on this machine with KUBEADM_PATCHES; read once, while the control plane is made.
    """
    control_plane = {
        "role": "control-plane",
        "extraMounts": [{"hostPath": str(patches), "containerPath": PATCHES_IN_NODE, "readOnly": True}],
        "kubeadmConfigPatches": [f"kind: InitConfiguration\npatches:\n  directory: {PATCHES_IN_NODE}\n"],
        "extraPortMappings": [
            {"containerPort": RASA_NODE_PORT, "hostPort": spec.rasa_port, "listenAddress": "127.0.0.1"}
        ],
    }
    config = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": spec.name,
        "networking": {"ipFamily": "ipv4", "apiServerAddress": "127.0.0.1"},
        "containerdConfigPatches": [
            '[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n'
        ],
        # One image at a time is the kubelet's default: a small image would wait behind Rasa's large one.
        "kubeadmConfigPatches": ["kind: KubeletConfiguration\nserializeImagePulls: false\n"],
        "nodes": [control_plane, *({"role": "worker"} for _ in range(spec.workers))],
    }
    return json.dumps(config, indent=1)


def hosts_toml(spec: ClusterSpec) -> Mapping[str, str]:
    """Folder under /etc/containerd/certs.d -> its hosts.toml."""
    local = f"localhost:{spec.registry_port}"
    found = {local: f'[host."http://{spec.name}-registry:{REGISTRY_PORT}"]\n  capabilities = ["pull", "resolve"]\n'}
    if spec.mirror:
        host, _, prefix = spec.mirror.partition("/")
        url = f"https://{host}/v2/{prefix}" if prefix else f"https://{host}"
        override = "  override_path = true\n" if prefix else ""
        for name, server in UPSTREAMS.items():
            found[name] = f'server = "{server}"\n[host."{url}"]\n  capabilities = ["pull", "resolve"]\n{override}'
    return found


def registry_hosting(spec: ClusterSpec) -> dict[str, object]:
    """The ConfigMap of KEP-1755, by which tools learn of the local registry."""
    inside = f"{spec.name}-registry:{REGISTRY_PORT}"
    text = (
        f'host: "localhost:{spec.registry_port}"\n'
        f'hostFromContainerRuntime: "{inside}"\n'
        f'hostFromClusterNetwork: "{inside}"\n'
        'help: "https://kind.sigs.k8s.io/docs/user/local-registry/"\n'
    )
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "local-registry-hosting", "namespace": "kube-public"},
        "data": {"localRegistryHosting.v1": text},
    }
