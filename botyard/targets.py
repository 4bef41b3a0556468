"""The typed target: where a bot is released to. Read from values/targets.yml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import force_setattr
from yaml.error import MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode

from botyard import yaml11
from botyard.contracts import BadInput
from botyard.exposure import Exposure
from botyard.hints import close_to

_MIRROR = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?(?:/[a-z0-9._/-]+)?")


def as_registry(value: str) -> str:
    """A registry's address without a slash at its end; raises ValueError where it is none."""
    value = value.rstrip("/")
    host = value.partition("/")[0]
    # Docker takes a first word without dot or port for a part of a path on docker.io.
    if not (_MIRROR.fullmatch(value) and ("." in host or ":" in host or host == "localhost")):
        raise ValueError(f"{value!r} is not host[:port][/prefix], such as mirror.example:5000/hub (without https://)")
    return value


def _set_registry(holder: Struct, field: str) -> None:
    try:
        force_setattr(holder, field, as_registry(getattr(holder, field)))
    except ValueError as error:
        raise ValueError(f"{error}{_AT}.{field}`") from None


_AT = " - at `$"  # as msgspec tells the place of what is wrong; it puts that of the whole behind ours
Port = Annotated[int, Meta(ge=1, le=65535)]


OURS = ("kind", "minikube")  # drivers of clusters that botyard makes


