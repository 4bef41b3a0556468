"""A cluster of our own, of whichever driver: what there is, what has to be done, and doing it.

Who owns a cluster is told by three things that a killed run leaves behind in a known order: nodes on our labelled
Docker network; a volume ``<cluster>-creation``, made before the nodes and removed when all is done; our mark in the
cluster, written last. Nodes with none of the last two are somebody else's and never touched.
"""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from botyard.contracts import LABEL_CLUSTER, MARK_CONFIGMAP, BadInput, BotyardError, CommandError, Diff, TimedOut
from botyard.host import cluster_health, cluster_spec, containers, services
from botyard.host.cluster_driver import Driver, Tell
from botyard.host.cluster_spec import ClusterSpec
from botyard.tools import docker
from botyard.tools.kube import Kube, no_answer
from botyard.wait import wait_until

if TYPE_CHECKING:
    from docker.models.containers import Container

READY_TIMEOUT_S = 180  # a new cluster
COMEBACK_TIMEOUT_S = 180  # one that was there before; after that it is made anew


class Plan(Enum):
    """What has to be done; the value is the sentence shown."""

    KEEP = "is there and healthy"
    HEAL = "is there and has to come back"
    REMAKE_HALF = "an interrupted run left it half made: making it anew"
    REMAKE_BROKEN = "it is ours and stays broken: making it anew"
    REMAKE_ASKED = "it differs from what is wanted and recreate was asked for: making it anew"
    CREATE = "making it"


@dataclass(frozen=True)
class Observed:
    """What was found, and the plan for it.

    Args:
        diff: stored spec against wanted spec, where they differ.
        nodes: the node containers found.
    """

    plan: Plan
    nodes: list[Container]
    diff: Diff | None = None


def observe(driver: Driver, spec: ClusterSpec, *, recreate: bool) -> Observed:
    """Looks at the cluster without changing anything.

    Raises:
        BadInput: a cluster of that name that is not ours, or one of ours with another spec and no ``recreate``.
    """
    nodes = driver.nodes(spec.name)
    if not nodes:
        return Observed(Plan.CREATE, [])
    half_made = docker.inspect("volume", _creation_volume(spec.name)) is not None
    if not _labelled_network(nodes, spec.network, spec.name):
        raise _not_ours(driver, spec.name)
    kube = _kube(driver, spec.name)
    if kube is None or any(node.status != "running" for node in nodes):
        return Observed(Plan.REMAKE_HALF if half_made else Plan.HEAL, nodes)
    try:
        stored = cluster_health.stored_spec(kube)
    except no_answer():
        return Observed(Plan.REMAKE_HALF if half_made else Plan.HEAL, nodes)
    return _judge(driver, spec, stored, nodes, kube, half_made=half_made, recreate=recreate)


def _judge(
    driver: Driver,
    spec: ClusterSpec,
    stored: str | None,
    nodes: list[Container],
    kube: Kube,
    *,
    half_made: bool,
    recreate: bool,
) -> Observed:
    if stored is None:
        if half_made:
            return Observed(Plan.REMAKE_HALF, nodes)
        raise _not_ours(driver, spec.name)
    diff = cluster_spec.difference(stored, spec)
    if diff is not None:
        if recreate:
            return Observed(Plan.REMAKE_ASKED, nodes, diff)
        raise BadInput(
            f"cluster {spec.name} was made from another spec: {cluster_spec.changes(stored, spec)}",
            "run again with --recreate to make it anew (all in it is lost), or put values/targets.yml back",
        )
    healthy, _ = cluster_health.probe(kube, 1 + spec.workers, _started(nodes))
    return Observed(Plan.KEEP if healthy else Plan.HEAL, nodes)


def act(driver: Driver, found: Observed, spec: ClusterSpec, image: str, *, recreate: bool, progress: Tell) -> Plan:
    """Does what the plan says; returns the plan that was carried out in the end.

    Args:
        image: reference or id of the node image.

    Raises:
        BadInput: once it answered, the cluster turned out not to be ours, or to have another spec.
        BotyardError: it could not be made.
    """
    plan = found.plan
    if plan is Plan.HEAL:
        plan = _heal(driver, found, spec, recreate=recreate, progress=progress)
    if plan in (Plan.KEEP, Plan.HEAL):
        confirm(spec.name)
        return plan
    if plan is not Plan.CREATE:
        progress(f"cluster {spec.name}: {plan.value}")
    _delete(driver, spec.name)
    _create(driver, spec, image, progress)
    return plan


def _heal(driver: Driver, found: Observed, spec: ClusterSpec, *, recreate: bool, progress: Tell) -> Plan:
    """Brings a cluster back whose nodes were stopped or whose kubeconfig is not here; Plan.HEAL where that worked."""
    stopped = [str(node.name) for node in found.nodes if node.status != "running"]
    try:
        if stopped:
            progress(f"starting {', '.join(stopped)}")
        driver.come_back(spec, stopped, progress)
        kube = driver.kube(spec.name)
        wait_until(
            f"the API server of {spec.name}",
            lambda: (kube.answers(), "the API server does not answer yet"),
            COMEBACK_TIMEOUT_S,
            interval_s=0.5,
            progress=progress,
        )
        half_made = docker.inspect("volume", _creation_volume(spec.name)) is not None
        stored = cluster_health.stored_spec(kube)
        judged = _judge(driver, spec, stored, found.nodes, kube, half_made=half_made, recreate=recreate)
        if judged.plan in (Plan.KEEP, Plan.HEAL):
            _wait_healthy(spec, kube, _started(driver.nodes(spec.name)), COMEBACK_TIMEOUT_S, progress)
            return Plan.HEAL
        return judged.plan
    except (CommandError, TimedOut, *no_answer()) as error:
        progress(f"cluster {spec.name} does not come back: {str(error).splitlines()[0]}")
        return Plan.REMAKE_BROKEN


