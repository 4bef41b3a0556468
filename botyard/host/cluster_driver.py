"""What a program that makes clusters must be able to do for us: the seam between own_cluster, and kind and minikube."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from botyard.host.cluster_spec import ClusterSpec
from botyard.tools.kube import Kube

if TYPE_CHECKING:
    from docker.models.containers import Container

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Driver(ABC):
    """What differs between the programs that make clusters.

    Args:
        kubeconfig: the file with the cluster's context; never the user's.
        binary: gives the program; asked only where something has to be done.
    """

    kubeconfig: Path
    binary: Callable[[], Path]

    name: ClassVar[str]
    fixed_nodes: ClassVar[bool] = False  # it asks Docker for addresses; see services.ensure_network
    delete_command: ClassVar[str]  # how a user removes a cluster of theirs; {cluster} is filled in

    @abstractmethod
    def context(self, cluster: str) -> str:
        """The context of a cluster in the kubeconfig."""

    @abstractmethod
    def nodes(self, cluster: str) -> list[Container]:
        """All node containers of a cluster, running or not, the control plane first."""

    @abstractmethod
    def create(self, spec: ClusterSpec, image: str, progress: Tell) -> None:
        """Makes the nodes, joins them and writes the kubeconfig; waits for nothing beyond that.

        Raises:
            CommandError: the program failed; the nodes are kept for a look.
        """

    @abstractmethod
    def come_back(self, spec: ClusterSpec, stopped: Sequence[str], progress: Tell) -> None:
        """Starts the nodes that stand still and writes the kubeconfig anew.

        Raises:
            CommandError: that did not work.
        """

    def clear(self, cluster: str) -> None:  # noqa: B027 - most keep nothing
        """Removes what the driver keeps besides nodes and kubeconfig."""

    def kube(self, cluster: str) -> Kube:
        """A client for a cluster that the kubeconfig has.

        Raises:
            BotyardError: it has none.
        """
        return Kube(self.kubeconfig, self.context(cluster))
