from __future__ import annotations

from pathlib import Path

import pytest

from botyard.host.image_context import ImageSpec

DOCKERFILE = "ARG BASE=debian\nFROM ${BASE}\nARG PIP_INDEX_URL\nCOPY lock ca-certificates.cr[t] /build/\n"


@pytest.fixture
def spec(tmp_path: Path) -> ImageSpec:
    """A small image: a Dockerfile and one file beside it."""
    folder = tmp_path / "docker" / "shop"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "lock").write_text("a==1\n")
    return ImageSpec("shop", folder, {"BASE": "debian:x", "EXTRA": "one"})
