"""The Python package of a release: a source archive of the whole checkout, and a wheel made from it."""

from __future__ import annotations

import gzip
import importlib.util
import io
import os
import sys
import tarfile
import tempfile
from pathlib import Path

from botyard.contracts import BadInput, BotyardError
from botyard.process import run
from botyard.release.packages import add_sums

_TIMEOUT_S = 600
EXTRA = "pip install -e '.[release]'"


def commit_time(root: Path) -> int:
    """Seconds since 1970 that everything made from this checkout bears, so that the same commit gives the same bytes.

    Raises:
        BadInput: nobody says, or it is no number.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    try:
        return int(given or run(["git", "log", "-1", "--format=%ct"], cwd=root, timeout_s=60).stdout)
    except (BotyardError, ValueError) as error:
        raise BadInput(
            f"the time of this commit is not known: {str(error).splitlines()[0]}",
            "run it in a git checkout, or set SOURCE_DATE_EPOCH to seconds since 1970",
        ) from None


def needs(module: str) -> None:
    """Raises BadInput where what makes a release is not installed."""
    if importlib.util.find_spec(module) is None:
        raise BadInput(f"the Python package {module} is not installed", f"install it: {EXTRA}")


def build(root: Path, dest: Path) -> list[Path]:
    """Makes both in ``dest``, with the setuptools that is installed; the same commit gives the same files.

    Raises:
        BadInput: what builds it is not installed, or dest holds it already.
        CommandError: it cannot be built; the message ends with what was printed.
    """
    needs("build")
    if there := sorted(dest.glob("*.whl")):
        raise BadInput(f"{there[0]} is there already", "name a folder without it: --dest dist")
    moment = commit_time(root)
    env = {"SOURCE_DATE_EPOCH": str(moment)}
    with tempfile.TemporaryDirectory() as scratch:
        run([sys.executable, "-m", "build", "--no-isolation", "--outdir", scratch, root], env=env, timeout_s=_TIMEOUT_S)
        made = [dest / file.name for file in sorted(Path(scratch).iterdir())]
        dest.mkdir(parents=True, exist_ok=True)
        for file in made:
            content = Path(scratch, file.name).read_bytes()
            file.write_bytes(settled(content, moment) if file.name.endswith(".tar.gz") else content)
    add_sums(dest, made)
    return made


def settled(archive: bytes, moment: int) -> bytes:
    """The same archive without what differs from machine to machine: times, owners, order."""
    inside, whole = io.BytesIO(), io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as old,
        tarfile.open(fileobj=inside, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old, key=lambda one: one.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = moment, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isreg() else None)
    with gzip.GzipFile(fileobj=whole, mode="wb", mtime=moment, filename="") as packed:
        packed.write(inside.getvalue())
    return whole.getvalue()
