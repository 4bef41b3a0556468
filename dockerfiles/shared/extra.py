"""Installs what a bot asks for into a locked environment and copies only the new files to an overlay.

Every pin of the lock is a constraint, so nothing of the locked set is replaced. A wheels folder holds wheels and a
requirements.txt that names each by path with its hash:
    ./zh_core_web_trf-3.4.0-py3-none-any.whl --hash=sha256:...
A wheel that requirements.txt does not name, or whose bytes differ, ends the build.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import time
from pathlib import Path


def constraints(lock: str) -> list[str]:
    """The pins of a lock file's text without their hashes."""
    return [pin.strip() for pin in re.findall(r"^([A-Za-z0-9][\w.-]*==[^\\\n]+)", lock, re.MULTILINE)]


def named_wheels(folder: Path) -> Path | None:
    """The folder's requirements.txt once it names every wheel there with a hash; None where there is nothing named.

    Raises:
        SystemExit: a wheel without such a line.
    """
    named = folder / "requirements.txt"
    text = named.read_text() if named.exists() else ""
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines() if "--hash=sha256:" in line]
    for wheel in sorted(folder.glob("*.whl")):
        if not any(line.startswith(f"./{wheel.name} ") for line in lines):
            raise SystemExit(f"wheels/requirements.txt has no line './{wheel.name} --hash=sha256:...'")
    return named if lines else None


def changed_since(venv: Path, moment_ns: int) -> list[Path]:
    """Files and links below venv whose inode changed at or after that moment."""
    found: list[Path] = []
    for folder, _, files in os.walk(venv):
        found += [p for p in (Path(folder, name) for name in files) if p.lstat().st_ctime_ns >= moment_ns]
    return found


def install(pip: list[str], folder: Path) -> None:
    """Runs pip in a folder; its own message is the last word where it refuses."""
    if subprocess.run(pip, check=False, cwd=folder).returncode != 0:
        raise SystemExit("the bot's own requirements could not be installed; pip says why above")


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--venv", "--lock", "--overlay"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--wheels", type=Path)
    args, wanted = parser.parse_known_args()
    args.overlay.mkdir(parents=True, exist_ok=True)
    named = named_wheels(args.wheels) if args.wheels is not None and args.wheels.is_dir() else None
    if not wanted and named is None:
        return
    stamp = args.overlay.parent / "constraints.txt"
    stamp.write_text("\n".join(constraints(args.lock.read_text())) + "\n")
    started_ns = stamp.stat().st_ctime_ns  # the file system's own clock, which lags behind time.time_ns()
    time.sleep(0.05)
    pip = [str(args.venv / "bin" / "pip"), "install", "--no-warn-conflicts"]
    if wanted:
        install([*pip, "--constraint", str(stamp), *wanted], args.venv)
    if named is not None:
        install([*pip, "--no-deps", "--require-hashes", "-r", named.name], named.parent)
    for file in changed_since(args.venv, started_ns):
        target = args.overlay / file.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target, follow_symlinks=False)


if __name__ == "__main__":
    main()
