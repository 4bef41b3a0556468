"""Charts in a registry: pushed once, never changed, and back whole or not at all."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from botyard.contracts import BadInput, BotyardError, Secret
from botyard.host import chart_artifacts as charts
from botyard.host.registry_place import Place
from botyard.tools.helm import Helm
from botyard.tools.registry_api import sha256
from botyard.tools.registry_login import Login

from .registry_server import Memory, registry


def archive(files: dict[str, str]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return whole.getvalue()


def a_chart(note: str = "one", version: str = "0.3.0", **more: str) -> charts.Artifact:
    about = f"name: tea\nversion: {version}\n"
    packed = archive({"tea/Chart.yaml": about, "tea/templates/note.yaml": note, **more})
    return charts.Artifact("tea", version, json.dumps({"name": "tea", "version": version}).encode(), packed)


ONE = a_chart()


@dataclass
class Shop:
    place: Place
    held: type[Memory]

    def push(self, chart: charts.Artifact) -> bool:
        with self.place.open() as there:
            if charts.is_there(there, self.place, chart):
                return False
            charts.push(there, self.place, chart)
            return True

    def fetch(self, cache: Path, version: str = "0.3.0") -> charts.Fetched:
        with self.place.open() as there:
            return charts.fetched(there, self.place, "tea", version, cache)


@pytest.fixture(params=["Basic", "Bearer"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    with registry(request.param) as (url, held):
        yield Shop(Place(url, "shop.example", "bots", Login("robot", Secret("secret"))), held)


def test_a_chart_goes_in_once_as_helm_would_push_it(shop: Shop, tmp_path: Path) -> None:
    assert shop.push(ONE) and not shop.push(ONE)
    assert list(shop.held.manifests) == ["0.3.0"] and len(shop.held.puts) == 2
    manifest = json.loads(shop.held.manifests["0.3.0"])
    assert manifest["config"]["mediaType"] == "application/vnd.cncf.helm.config.v1+json"
    assert [one["mediaType"] for one in manifest["layers"]] == ["application/vnd.cncf.helm.chart.content.v1.tar+gzip"]
    assert shop.held.blobs[manifest["layers"][0]["digest"]] == ONE.archive
    found = shop.fetch(tmp_path)
    assert found.ref == f"shop.example/bots/charts/tea:0.3.0@{sha256(ONE.manifest)}"
    assert (found.folder.name, (found.folder / "templates/note.yaml").read_text()) == ("tea", "one")
    (found.folder / "templates/note.yaml").write_text("changed by hand")
    assert (shop.fetch(tmp_path).folder / "templates/note.yaml").read_text() == "one"


def test_a_version_that_is_out_is_never_changed(shop: Shop) -> None:
    shop.push(ONE)
    before = dict(shop.held.manifests)
    with pytest.raises(BadInput, match=r"tea:0\.3\.0 is in the registry with other content") as caught:
        shop.push(a_chart("two"))
    assert "raise the version" in caught.value.cure and shop.held.manifests == before
    assert shop.push(a_chart("two", "0.3.1"))


def test_what_helm_itself_pushed_is_the_same_chart(shop: Shop) -> None:
    shop.push(ONE)
    with_time = json.loads(ONE.manifest)
    with_time["annotations"]["org.opencontainers.image.created"] = "2026-11-25T12:00:00Z"
    shop.held.manifests["0.3.0"] = json.dumps(with_time).encode()
    assert not shop.push(ONE)


def test_a_version_with_a_plus_has_a_tag(shop: Shop, tmp_path: Path) -> None:
    shop.push(a_chart(version="0.3.0+of-us"))
    assert list(shop.held.manifests) == ["0.3.0_of-us"]
    assert shop.fetch(tmp_path, "0.3.0+of-us").folder.is_dir()


def test_a_version_that_is_not_there_is_told(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no chart shop\.example/bots/charts/tea:9\.9\.9") as caught:
        shop.fetch(tmp_path, "9.9.9")
    assert "invoke publish.charts" in caught.value.cure


@pytest.mark.parametrize(
    ("chart", "told"),
    [
        (a_chart(**{"../../out": "x"}), "cannot be unpacked"),
        (charts.Artifact("tea", "0.3.0", b"{}", archive({"milk/Chart.yaml": "name: milk"})), "holds another chart"),
        (charts.Artifact("tea", "0.3.0", b"{}", archive({"tea/Chart.yaml": "name: tea\nversion: 1.0.0"})), "another"),
        (charts.Artifact("tea", "0.3.0", b"{}", b"no archive"), "cannot be unpacked"),
    ],
)
def test_what_is_no_such_chart_is_refused(shop: Shop, tmp_path: Path, chart: charts.Artifact, told: str) -> None:
    shop.push(chart)
    with pytest.raises(BotyardError, match=told):
        shop.fetch(tmp_path / "cache")
    assert not (tmp_path / "out").exists() and not list((tmp_path / "cache").iterdir())


def test_other_bytes_than_the_manifest_says_are_refused(shop: Shop, tmp_path: Path) -> None:
    shop.push(ONE)
    shop.held.blobs[ONE.content] = a_chart("two").archive
    with pytest.raises(BotyardError, match="other content than its manifest says"):
        shop.fetch(tmp_path)


def test_an_image_is_no_chart(shop: Shop, tmp_path: Path) -> None:
    shop.held.manifests["0.3.0"] = b'{"layers": []}'
    with pytest.raises(BotyardError, match="is no chart of helm's"):
        shop.fetch(tmp_path)
    with pytest.raises(BadInput, match="no chart there"):
        shop.push(ONE)


class Packer:
    """Helm, as far as packing needs it."""

    def __init__(self) -> None:
        self.linted: list[Path] = []

    def lint(self, chart: Path) -> None:
        self.linted.append(chart)

    def package(self, chart: Path, name: str, version: str, dest: Path) -> Path:
        made = dest / f"{name}-{version}.tgz"
        made.write_bytes(b"packed")
        return made


def test_a_chart_is_checked_and_packed_under_its_own_version(tmp_path: Path) -> None:
    helm, folder = Packer(), tmp_path / "chart"
    folder.mkdir()
    with pytest.raises(BadInput, match="holds no chart"):
        charts.packed(cast(Helm, helm), folder, tmp_path / "scratch")
    (folder / "Chart.yaml").write_text("name: tea\nversion: 0.3.0\n")
    found = charts.packed(cast(Helm, helm), folder, tmp_path / "scratch")
    assert (found.name, found.version, found.archive, helm.linted) == ("tea", "0.3.0", b"packed", [folder])
    assert not list((tmp_path / "scratch").iterdir())
