"""Containers that stand beside the cluster: the image registry and the depot, and the Docker network they share."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botyard.contracts import LABEL_CLUSTER, LABEL_KEY, BadInput, BotyardError, CommandError
from botyard.later import later
from botyard.targets import Target
from botyard.tools import docker as engine
from botyard.wait import wait_until

docker = later("docker")
if TYPE_CHECKING:
    import requests
else:
    requests = later("requests")

# It answers within a second; but after all containers were killed, the kernel takes up to a minute to clear away their
# network namespaces, and as long the dead one's address stands in the way of the new one.
READY_TIMEOUT_S = 150


@dataclass(frozen=True)
class Service:
    """One such container.

    Args:
        name: of the container, and of it on the network.
        cluster: whose it is.
        image: reference or id of a local image.
        network: Docker network that it joins.
        host_port: port on 127.0.0.1.
        port: port in the container.
        volume: named volume with its data; outlives the container.
        mount: where the volume lies in the container.
        ready_path: answers 200 once it serves.
        fixed_nodes: see ``ensure_network``.
    """

    name: str
    cluster: str
    image: str
    network: str
    host_port: int
    port: int
    volume: str
    mount: str
    ready_path: str
    fixed_nodes: bool = False

    def key(self, image_id: str) -> str:
        """What the container was made from; another key means that it has to be made anew."""
        parts = (image_id, self.network, self.host_port, self.port, self.volume, self.mount)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def registry(target: Target, image: str) -> Service:
    """The image registry of a target's cluster."""
    name = f"{target.cluster}-registry"
    return Service(
        name, target.cluster, image, target.network, target.ports.registry, 5000,
        f"{name}-images", "/var/lib/docker-registry", "/v2/", target.fixed_nodes,
    )  # fmt: skip


def depot(target: Target, image: str) -> Service:
    """The depot (charts and models over HTTP) of a target's cluster."""
    name = f"{target.cluster}-depot"
    return Service(
        name, target.cluster, image, target.network, target.ports.depot, 80,
        f"{name}-files", "/srv/depot", "/healthz", target.fixed_nodes,
    )  # fmt: skip


Step = Literal["unchanged", "start", "create", "recreate"]


def observe(service: Service) -> Step:
    """What has to be done to have it running.

    Raises:
        BadInput: a container of that name is not ours.
        BotyardError: there is no such image.
    """
    found = engine.container(service.name)
    if found is None:
        return "create"
    _must_be_ours("container", service.name, found.labels, service.cluster)
    image = engine.image(service.image)
    if image is None:
        raise BotyardError(f"there is no local image {service.image} for {service.name}", "run invoke images")
    if found.labels.get(LABEL_KEY) != service.key(str(image.id)):
        return "recreate"
    network = engine.inspect("network", service.network)
    attached = found.attrs["NetworkSettings"]["Networks"].get(service.network)
    if network is None or attached is None or attached.get("NetworkID") not in ("", network["Id"]):
        return "recreate"
    return "unchanged" if found.status == "running" else "start"


def act(step: Step, service: Service, progress: Callable[[str], None]) -> None:
    """Does what ``observe`` said, then waits until the service answers on this machine.

    Raises:
        BotyardError: it could not be started (a taken port, say) or does not answer.
    """
    if step == "start":
        progress(f"starting {service.name}")
        try:
            engine.cli("start", service.name)
        except CommandError:
            step = "recreate"  # what it was attached to is gone
    if step in ("create", "recreate"):
        progress(f"making {service.name}")
        image = engine.image(service.image)
        if image is None:
            raise BotyardError(f"there is no local image {service.image} for {service.name}", "run invoke images")
        ensure_network(service.network, service.cluster, fixed_nodes=service.fixed_nodes)
        engine.cli("rm", "--force", service.name)
        if engine.inspect("volume", service.volume) is None:
            engine.cli("volume", "create", "--label", f"{LABEL_CLUSTER}={service.cluster}", service.volume)
        engine.cli(
            "run", "--detach", "--name", service.name, "--hostname", service.name,
            "--label", f"{LABEL_CLUSTER}={service.cluster}", "--label", f"{LABEL_KEY}={service.key(str(image.id))}",
            "--network", service.network, "--publish", f"127.0.0.1:{service.host_port}:{service.port}",
            "--volume", f"{service.volume}:{service.mount}", "--restart", "unless-stopped",
            "--security-opt", "no-new-privileges", "--cap-drop", "ALL", str(image.id),
        )  # fmt: skip
    wait_until(
        f"{service.name} to answer on port {service.host_port}",
        lambda: _answers(service),
        READY_TIMEOUT_S,
        interval_s=0.2,
        progress=progress if step != "unchanged" else None,
        cure=f"docker logs {service.name}",
    )


