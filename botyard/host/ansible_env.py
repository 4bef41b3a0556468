"""Tools that tests hold ours against, each on its own: the real ansible-playbook, checkov, Helm 3, kube-score."""

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

_LOCKS = Path(__file__).parent / "recipes" / "python"
LOCK = _LOCKS / "ansible" / "requirements.lock"
CHECKOV_LOCK = _LOCKS / "checkov" / "requirements.lock"
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
    return _locked_env(cache, "ansible", LOCK, progress)


def checkov_env(cache: Path, progress: Callable[[str], None] = lambda _line: None) -> Path:
    """The same for ``bin/checkov``: some 300 MB."""
    return _locked_env(cache, "checkov", CHECKOV_LOCK, progress)


def _locked_env(cache: Path, name: str, lock: Path, progress: Callable[[str], None]) -> Path:
    key = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = cache / name / key
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / ".lock"):
        if not (folder / _FINISHED).is_file():
            progress(f"installing {name} into {folder}, once")
            shutil.rmtree(folder, ignore_errors=True)
            run([sys.executable, "-m", "venv", folder], timeout_s=_INSTALL_TIMEOUT_S)
            pip: list[Arg] = [folder / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check"]
            strict = ["--require-hashes", "--only-binary", ":all:"]
            run([*pip, *strict, "--requirement", lock], timeout_s=_INSTALL_TIMEOUT_S)
            (folder / _FINISHED).touch()
    return folder


def helm3(paths: Paths, progress: Callable[[str], None] = lambda _line: None) -> Path:
    """The folder of a Helm 3, which kubernetes.core's modules find as ``helm`` on PATH. Built once, in some 100 s.

    Raises:
        BotyardError: no Go that can build it, or the build failed.
    """
    return recipe.make(paths, recipe.HELM3.name, progress)[0]


def kube_score(paths: Paths, progress: Callable[[str], None] = lambda _line: None) -> Path:
    """The program kube-score. Built once, in some 15 s.

    Raises:
        BotyardError: no Go that can build it, or the build failed.
    """
    return recipe.make(paths, recipe.KUBE_SCORE.name, progress)[0] / "kube-score"
