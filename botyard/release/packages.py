"""What goes with a release of this repository: charts as archives, their checksums, and a Helm repository's index."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botyard.contracts import BadInput
from botyard.release.charts import INDEX
from botyard.tools.helm import Helm, about_chart, load_yaml

SUMS = "SHA256SUMS"
SITE = "site"  # what is served: the index alone, as the archives lie with the release


@dataclass(frozen=True)
class Made:
    """The archives, in the order of their charts, and the index that leads to them."""

    archives: list[Path]
    index: dict[str, Any]


def make(helm: Helm, charts: Sequence[Path], dest: Path, url: str, old_index: bytes | None) -> Made:
    """Checks and packs charts into ``dest``, which must be new; the same files give the same archives.

    Args:
        url: where the archives will lie.
        old_index: what the repository says now; all versions in it stay.

    Raises:
        BadInput: dest holds something, or a version is out with other content.
    """
    if dest.exists() and any(dest.iterdir()):
        raise BadInput(f"{dest} is not empty", "name a new folder: --dest dist")
    dest.mkdir(parents=True, exist_ok=True)
    archives = []
    for folder in charts:
        about = about_chart(folder)
        helm.lint(folder)
        archives.append(helm.package(folder, str(about["name"]), str(about["version"]), dest))
    sums = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in archives}
    _not_changed(load_yaml(old_index) if old_index else {}, sums)
    add_sums(dest, archives)
    with tempfile.TemporaryDirectory() as scratch:
        for file in archives:
            shutil.copy(file, scratch)
        old = Path(scratch, "old")
        if old_index:
            old.write_bytes(old_index)
        index = helm.repo_index(Path(scratch), url, old if old_index else None)
        (dest / SITE).mkdir()
        shutil.copy(Path(scratch, INDEX), dest / SITE / INDEX)
    return Made(archives, index)


def add_sums(dest: Path, files: Sequence[Path]) -> None:
    """Notes their checksums in SHA256SUMS of ``dest``, beside those that stand there."""
    noted = dest / SUMS
    lines = noted.read_text(encoding="utf-8").splitlines() if noted.is_file() else []
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    sums |= {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    noted.write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()), encoding="utf-8")


def _not_changed(old: dict[str, Any], sums: dict[str, str]) -> None:
    """A version that is out must be what it was: who has it pinned by its digest could not install it any more."""
    for name, versions in (old.get("entries") or {}).items():
        for one in versions:
            archive = f"{name}-{one['version']}.tgz"
            if archive in sums and one.get("digest") not in (None, sums[archive]):
                raise BadInput(
                    f"{archive} is out with other content: {one['digest']} there, {sums[archive]} here",
                    f"raise the version in the Chart.yaml of {name}",
                )
