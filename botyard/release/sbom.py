"""What a release is made of, as CycloneDX: the Python packages that this one needs, the images that the charts name."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from botyard.contracts import BadInput
from botyard.tools.helm import about_chart, load_yaml

FILE = "botyard.cdx.json"


@dataclass
class Library:
    """One Python package as it is installed, and the names of those that it needs."""

    name: str
    version: str
    license: str = ""
    needs: set[str] = field(default_factory=set)


def libraries(of: str) -> dict[str, Library]:
    """A package that is installed and all that it needs, by name; of versions, those of this environment.

    Raises:
        BadInput: one of them is not installed.
    """
    found: dict[str, Library] = {}
    done: set[tuple[str, str]] = set()

    def look(name: str, extra: str, by: str) -> None:
        if (name, extra) in done:
            return
        done.add((name, extra))
        try:
            about = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            cure = "install what this checkout needs: pip install -e ."
            raise BadInput(f"{name}, which {by} needs, is not installed", cure) from None
        said = about.metadata.json.get("license_expression", "")
        one = found.setdefault(name, Library(name, about.version, str(said)))
        for line in about.requires or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                other = canonicalize_name(needed.name)
                one.needs |= {other} - {name}
                for asked in ("", *sorted(needed.extras)):
                    look(other, asked, name)

    look(canonicalize_name(of), "", "this checkout")
    return found


@dataclass(frozen=True, order=True)
class Image:
    """An image that a chart names: repository with registry, and its tag or digest."""

    repository: str
    version: str

    @property
    def purl(self) -> PackageURL:
        registry, _, path = self.repository.partition("/")
        namespace, _, name = path.rpartition("/")
        hub = registry == "docker.io"
        where = None if hub else {"repository_url": registry}
        if hub and namespace == "library":
            namespace = ""
        return PackageURL("docker", namespace or None, name, self.version, where)


def images(values: Mapping[str, Any]) -> Iterator[Image]:
    """All that stand in a chart's values, switched on or not: ``image`` with name and tag, beside a ``registry``."""
    one = values.get("image")
    if isinstance(one, dict) and (one.get("repository") or one.get("name")):
        repository = one.get("repository") or f"{values.get('registry') or 'docker.io'}/{one['name']}"
        yield Image(str(repository), str(one.get("digest") or one.get("tag") or "latest"))
    for inner in values.values():
        if isinstance(inner, dict):
            yield from images(inner)


def make(package: str, charts: Sequence[Path], archives: Sequence[Path], moment: int, source: str = "") -> str:
    """The whole as JSON; the same content and environment give the same text.

    Args:
        package: of Python, installed.
        charts: their folders.
        archives: what goes with the release: its checksums stand with the charts and the package.
        moment: seconds since 1970 that it bears.
        source: owner/name@tag on GitHub, where that is known.
    """
    bom = Bom()
    bom.metadata.timestamp = datetime.fromtimestamp(moment, UTC)
    pieces = libraries(package)
    root = pieces.pop(canonicalize_name(package))
    where = PackageURL.from_string(f"pkg:github/{source}") if source else None
    whole = _component(root.name, root.version, ComponentType.APPLICATION, where, archives, root.license)
    bom.metadata.component = whole
    known = {name: _library(one) for name, one in sorted(pieces.items())}
    for name, one in pieces.items():
        bom.register_dependency(known[name], [known[other] for other in sorted(one.needs & known.keys())])
    below = [known[name] for name in sorted(root.needs & known.keys())]
    containers: dict[Image, Component] = {}
    for folder in charts:
        about = about_chart(folder)
        name, version = str(about["name"]), str(about["version"])
        chart = _component(name, version, ComponentType.APPLICATION, PackageURL("helm", None, name, version), archives)
        runs = sorted(set(images(load_yaml((folder / "values.yaml").read_bytes()))))
        for image in runs:
            containers.setdefault(image, _container(image))
        bom.components.add(chart)
        bom.register_dependency(chart, [containers[image] for image in runs])
        below.append(chart)
    bom.components.update(known.values(), containers.values())
    bom.register_dependency(whole, below)
    bom.serial_number = uuid.UUID(int=0)
    text = JsonV1Dot6(bom).output_as_string()
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, text)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _component(
    name: str, version: str, kind: ComponentType, purl: PackageURL | None, archives: Sequence[Path], license: str = ""
) -> Component:
    """With the checksum of its archive, where there is one of that name and version."""
    sums = [
        HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(file.read_bytes()).hexdigest())
        for file in archives
        if file.name in (f"{name}-{version}.tgz", f"{name}-{version}.tar.gz")
    ]
    return Component(
        name=name, version=version, type=kind, purl=purl, bom_ref=f"{kind.value}:{name}@{version}", hashes=sums,
        licenses=[LicenseFactory().make_from_string(license)] if license else [],
    )  # fmt: skip


def _library(one: Library) -> Component:
    purl = PackageURL("pypi", None, one.name, one.version)
    return Component(
        name=one.name, version=one.version, type=ComponentType.LIBRARY, purl=purl, bom_ref=str(purl),
        licenses=[LicenseFactory().make_from_string(one.license)] if one.license else [],
    )  # fmt: skip


def _container(image: Image) -> Component:
    return Component(
        name=image.repository, version=image.version, type=ComponentType.CONTAINER, purl=image.purl,
        bom_ref=str(image.purl),
    )  # fmt: skip


def summary(text: str) -> str:
    """How many of what, for people."""
    kinds = [one["type"] for one in json.loads(text)["components"]]
    return ", ".join(
        f"{kinds.count(kind)} {word}"
        for kind, word in (("library", "Python packages"), ("application", "charts"), ("container", "images"))
    )
