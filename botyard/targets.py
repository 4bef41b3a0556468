"""The typed target: where a bot is released to. Read from values/targets.yml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from yaml.error import MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode

from botyard import yaml11
from botyard.contracts import BadInput
from botyard.exposure import Exposure
from botyard.hints import close_to
from botyard.strict import STRICT

_MIRROR = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?(?:/[a-z0-9._/-]+)?")


def as_registry(value: str) -> str:
    """A registry's address without a slash at its end; raises ValueError where it is none."""
    value = value.rstrip("/")
    host = value.partition("/")[0]
    # Docker takes a first word without dot or port for a part of a path on docker.io.
    if not (_MIRROR.fullmatch(value) and ("." in host or ":" in host or host == "localhost")):
        raise ValueError(f"{value!r} is not host[:port][/prefix], such as mirror.example:5000/hub (without https://)")
    return value


class Ports(BaseModel):
    """Ports on 127.0.0.1 of this machine."""

    model_config = STRICT
    rasa: int = Field(default=5005, strict=True, ge=1, le=65535, description="talk to the bot here")
    registry: int = Field(default=5001, strict=True, ge=1, le=65535, description="local image registry")
    depot: int = Field(default=5002, strict=True, ge=1, le=65535, description="charts and models over HTTP")

    @model_validator(mode="after")
    def _differ(self) -> Ports:
        ports = {"rasa": self.rasa, "registry": self.registry, "depot": self.depot}
        for name, port in ports.items():
            twin = next((other for other, same in ports.items() if other != name and same == port), "")
            if twin:
                raise ValueError(f"{name} and {twin} are both {port}")
        return self


class Sources(BaseModel):
    """Where tools, base images and node image come from."""

    model_config = STRICT
    mode: Literal["auto", "registries", "packages"] = "auto"
    mirror: str = Field(default="", description="host[:port][/prefix] asked instead of docker.io and the like")
    download_base: str = Field(
        default="", description="base URL asked instead of the download hosts of kind, kubectl, helm"
    )

    @field_validator("mirror")
    @classmethod
    def _is_a_registry(cls, value: str) -> str:
        return as_registry(value) if value else value

    @field_validator("download_base")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        if value and not re.match(r"https?://[^/]", value):
            raise ValueError(f"{value!r} is no URL: it begins with https:// or http://")
        return value


class RegistryOf(BaseModel):
    """Where images go, for a cluster that exists."""

    model_config = STRICT
    address: str = Field(description="host[:port][/prefix], such as shop.azurecr.io/bots")
    login: Literal["docker", "az"] = Field(default="docker", description="what `docker login` noted, or who is `az`")
    ca: str = Field(
        default="", description="PEM file of the authority that vouches for it, where that is a private one"
    )

    @field_validator("address")
    @classmethod
    def _is_a_registry(cls, value: str) -> str:
        return as_registry(value)


class AzureOf(BaseModel):
    """Where Azure has the cluster: from it `invoke target.login` makes a kubeconfig of our own."""

    model_config = STRICT
    resource_group: str = Field(pattern=r"^[\w(][\w().-]{0,89}\Z", description="the cluster's resource group")
    cluster: str = Field(pattern=r"^[A-Za-z0-9]([\w-]{0,61}[A-Za-z0-9])?\Z", description="its name in that group")
    subscription: str = Field(
        default="", pattern=r"^([^-].*)?\Z", description="name or id; without it, the one that `az account show` shows"
    )


class StoreOf(BaseModel):
    """A store of files that models go to, in place of an image in the registry."""

    model_config = STRICT
    url: str = Field(pattern=r"^[a-z0-9]+://[^\s?#]+\Z", description="folder in it, as az://CONTAINER/FOLDER")
    read: str = Field(
        default="", pattern=r"^(https?://[^\s?#]+)?\Z", description="where pods fetch from; without it URLs are signed"
    )
    sign_days: int = Field(default=365, strict=True, ge=91, le=3650, description="how long a signed URL is good for")


class Pin(BaseModel):
    """What tells a cluster from every other, whatever its context is called."""

    model_config = STRICT
    ca_sha256: str = Field(pattern=r"^[0-9a-f]{64}\Z", description="fingerprint of the API server's authority")
    kube_system_uid: str = Field(pattern=r"^[0-9a-f-]{36}\Z", description="uid of the namespace kube-system")


class Target(BaseModel):
    """One place to release to.

    Of driver kind, ``cluster`` is the kind cluster's name; its context is ``kind-<cluster>`` in a kubeconfig of our
    own. The others are clusters that exist: ``context`` is theirs, in the user's kubeconfig, which is only read, and
    ``cluster`` is what their state folder is called: by default the target's name.
    """

    model_config = STRICT
    name: str
    driver: Literal["kind", "aks", "existing"] = "kind"
    cluster: str = Field(default="botyard", pattern=r"^[a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?\Z")
    context: str = ""
    kubeconfig: str = ""
    pin: Pin | None = None
    registry: RegistryOf | None = None
    azure: AzureOf | None = None
    model_store: StoreOf | None = None
    pull_secret: str = ""
    exposure: Exposure = Exposure()
    namespace: str = Field(default="rasa", pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
    workers: int = Field(default=3, strict=True, ge=1, le=9)
    kubernetes_version: str = Field(default="v1.34.4", pattern=r"^v1\.\d+\.\d+\Z")
    sources: Sources = Sources()
    ports: Ports = Ports()

    @model_validator(mode="before")
    @classmethod
    def _of_the_driver(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        known = dict(given)
        if known.get("driver", "kind") == "kind":
            foreign = {"context", "kubeconfig", "pin", "registry", "azure", "model_store", "pull_secret", "exposure"}
            for key in sorted(foreign & known.keys()):
                raise ValueError(f"{key} is of a cluster that exists (driver: aks or existing); a kind cluster is ours")
            return known | {"context": f"kind-{known.get('cluster', 'botyard')}"}
        for key in sorted({"workers", "kubernetes_version", "ports", "sources"} & known.keys()):
            raise ValueError(f"{key} is of driver kind alone: the cluster exists")
        azure = known.get("azure")
        if azure is not None and known["driver"] != "aks":
            raise ValueError("azure is of driver aks alone")
        if azure is not None and known.get("kubeconfig"):
            raise ValueError("azure and kubeconfig exclude each other: with azure the kubeconfig is one of our own")
        if isinstance(azure, dict) and not known.get("context"):
            known["context"] = azure.get("cluster")
        if not known.get("context"):
            raise ValueError(f"driver {known['driver']} needs a context: a name that kubectl config get-contexts shows")
        return {"cluster": known.get("name"), "kubeconfig": "" if azure else "~/.kube/config"} | known

    @property
    def ours(self) -> bool:
        """Whether botyard makes this cluster, and may take it away."""
        return self.driver == "kind"

    def kubeconfig_in(self, state: Path) -> Path:
        """The file with its context: one of our own below our state, or the user's, which the target names."""
        return Path(self.kubeconfig).expanduser() if self.kubeconfig and not self.ours else state / "kubeconfig"

    @property
    def network(self) -> str:
        """Docker network of the nodes, registry and depot; our own, never the user's ``kind`` network."""
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
        return Target(**{"name": name, **raw})
    except ValidationError as error:
        first = error.errors()[0]
        path = ["targets", name, *map(str, first["loc"])]
        raise BadInput(
            f"{shown}{_place(file, path)}: {'.'.join(path)}: {first['msg'].removeprefix('Value error, ')}",
            "see docs/reference/targets.md for what it takes",
        ) from None


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