class Ports(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ports on 127.0.0.1 of this machine.

    Args:
        rasa: talk to the bot here.
        registry: local image registry.
        depot: charts and models over HTTP.
    """

    rasa: Port = 5005
    registry: Port = 5001
    depot: Port = 5002

    def __post_init__(self) -> None:
        ports = {"rasa": self.rasa, "registry": self.registry, "depot": self.depot}
        for name, port in ports.items():
            twin = next((other for other, same in ports.items() if other != name and same == port), "")
            if twin:
                raise ValueError(f"{name} and {twin} are both {port}")


class Sources(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where tools, base images and node image come from.

    Args:
        mirror: host[:port][/prefix] asked instead of docker.io and the like.
        download_base: base URL asked instead of the download hosts of kind, kubectl, helm.
    """

    mode: Literal["auto", "registries", "packages"] = "auto"
    mirror: str = ""
    download_base: str = ""

    def __post_init__(self) -> None:
        if self.mirror:
            _set_registry(self, "mirror")
        if self.download_base and not re.match(r"https?://[^/]", self.download_base):
            raise ValueError(
                f"{self.download_base!r} is no URL: it begins with https:// or http://{_AT}.download_base`"
            )


class RegistryOf(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where images go, for a cluster that exists.

    Args:
        address: host[:port][/prefix], such as shop.azurecr.io/bots.
        login: what `docker login` noted, or who is `az`.
        ca: PEM file of the authority that vouches for it, where that is a private one.
    """

    address: str
    login: Literal["docker", "az"] = "docker"
    ca: str = ""

    def __post_init__(self) -> None:
        _set_registry(self, "address")


class AzureOf(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where Azure has the cluster: from it `invoke target.login` makes a kubeconfig of our own.

    Args:
        resource_group: the cluster's resource group.
        cluster: its name in that group.
        subscription: name or id; without it, the one that `az account show` shows.
    """

    resource_group: Annotated[str, Meta(pattern=r"^[\w(][\w().-]{0,89}\Z")]
    cluster: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([\w-]{0,61}[A-Za-z0-9])?\Z")]
    subscription: Annotated[str, Meta(pattern=r"^([^-].*)?\Z")] = ""


class StoreOf(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A store of files that models go to, in place of an image in the registry.

    Args:
        url: folder in it, as az://CONTAINER/FOLDER.
        read: where pods fetch from; without it URLs are signed.
        sign_days: how long a signed URL is good for.
    """

    url: Annotated[str, Meta(pattern=r"^[a-z0-9]+://[^\s?#]+\Z")]
    read: Annotated[str, Meta(pattern=r"^(https?://[^\s?#]+)?\Z")] = ""
    sign_days: Annotated[int, Meta(ge=91, le=3650)] = 365


class Pin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What tells a cluster from every other, whatever its context is called.

    Args:
        ca_sha256: fingerprint of the API server's authority.
        kube_system_uid: uid of the namespace kube-system.
    """

    ca_sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    kube_system_uid: Annotated[str, Meta(pattern=r"^[0-9a-f-]{36}\Z")]


class Target(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place to release to.

    Of drivers kind and minikube, ``cluster`` is the cluster's name, of minikube its profile; its context is
    ``kind-<cluster>``, or ``<cluster>``, in a kubeconfig of our own. The others are clusters that exist: ``context`` is
    theirs, in the user's kubeconfig, which is only read, and ``cluster`` is what their state folder is called: by
    default the target's name.
    """

    name: str
    driver: Literal["kind", "minikube", "aks", "existing"] = "kind"
    cluster: Annotated[str, Meta(pattern=r"^([a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?)?\Z")] = ""
    context: str = ""
    kubeconfig: str = ""
    pin: Pin | None = None
    registry: RegistryOf | None = None
    azure: AzureOf | None = None
    model_store: StoreOf | None = None
    pull_secret: str = ""
    exposure: Exposure = Exposure()
    namespace: Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")] = "rasa"
    workers: Annotated[int, Meta(ge=1, le=9)] = 3
    kubernetes_version: Annotated[str, Meta(pattern=r"^v1\.\d+\.\d+\Z")] = "v1.34.4"
    sources: Sources = Sources()
    ports: Ports = Ports()

    def __post_init__(self) -> None:
        """Fills in what follows from the rest."""
        if self.ours:
            force_setattr(self, "cluster", self.cluster or ("botyard" if self.driver == "kind" else self.name))
            force_setattr(self, "context", f"kind-{self.cluster}" if self.driver == "kind" else self.cluster)
            if self.driver == "minikube":
                self._suit_minikube()
            return
        if self.azure is not None and self.driver != "aks":
            raise ValueError("azure is of driver aks alone")
        if self.azure is not None and self.kubeconfig:
            raise ValueError("azure and kubeconfig exclude each other: with azure the kubeconfig is one of our own")
        context = self.context or (self.azure.cluster if self.azure else "")
        if not context:
            raise ValueError(f"driver {self.driver} needs a context: a name that kubectl config get-contexts shows")
        force_setattr(self, "context", context)
        force_setattr(self, "cluster", self.cluster or self.name)
        if not self.azure:
            force_setattr(self, "kubeconfig", self.kubeconfig or "~/.kube/config")

    def _suit_minikube(self) -> None:
        if self.sources.mode == "registries":
            raise ValueError(f"driver minikube works from packages alone: set packages{_AT}.sources.mode`")
        if re.search(r"\.|-m\d+\Z", self.cluster):
            raise ValueError(f"minikube takes {self.cluster!r} for one node of a cluster, or not at all{_AT}.cluster`")
        force_setattr(self, "sources", msgspec.structs.replace(self.sources, mode="packages"))

    @property
    def ours(self) -> bool:
        """Whether botyard makes this cluster, and may take it away."""
        return self.driver in OURS

    @property
    def fixed_nodes(self) -> bool:
        """Whether the nodes ask for addresses of their own in the Docker network."""
        return self.driver == "minikube"

    def kubeconfig_in(self, state: Path) -> Path:
        """The file with its context: one of our own below our state, or the user's, which the target names."""
        return Path(self.kubeconfig).expanduser() if self.kubeconfig and not self.ours else state / "kubeconfig"

    @property
    def network(self) -> str:
        """Docker network of the nodes, registry and depot; our own, never the user's ``kind`` or ``minikube``."""
        return f"{self.cluster}-net"


def _read(root: Path) -> dict[str, Any]:
    file = root / "values" / "targets.yml"
    shown = "values/targets.yml"
    try:
        document = yaml11.load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{shown} is missing", "restore it: git checkout values/targets.yml") from None
    except OSError as error:
        cure = "make it a readable file: git checkout values/targets.yml"
        raise BadInput(f"{shown}: cannot be read: {error.strerror}", cure) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
        raise BadInput(f"{where}: not valid YAML: {error.problem or error.context}", "mend that line") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise BadInput(f"{shown}: not readable as YAML: {str(error).splitlines()[0]}", "save it as UTF-8") from None
    targets = (document or {}).get("targets") if isinstance(document, dict) else None
    if not isinstance(targets, dict):
        raise BadInput(f"{shown}: has no mapping named targets", "see docs/reference/targets.md")
    return {str(key): body for key, body in targets.items()}


def names(root: Path) -> list[str]:
    """The targets that there are; raises as ``load_target`` does."""
    return list(_read(root))


def load_target(root: Path, name: str) -> Target:
    """Reads one target.

    Raises:
        BadInput: no such file or target, bad YAML (file:line:column) or a wrong value.
    """
    file = root / "values" / "targets.yml"
    shown = "values/targets.yml"
    targets = _read(root)
    if name not in targets:
        cure = f"{close_to(name, targets)} {shown} has: {', '.join(targets)}".lstrip()
        raise BadInput(f"unknown target {name!r}", cure)
    raw = targets[name] or {}
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        where = f"{shown}{_place(file, ['targets', name])}: targets.{name}"
        raise BadInput(f"{where}: is no mapping of words to values", "see docs/reference/targets.md for what it takes")
    raw = dict(raw)
    if isinstance(raw.get("sources"), str):
        raw["sources"] = {"mode": raw["sources"]}
    try:
        _must_be_of_the_driver(raw)
        return msgspec.convert({"name": name, **raw}, Target)
    except ValueError as error:  # msgspec's own is one, too
        said, inside = _told(error)
        path = ["targets", name, *inside]
        raise BadInput(
            f"{shown}{_place(file, path)}: {'.'.join(path)}: {said}", "see docs/reference/targets.md for what it takes"
        ) from None


_OF_OTHERS = ("azure", "context", "exposure", "kubeconfig", "model_store", "pin", "pull_secret", "registry")
_OF_OURS = ("kubernetes_version", "ports", "sources", "workers")


def _must_be_of_the_driver(raw: dict[str, Any]) -> None:
    """Raises ValueError for a key that only another driver has."""
    driver = raw.get("driver", "kind")
    ours = driver in OURS
    for key in raw.keys() & (_OF_OTHERS if ours else _OF_OURS):
        if ours:
            raise ValueError(f"{key} is of a cluster that exists (driver: aks or existing); a {driver} cluster is ours")
        raise ValueError(f"{key} is of drivers {' and '.join(OURS)} alone: the cluster exists")


def _told(error: ValueError) -> tuple[str, list[str]]:
    """What a message of msgspec says, and the path of the key that it is about."""
    said, *places = str(error).split(_AT)
    path = re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", "".join(reversed(places)))
    keys = [key or number for key, number in path]
    key = re.fullmatch(r"Object (?:contains unknown|missing required) field `(.*)`", said)
    return said, [*keys, key[1]] if key else keys


def _place(file: Path, path: list[str]) -> str:
    """``:line:column`` of the deepest key of that path which the file has."""
    node, place = yaml11.compose(file.read_text(encoding="utf-8")), ""
    for word in path:
        pairs = node.value if isinstance(node, MappingNode) else []
        found = next(((key.start_mark, value) for key, value in pairs if key.value == word), None)
        if found is None:
            break
        mark, node = found
        place = f":{mark.line + 1}:{mark.column + 1}"
    return place