def _create(driver: Driver, spec: ClusterSpec, image: str, progress: Tell) -> None:
    services.ensure_network(spec.network, spec.name, fixed_nodes=driver.fixed_nodes)
    volume = _creation_volume(spec.name)
    docker.cli("volume", "create", "--label", f"{LABEL_CLUSTER}={spec.name}", volume)
    try:
        driver.create(spec, image, progress)
    except CommandError as error:
        # A program of a killed run may still be at work on the same names, and a busy machine makes kubeadm give up.
        progress(f"{driver.name} failed ({str(error).splitlines()[-1]}): once more")
        _delete(driver, spec.name)
        driver.create(spec, image, progress)
    nodes = driver.nodes(spec.name)
    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(lambda node: _put_mirrors(node, spec), nodes))
    kube = driver.kube(spec.name)
    kube.apply(cluster_spec.registry_hosting(spec))
    _wait_healthy(spec, kube, {}, READY_TIMEOUT_S, progress)  # nothing in it is older than its nodes
    kube.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": MARK_CONFIGMAP, "namespace": "kube-system"},
            "data": {"spec": spec.to_json()},
        }
    )
    confirm(spec.name)


def _wait_healthy(spec: ClusterSpec, kube: Kube, started: Mapping[str, str], timeout_s: float, progress: Tell) -> None:
    wait_until(
        f"cluster {spec.name}",
        lambda: cluster_health.probe(kube, 1 + spec.workers, started),
        timeout_s,
        interval_s=0.5,
        progress=progress,
        cure=f"kubectl --kubeconfig {kube.kubeconfig} get nodes,pods -A",
    )


def remove(driver: Driver, cluster: str, network: str, *, check: bool) -> bool:
    """Removes the nodes, what an interrupted creation left, and our kubeconfig; whether there was anything.

    Raises:
        BadInput: a cluster of that name is not ours.
    """
    nodes = driver.nodes(cluster)
    volume = _creation_volume(cluster)
    half_made = docker.inspect("volume", volume) is not None
    if nodes and not _labelled_network(nodes, network, cluster):
        raise _not_ours(driver, cluster)
    if nodes and not half_made and driver.kubeconfig.is_file():
        _must_carry_mark(driver, cluster)
    there = bool(nodes) or half_made or driver.kubeconfig.exists()
    if there and not check:
        _delete(driver, cluster)
        confirm(cluster)
        services.drop_network(network, cluster)
    return there


def _must_carry_mark(driver: Driver, cluster: str) -> None:
    """Refuses a cluster that answers and lacks our mark; one that does not answer is judged by its network alone."""
    kube = driver.kube(cluster)
    try:
        if cluster_health.stored_spec(kube) is None:
            raise _not_ours(driver, cluster)
    except no_answer():
        return


def control_plane_ip(driver: Driver, cluster: str, network: str) -> str:
    """The address of the control plane on the nodes' network."""
    for node in driver.nodes(cluster)[:1]:
        node.reload()
        address = str(node.attrs["NetworkSettings"]["Networks"].get(network, {}).get("IPAddress", ""))
        if address:
            return address
    raise BotyardError(f"cluster {cluster} has no control plane on network {network}", "run invoke e2e --recreate")


def _delete(driver: Driver, cluster: str) -> None:
    """By Docker alone: works without any tool, and on nodes that the program itself gave up on."""
    containers.remove([str(node.name) for node in driver.nodes(cluster)])
    driver.clear(cluster)
    driver.kubeconfig.unlink(missing_ok=True)


def _started(nodes: list[Container]) -> dict[str, str]:
    return {str(node.name): str(node.attrs["State"]["StartedAt"]) for node in nodes}


def _creation_volume(cluster: str) -> str:
    return f"{cluster}-creation"


def confirm(cluster: str) -> None:
    """The cluster is whole: what says that it is being created goes (a run killed at the very end left it)."""
    if docker.inspect("volume", _creation_volume(cluster)) is not None:
        docker.cli("volume", "rm", _creation_volume(cluster))


def _kube(driver: Driver, cluster: str) -> Kube | None:
    """A client where our kubeconfig has this cluster, else None (another checkout made it, say)."""
    try:
        return driver.kube(cluster)
    except BotyardError:
        return None


def _labelled_network(nodes: list[Container], network: str, cluster: str) -> bool:
    found = docker.inspect("network", network)
    labelled = found is not None and (found.get("Labels") or {}).get(LABEL_CLUSTER) == cluster
    return labelled and all(network in node.attrs["NetworkSettings"]["Networks"] for node in nodes)


def _not_ours(driver: Driver, cluster: str) -> BadInput:
    return BadInput(
        f"there is a {driver.name} cluster named {cluster} that is not ours: it lacks our mark",
        f"delete it yourself ({driver.delete_command.format(cluster=cluster)}) "
        "or choose another name in values/targets.yml",
    )


def _put_mirrors(node: Container, spec: ClusterSpec) -> None:
    """Tells the node's containerd where to ask for images; read at every pull, so nothing is restarted."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for folder, text in cluster_spec.hosts_toml(spec).items():
            info = tarfile.TarInfo(f"certs.d/{folder}/hosts.toml")
            info.size, info.mode, info.mtime = len(text), 0o644, int(time.time())
            tar.addfile(info, io.BytesIO(text.encode()))
    if not node.put_archive("/etc/containerd", sink.getvalue()):
        raise BotyardError(f"could not write the registry mirrors into node {node.name}")
