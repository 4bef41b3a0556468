"""tools.lock.yaml: versions and checksums of the programs that do not come from PyPI."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from yaml.error import YAMLError

from botyard import yaml11
from botyard.contracts import BadInput

LOCK = "tools.lock.yaml"
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Platform:
    """An operating system and processor, by Go's names for them."""

    os: str
    arch: str

    def __str__(self) -> str:
        return f"{self.os}-{self.arch}"


def this_platform() -> Platform:
    """The machine that this runs on."""
    machine = platform.machine().lower()
    return Platform(platform.system().lower(), _MACHINES.get(machine, machine))


class Built(BaseModel):
    """A program built from Go modules; the checksums of its modules are in the recipe's go.sum."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    module: str


class Download(BaseModel):
    """A program fetched from upstream. ``{version}``, ``{os}`` and ``{arch}`` in url and member are filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    url: str
    checksum_suffix: str = Field(description="added to the url: upstream's own published checksum")
    member: str = Field("", description="the program's path inside the archive; empty where the file is the program")
    sha256: dict[str, str | None]

    def fill(self, text: str, where: Platform) -> str:
        return text.format(version=self.version, os=where.os, arch=where.arch)


class UpstreamImage(BaseModel):
    """A container image pulled where sources are ``registries``, always by digest (of the multi-platform index)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    repository: str = Field(description="registry and path, as docker.io/library/debian")
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")


class Lock(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    built: dict[str, Built]
    downloads: dict[str, Download]
    images: dict[str, UpstreamImage] = Field(default_factory=dict)


def read(root: Path) -> Lock:
    """The lock file of a checkout.

    Raises:
        BadInput: it is missing or not right.
    """
    file = root / LOCK
    try:
        return Lock.model_validate(yaml11.load(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BadInput(f"{LOCK} is missing", f"restore it: git checkout {LOCK}") from None
    except (YAMLError, ValidationError) as error:
        raise BadInput(f"{LOCK} is not right: {error}", f"restore it: git checkout {LOCK}") from None