def _answers(service: Service) -> tuple[bool, str]:
    try:
        got = requests.get(f"http://127.0.0.1:{service.host_port}{service.ready_path}", timeout=3)
    except requests.RequestException as error:
        found = engine.container(service.name)
        state = "gone" if found is None else found.status
        return False, f"{service.name} is {state} and does not answer ({type(error).__name__})"
    return got.status_code == 200, f"{service.name} answers {got.status_code}"


def remove(service: Service, *, check: bool) -> bool:
    """Removes the container, its volume, and the network where nothing else uses it; whether there was anything.

    Raises:
        BadInput: a container or volume of that name is not ours.
    """
    found = engine.container(service.name)
    volume = engine.inspect("volume", service.volume)
    if found is not None:
        _must_be_ours("container", service.name, found.labels, service.cluster)
    if volume is not None:
        _must_be_ours("volume", service.volume, volume.get("Labels") or {}, service.cluster)
    network = engine.inspect("network", service.network)
    if check:
        return found is not None or volume is not None
    if found is not None:
        engine.cli("rm", "--force", "--volumes", service.name)
    if volume is not None:
        engine.cli("volume", "rm", service.volume)
    gone = network is not None and drop_network(service.network, service.cluster)
    return found is not None or volume is not None or gone


def ensure_network(name: str, cluster: str, *, fixed_nodes: bool = False) -> bool:
    """Makes the Docker network, labelled as ours; True where it was made now.

    Args:
        fixed_nodes: nodes ask for addresses, the lowest ones: then Docker gives others from the upper half alone.

    Raises:
        BadInput: there is a network of that name that is not ours, or one that was made for another driver.
    """
    found = engine.inspect("network", name)
    if found is not None:
        _must_be_ours("network", name, found.get("Labels") or {}, cluster)
        if fixed_nodes != bool(_range(found).get("IPRange")):
            raise BadInput(
                f"the Docker network {name} was made for a cluster of another driver",
                "put the driver back and run invoke down, or choose another cluster name in values/targets.yml",
            )
        return False
    bridge = engine.inspect("network", "bridge") or {}
    mtu = (bridge.get("Options") or {}).get("com.docker.network.driver.mtu", "1500")
    words = [
        "network", "create", "--label", f"{LABEL_CLUSTER}={cluster}",
        "--opt", f"com.docker.network.driver.mtu={mtu}",
    ]  # fmt: skip
    engine.cli(*words, name)
    if fixed_nodes:  # only in a network with a subnet of its own may addresses be asked for: the one that it got
        subnet = ipaddress.ip_network(_range(engine.inspect("network", name) or {})["Subnet"])
        engine.cli("network", "rm", name)
        *_, upper = subnet.subnets()
        gateway = subnet.network_address + 1
        engine.cli(*words, "--subnet", str(subnet), "--gateway", str(gateway), "--ip-range", str(upper), name)
    return True


def _range(network: dict[str, Any]) -> dict[str, str]:
    """The first entry of a network's address management: Subnet, Gateway, IPRange."""
    entries: list[dict[str, str]] = (network.get("IPAM") or {}).get("Config") or [{}]
    return entries[0]


def drop_network(name: str, cluster: str) -> bool:
    """Removes our network where no container is attached to it, running or not; True where it was removed."""
    found = engine.inspect("network", name)
    if found is None or (found.get("Labels") or {}).get(LABEL_CLUSTER) != cluster:
        return False
    if engine.client().containers.list(all=True, filters={"network": name}, ignore_removed=True):
        return False
    try:
        engine.client().api.remove_network(found["Id"])
    except (docker.errors.NotFound, docker.errors.APIError):
        return False  # somebody joined it just now
    return True


def _must_be_ours(kind: str, name: str, labels: dict[str, str], cluster: str) -> None:
    if labels.get(LABEL_CLUSTER) != cluster:
        raise BadInput(
            f"the Docker {kind} {name} is not ours: it lacks the label {LABEL_CLUSTER}={cluster}",
            f"remove it yourself (docker {kind} rm {name}) or choose another cluster name in values/targets.yml",
        )
