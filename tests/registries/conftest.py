"""The stand-ins for upstream, made once; everything of theirs is gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stand_ins import NODE_TAG, ROOT, Checkout, Downloads, Mirror, Place

from botyard.contracts import Paths
from botyard.tools import docker

NEEDED = ("botyard/registry:latest", "debian:bookworm-slim", f"botyard/node:{NODE_TAG}")


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Mirror and downloads are filled, the copy's lock and targets point to them, and no cluster is left of before."""
    missing = [name for name in NEEDED if docker.image(name) is None]
    if missing:
        pytest.fail(f"no image {', '.join(missing)}: first run invoke e2e with sources: packages on this machine")
    folder: Path = tmp_path_factory.mktemp("registries")
    mirror, downloads, checkout = Mirror(), Downloads(folder / "downloads"), Checkout(folder)
    try:
        mirror.start()
        mirror.fill()
        downloads.fill(Paths(root=ROOT, state=ROOT / ".botyard" / "botyard", cache=folder))
        checkout.targets(mirror, downloads)
        checkout.lock(mirror.digests, downloads.sha256)
        assert checkout.invoke("down", "--target", "mirror", "--plain").returncode == 0
        yield Place(mirror, downloads, checkout)
    finally:
        checkout.invoke("down", "--target", "mirror", "--plain")
        mirror.stop()
        downloads.stop()
