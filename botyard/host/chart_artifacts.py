"""Charts as OCI artifacts: what `helm push` makes, but the same chart is always the same manifest.

Helm's own push writes the time into the manifest, so nobody could tell by its digest whether anything was changed. And
it wants a file with the login; here that stays in memory. `helm pull oci://...` takes what is pushed here.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from botyard.contracts import BadInput, BotyardError
from botyard.host.registry_place import Place
from botyard.tools.helm import Helm, about_chart, load_yaml
from botyard.tools.registry_api import MANIFEST, Blob, Registry, sha256

CONFIG = "application/vnd.cncf.helm.config.v1+json"
CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
FOLDER = "charts"  # of the registry: before the chart's name


@dataclass(frozen=True)
class Artifact:
    """One chart, packed.

    Args:
        about: what its Chart.yaml says.
        archive: as `helm package` makes it.
    """

    name: str
    version: str
    about: bytes
    archive: bytes

    @property
    def tag(self) -> str:
        return as_tag(self.version)

    @property
    def content(self) -> str:
        """Digest of the archive: two of the same are the same chart."""
        return sha256(self.archive)

    @property
    def manifest(self) -> bytes:
        return json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": Blob(sha256(self.about), len(self.about), CONFIG).as_json(),
                "layers": [Blob(self.content, len(self.archive), CONTENT).as_json()],
                "annotations": {
                    "org.opencontainers.image.title": self.name,
                    "org.opencontainers.image.version": self.version,
                },
            },
            sort_keys=True,
        ).encode()


@dataclass(frozen=True)
class Fetched:
    """A chart from a registry: its folder on this machine, and what it is there, by digest."""

    folder: Path
    ref: str


def as_tag(version: str) -> str:
    """The tag of a version, as helm writes it: tags take no plus."""
    return version.replace("+", "_")


def packed(helm: Helm, folder: Path, scratch: Path) -> Artifact:
    """Checks and packs a chart; the same files give the same bytes.

    Raises:
        BadInput: the folder holds no chart.
        CommandError: helm finds a fault in it.
    """
    about = about_chart(folder)
    name, version = str(about["name"]), str(about["version"])
    helm.lint(folder)
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        archive = helm.package(folder, name, version, Path(place)).read_bytes()
    return _artifact(about, archive)


def of_archive(file: Path) -> Artifact:
    """A chart that is packed already, as it is.

    Raises:
        BadInput: it is no chart's archive.
    """
    archive = file.read_bytes()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            _plain_files(archive, Path(scratch))
            [folder] = [one for one in Path(scratch).iterdir() if one.is_dir()]
            about = about_chart(folder)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BadInput(f"{file} is no packed chart: {error}", "make it: invoke publish.packages") from None
    return _artifact(about, archive)


def _artifact(about: dict[str, Any], archive: bytes) -> Artifact:
    return Artifact(str(about["name"]), str(about["version"]), json.dumps(about, sort_keys=True).encode(), archive)


def put_all(
    registry: Registry, place: Place, charts: Sequence[Artifact], tell: Callable[[str], None], *, check: bool = False
) -> list[Artifact]:
    """Pushes those that are not there; all are looked at first, so none goes where another is refused.

    Returns:
        What was new, or would be in check mode.
    """
    new = [chart for chart in charts if not is_there(registry, place, chart)]
    for chart in new if not check else []:
        tell(f"{chart.name} {chart.version} to {place.host}")
        push(registry, place, chart)
    return new


def is_there(registry: Registry, place: Place, chart: Artifact) -> bool:
    """Whether the registry has this chart under its version.

    Raises:
        BadInput: it has that version with other content, which may be in use.
    """
    found = registry.manifest(_repository(place, chart.name), chart.tag)
    if found is None:
        return False
    content = [layer.digest for layer in found.layers if layer.media_type == CONTENT]
    if content != [chart.content]:
        raise BadInput(
            f"{_shown(place, chart.name)}:{chart.tag} is in the registry with other content: "
            f"{', '.join(content) or 'no chart'} there, {chart.content} here",
            f"raise the version in the Chart.yaml of {chart.name}: a version that is out is never changed",
        )
    return True


def push(registry: Registry, place: Place, chart: Artifact) -> None:
    """Puts it there; the manifest goes last, so the tag never leads to what is not there."""
    repository = _repository(place, chart.name)
    for content, kind in ((chart.about, CONFIG), (chart.archive, CONTENT)):
        with tempfile.SpooledTemporaryFile() as spool:
            spool.write(content)
            spool.seek(0)
            registry.put_blob(repository, spool, kind)
    registry.put_manifest(repository, chart.tag, chart.manifest)


def shown_of(registry: Registry, place: Place, chart: Artifact) -> str:
    """Where it is, by the digest that the registry has it under; without one where it is not there yet."""
    found = registry.manifest(_repository(place, chart.name), chart.tag)
    return f"{_shown(place, chart.name)}:{chart.tag}" + (f"@{found.digest}" if found else "")


def fetched(registry: Registry, place: Place, name: str, version: str, cache: Path) -> Fetched:
    """A chart of that version, unpacked below ``cache`` under the digest of its content.

    Raises:
        BadInput: the registry has no such version.
        BotyardError: what it gives is not what its manifest says, or no such chart.
    """
    shown = f"{_shown(place, name)}:{as_tag(version)}"
    found = registry.manifest(_repository(place, name), as_tag(version))
    if found is None:
        raise BadInput(f"there is no chart {shown}", "publish it from the checkout that has it: invoke publish.charts")
    layers = [layer for layer in found.layers if layer.media_type == CONTENT]
    if len(layers) != 1:
        raise BotyardError(f"{shown} is no chart of helm's", "what was pushed there? invoke publish.charts pushes one")
    archive = registry.blob(_repository(place, name), layers[0].digest)
    if sha256(archive) != layers[0].digest:
        raise BotyardError(f"{shown}: the registry gave other content than its manifest says", "run it again")
    folder = _unpacked(archive, name, version, cache, shown)
    return Fetched(folder, f"{shown}@{found.digest}")


def _unpacked(archive: bytes, name: str, version: str, cache: Path, shown: str) -> Path:
    """Anew each time: what lies in a cache could have been changed, and a chart is small."""
    wanted = cache / hashlib.sha256(archive).hexdigest()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        try:
            _plain_files(archive, Path(scratch))
        except tarfile.TarError as error:
            raise BotyardError(f"{shown} cannot be unpacked: {error}", "push it again under a new version") from None
        file = Path(scratch, name, "Chart.yaml")
        about = load_yaml(file.read_bytes()) if file.is_file() else {}
        if (str(about.get("name")), str(about.get("version"))) != (name, version):
            raise BotyardError(f"{shown} holds another chart: {about.get('name')} {about.get('version')}")
        shutil.rmtree(wanted, ignore_errors=True)
        wanted.mkdir()
        Path(scratch, name).rename(wanted / name)
    return wanted / name


def _plain_files(archive: bytes, into: Path) -> None:
    """Not by tarfile's own filter, which Debian 12's Python does not have; a chart holds nothing but files."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            inside = PurePosixPath(member.name)
            content = tar.extractfile(member) if member.isreg() else None
            if inside.is_absolute() or ".." in inside.parts or not (content or member.isdir()):
                raise tarfile.TarError(f"{member.name} is no plain file in it")
            if content is not None:
                (into / inside).parent.mkdir(parents=True, exist_ok=True)
                (into / inside).write_bytes(content.read())


def _repository(place: Place, name: str) -> str:
    return place.repository(f"{FOLDER}/{name}")


def _shown(place: Place, name: str) -> str:
    return place.shown(f"{FOLDER}/{name}")
