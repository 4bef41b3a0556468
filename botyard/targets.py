"""The typed target: where a bot is released to. Read from values/targets.yml."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from botyard.contracts import BadInput


class Ports(BaseModel):
    """Ports on 127.0.0.1 of this machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rasa: int = Field(default=5005, ge=1, le=65535, description="talk to the bot here")
    registry: int = Field(default=5001, ge=1, le=65535, description="local image registry")
    depot: int = Field(default=5002, ge=1, le=65535, description="charts and models over HTTP")


class Sources(BaseModel):
    """Where tools, base images and node image come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    mode: Literal["auto", "registries", "packages"] = "auto"
    mirror: str = Field(default="", description="host[:port][/prefix] asked instead of docker.io and the like")
    download_base: str = Field(
        default="", description="base URL asked instead of the download hosts of kind, kubectl, helm"
    )


class Target(BaseModel):
    """One place to release to.

    ``cluster`` is the kind cluster's name; its context is ``kind-<cluster>`` in a kubeconfig of our own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    driver: Literal["kind"] = "kind"
    cluster: str = Field(default="botyard", pattern=r"^[a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?$")
    namespace: str = Field(default="rasa", pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    workers: int = Field(default=3, ge=1, le=9)
    kubernetes_version: str = Field(default="v1.34.4", pattern=r"^v1\.\d+\.\d+$")
    sources: Sources = Sources()
    ports: Ports = Ports()

    @property
    def context(self) -> str:
        return f"kind-{self.cluster}"

    @property
    def network(self) -> str:
        """Docker network of the nodes, registry and depot; our own, never the user's ``kind`` network."""
        return f"{self.cluster}-net"


def load_target(root: Path, name: str) -> Target:
    """Reads one target.

    Raises:
        BadInput: no such file or target, bad YAML (file:line:column) or a wrong value.
    """
    file = root / "values" / "targets.yml"
    shown = "values/targets.yml"
    try:
        document = YAML(typ="safe", pure=True).load(file)
    except FileNotFoundError:
        raise BadInput(f"{shown} is missing", "restore it: git checkout values/targets.yml") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
        raise BadInput(f"{where}: not valid YAML: {error.problem or error.context}", "mend that line") from None
    targets = (document or {}).get("targets") if isinstance(document, dict) else None
    if not isinstance(targets, dict):
        raise BadInput(f"{shown}: has no mapping named targets", "see docs/reference")
    if name not in targets:
        close = difflib.get_close_matches(name, [str(t) for t in targets], n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise BadInput(f"unknown target {name!r}", f"{hint}{shown} has: {', '.join(map(str, targets))}")
    raw = dict(targets[name] or {})
    if isinstance(raw.get("sources"), str):
        raw["sources"] = {"mode": raw["sources"]}
    try:
        return Target(**{"name": name, **raw})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(["targets", name, *map(str, first["loc"])])
        raise BadInput(f"{shown}: {where}: {first['msg']}", "see botyard/targets.py for what it takes") from None
