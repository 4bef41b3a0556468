"""What a push sends, from a stream as the engine saves it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from typing import IO

import pytest
import zstandard

from botyard.contracts import LABEL_KEY, BotyardError
from botyard.host import image_push
from botyard.tools import docker
from botyard.tools.registry_api import Registry

from .registry_server import registry

LAYERS = [b"base" * 1000, b"bot" * 1000]
DIFF_IDS = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in LAYERS]
CONFIG = json.dumps({"config": {"Labels": {LABEL_KEY: "k"}}, "rootfs": {"diff_ids": DIFF_IDS}}).encode()


def _tar(files: dict[str, bytes], links: dict[str, str]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return sink.getvalue()


def _listed(config: str, layers: list[str]) -> bytes:
    return json.dumps([{"Config": config, "RepoTags": None, "Layers": layers}]).encode()


OLD = _tar(
    {
        "b/layer.tar": LAYERS[1],
        "a/layer.tar": LAYERS[0],
        "c.json": CONFIG,
        "manifest.json": _listed("c.json", ["x/layer.tar", "b/layer.tar"]),
    },
    {"x/layer.tar": "../a/layer.tar"},
)
OCI = _tar(
    {
        "blobs/sha256/1": LAYERS[0],
        "blobs/sha256/2": LAYERS[1],
        "blobs/sha256/3": CONFIG,
        "manifest.json": _listed("blobs/sha256/3", ["blobs/sha256/1", "blobs/sha256/2"]),
    },
    {},
)


@pytest.fixture
def saves(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the engine gives when image ``id`` is saved: the one stream in the list."""
    streams: list[bytes] = []

    @contextlib.contextmanager
    def saved(image_id: str) -> Iterator[IO[bytes]]:
        assert image_id == "id"
        yield io.BytesIO(streams[0])

    monkeypatch.setattr(docker, "saved", saved)
    return streams


@pytest.mark.parametrize("stream", [OLD, OCI], ids=["engine 20.10", "engine 25 and later"])
def test_layers_arrive_in_order_and_the_registry_then_knows_the_image(saves: list[bytes], stream: bytes) -> None:
    saves.append(stream)
    with registry() as (url, held):
        api = Registry(url)
        assert image_push.pushed(api, "botyard/shop", "t", "k", DIFF_IDS) == ""
        digest = image_push.push(api, "botyard/shop", "t", "id", DIFF_IDS, lambda _line: None)
        assert held.manifests["t"] == held.manifests["latest"]
        manifest = json.loads(held.manifests["t"])
        sent = [held.blobs[layer["digest"]] for layer in manifest["layers"]]
        assert [zstandard.ZstdDecompressor().decompressobj().decompress(blob) for blob in sent] == LAYERS
        assert held.blobs[manifest["config"]["digest"]] == CONFIG
        assert digest == f"sha256:{hashlib.sha256(held.manifests['t']).hexdigest()}"
        assert image_push.pushed(api, "botyard/shop", "t", "k", DIFF_IDS) == digest
        assert image_push.pushed(api, "botyard/shop", "t", "other key", DIFF_IDS) == ""
        assert image_push.pushed(api, "botyard/shop", "t", "k", DIFF_IDS[:1]) == ""
        api.close()


def test_what_the_registry_has_is_not_sent_again(saves: list[bytes]) -> None:
    saves.append(OLD)
    with registry() as (url, held):
        api = Registry(url)
        first = image_push.push(api, "botyard/shop", "t", "id", DIFF_IDS, lambda _line: None)
        sent = list(held.puts)
        assert image_push.push(api, "botyard/shop", "t2", "id", DIFF_IDS, lambda _line: None) == first
        assert held.puts == sent
        api.close()


def test_a_save_with_too_few_layers_is_an_error(saves: list[bytes]) -> None:
    saves.append(OLD)
    with registry() as (url, held):
        api = Registry(url)
        with pytest.raises(BotyardError, match="2 layers instead of 3"):
            image_push.push(api, "botyard/shop", "t", "id", [*DIFF_IDS, "sha256:x"], lambda _line: None)
        assert not held.manifests
        api.close()


def test_a_registry_that_is_not_there_is_one_clear_error() -> None:
    api = Registry("http://127.0.0.1:9")
    assert not api.answers()
    with pytest.raises(BotyardError, match="does not answer"):
        api.manifest("botyard/shop", "t")
    api.close()
