"""The real ansible-playbook in a virtual environment of its own, for what holds our engine against it."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from botyard.contracts import Paths
from botyard.host import recipe
from botyard.process import Arg, run

LOCK = Path(__file__).parent / "recipes" / "python" / "ansible" / "requirements.lock"
_INSTALL_TIMEOUT_S = 1800
_FINISHED = "finished"  # scripts of an environment name its folder, so it is made in place; this file comes last


def ansible_env(cache: Path, progress: Callable[[str], None] = lambda _line: None) -> Path:
    """The folder of the environment; ``bin/ansible-playbook`` is in it. Made where it is not there: some 700 MB.

    Args:
        cache: botyard's cache folder.
        progress: gets a line where the environment must be made.

    Raises:
        CommandError: pip failed; nothing that looks finished is left.
    """
    key = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = cache / "ansible" / key
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / ".lock"):
        if not (folder / _FINISHED).is_file():
            progress(f"installing Ansible into {folder}, once")
            shutil.rmtree(folder, ignore_errors=True)
            run([sys.executable, "-m", "venv", folder], timeout_s=_INSTALL_TIMEOUT_S)
            pip: list[Arg] = [folder / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check"]
            strict = ["--require-hashes", "--only-binary", ":all:"]
            run([*pip, *strict, "--requirement", LOCK], timeout_s=_INSTALL_TIMEOUT_S)
            (folder / _FINISHED).touch()
    return folder


def helm3(paths: Paths, progress: Callable[[str], None] = lambda _line: None) -> Path:
    """The folder of a Helm 3, which kubernetes.core's modules find as ``helm`` on PATH. Built once, in some 100 s.

    Raises:
        BotyardError: no Go that can build it, or the build failed.
    """
    return recipe.make(paths, recipe.HELM3.name, progress)[0]
