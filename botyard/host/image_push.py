"""Pushes a local image to a registry, its layers compressed with zstd on all cores; those it has are not sent.

Docker's own push compresses with gzip on one core, and would ask for the user's login. The same layer always gives the
same compressed bytes, so the registry itself says what it has: no state is kept here.
"""

from __future__ import annotations

import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO

from botyard.contracts import LABEL_KEY, BotyardError
from botyard.later import later
from botyard.tools import docker
from botyard.tools.registry_api import CONFIG, LAYER_ZSTD, MANIFEST, Blob, Registry, Spool, sha256

zstandard = later("zstandard")

LEVEL = 1  # 1.4 GB becomes 0.5 GB; higher levels take long for little
PART_BYTES = 1 << 20
SPOOL_BYTES = 32 << 20  # a compressed layer above this waits for its upload on disk
SMALL_BYTES = 1 << 20  # saved files up to this are kept: configuration and manifests


def pushed(registry: Registry, repository: str, tag: str, key: str, layers: Sequence[str]) -> str:
    """The digest under which the registry has an image of that key and those unpacked layers, or an empty string."""
    found = registry.manifest(repository, tag)
    if found is None:
        return ""
    config = registry.blob_json(repository, found.config_digest)
    same = config.get("rootfs", {}).get("diff_ids") == list(layers)
    return found.digest if same and ((config.get("config") or {}).get("Labels") or {}).get(LABEL_KEY) == key else ""


def compress(source: IO[bytes]) -> Spool:
    """All of source as one zstd frame, in a temporary file that stands at its start."""
    spool: Spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - the upload closes it
    # threads=0 would take another format; with any other number the bytes are the same on every machine.
    packer = zstandard.ZstdCompressor(level=LEVEL, threads=os.cpu_count() or 1).compressobj()
    while part := source.read(PART_BYTES):
        spool.write(packer.compress(part))
    spool.write(packer.flush())
    spool.seek(0)
    return spool


def _send(registry: Registry, repository: str, packed: Spool, tell: Callable[[str], None]) -> Blob:
    with packed:
        return registry.put_blob(repository, packed, LAYER_ZSTD, tell)


def push(
    registry: Registry, repository: str, tag: str, image_id: str, layers: Sequence[str], tell: Callable[[str], None]
) -> str:
    """Pushes the local image with that id under ``tag`` and ``latest``; returns its digest.

    Args:
        layers: digests of its unpacked layers, the lowest first (RootFS of ``docker image inspect``).
        tell: called with a line for every layer.

    Raises:
        BotyardError: the registry refuses, or the engine does not save what it says it has.
    """
    small: dict[str, bytes] = {}
    links: dict[str, str] = {}
    sent: dict[str, Future[Blob]] = {}
    with (
        ThreadPoolExecutor(max_workers=1) as uploads,
        docker.saved(image_id) as stream,
        tarfile.open(fileobj=stream, mode="r|", bufsize=PART_BYTES) as tar,
    ):
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is None:
                if member.issym():  # one layer saved under two names
                    links[member.name] = os.path.normpath(f"{os.path.dirname(member.name)}/{member.linkname}")  # noqa: PTH120
            elif member.size <= SMALL_BYTES and not member.name.endswith("layer.tar"):
                small[member.name] = content.read()
            else:
                sent[member.name] = uploads.submit(_send, registry, repository, compress(content), tell)
        if "manifest.json" not in small:
            raise BotyardError(f"docker save {image_id} gave no manifest.json", "is the engine older than 1.10?")
        listed = json.loads(small["manifest.json"])[0]
        for path in listed["Layers"]:
            place = links.get(path, path)
            if place not in sent:  # a layer so small that it was kept with the rest (engines that save OCI layouts)
                with tempfile.SpooledTemporaryFile() as kept:
                    kept.write(small[place])
                    kept.seek(0)
                    sent[place] = uploads.submit(_send, registry, repository, compress(kept), tell)
        blobs = [sent[links.get(path, path)].result() for path in listed["Layers"]]
    if len(blobs) != len(layers):
        raise BotyardError(f"docker save {image_id} gave {len(blobs)} layers instead of {len(layers)}", "run it again")
    config_bytes = small[listed["Config"]]
    with tempfile.SpooledTemporaryFile() as config_file:
        config_file.write(config_bytes)
        config_file.seek(0)
        config = registry.put_blob(repository, config_file, CONFIG, tell)
    body = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.as_json(),
            "layers": [blob.as_json() for blob in blobs],
        }
    ).encode()
    for reference in (tag, "latest"):
        registry.put_manifest(repository, reference, body)
    return sha256(body)
