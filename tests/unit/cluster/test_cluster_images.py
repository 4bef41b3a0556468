"""Base image, node image and pinned upstream images: keys, names and references."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from botyard.contracts import LABEL_KEY, BadInput, BotyardError
from botyard.host import base_image, lockfile, node_image, upstream
from botyard.tools import debian, go, kind

from .conftest import Engine, FakeImage

ROOT = Path(__file__).parents[3]
NAME = "debian:bookworm-slim"


def test_a_base_image_of_ours_is_used_while_its_recipe_is_the_same(engine: Engine) -> None:
    assert base_image.observe(NAME) is None
    engine.images[NAME] = FakeImage("sha256:1", {LABEL_KEY: base_image.key(NAME)})
    found = base_image.observe(NAME)
    assert found is not None and found.ours
    engine.images[NAME] = FakeImage("sha256:1", {LABEL_KEY: "older"})
    assert base_image.observe(NAME) is None


def test_a_base_image_that_the_user_pulled_is_used_as_it_is(engine: Engine) -> None:
    engine.images[NAME] = FakeImage("sha256:1")
    found = base_image.observe(NAME)
    assert found is not None and not found.ours


def test_an_unknown_base_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no recipe for base image"):
        base_image.make("ubuntu:22.04", tmp_path, lambda _line: None)


def test_debootstrap_needs_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BotyardError, match="needs root"):
        debian.debootstrap("bookworm", tmp_path, mirror="")


def test_the_node_holds_every_image_that_kubeadm_asks_for() -> None:
    names = {image.name for image in node_image.pod_images("v1.34.4")}
    assert names >= {
        "registry.k8s.io/kube-apiserver:v1.34.4",
        "registry.k8s.io/kube-controller-manager:v1.34.4",
        "registry.k8s.io/kube-scheduler:v1.34.4",
        "registry.k8s.io/kube-proxy:v1.34.4",
        "registry.k8s.io/etcd:3.6.5-0",
        "registry.k8s.io/coredns/coredns:v1.12.1",
        "registry.k8s.io/pause:3.10",
        "registry.k8s.io/pause:3.10.1",
    }


def test_every_image_of_our_manifests_is_in_the_node() -> None:
    names = {image.name for image in node_image.pod_images("v1.34.4")}
    for manifest in (ROOT / "dockerfiles/node/manifests").glob("*.yaml"):
        for line in manifest.read_text().splitlines():
            if line.strip().startswith("image:"):
                assert line.split("image:")[1].strip() in names


def test_the_pod_network_is_a_template_that_kind_fills_in() -> None:
    text = (ROOT / "dockerfiles/node/manifests/default-cni.yaml").read_text()
    assert "would you kindly template this file" in text and "would you kindly patch this file" in text
    assert "{{ .PodSubnet }}" in text


def test_the_node_images_key_follows_its_files_base_and_version(tmp_path: Path) -> None:
    docker, recipe = tmp_path / "docker", tmp_path / "recipe"
    docker.mkdir()
    recipe.mkdir()
    (docker / "Dockerfile").write_text("FROM a")
    (recipe / "go.mod").write_text("module a")

    def key(base: str = "sha256:1", version: str = "v1.34.4") -> str:
        return node_image.key(docker, [recipe], base, version)

    first = key()
    assert key() == first
    assert len({first, key(base="sha256:2"), key(version="v1.34.5")}) == 3
    (recipe / "go.mod").write_text("module b")
    assert key() != first


def test_kinds_module_is_found_in_the_pinned_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    def run(argv: list[str], **_: object) -> object:
        asked.append(argv)
        return type("Done", (), {"stdout": '{"Dir": "/modules/kind@v0.33.0"}'})

    monkeypatch.setattr(go, "run", run)
    assert go.module_dir(tmp_path, kind.MODULE) == Path("/modules/kind@v0.33.0")
    assert asked == [["go", "mod", "download", "-json", "sigs.k8s.io/kind"]]


def test_upstream_is_asked_by_digest_and_a_mirror_under_the_same_path() -> None:
    pinned = lockfile.read(ROOT).images[NAME]
    assert upstream.reference(pinned, "") == f"docker.io/library/debian@{pinned.digest}"
    assert upstream.reference(pinned, "mirror.example:5000/hub") == (
        f"mirror.example:5000/hub/library/debian@{pinned.digest}"
    )


@pytest.mark.parametrize(("wanted", "got"), [("v1.34.0", "v1.34.0"), ("v1.34.4", "v1.34.0"), ("v1.37.0", "v1.37.0")])
def test_the_node_image_of_the_same_minor_is_taken(wanted: str, got: str) -> None:
    assert upstream.node(lockfile.read(ROOT), wanted)[0] == got


def test_a_minor_that_is_not_pinned_is_refused() -> None:
    with pytest.raises(BadInput, match="no upstream node image"):
        upstream.node(lockfile.read(ROOT), "v1.20.0")
