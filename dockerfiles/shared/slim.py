"""Makes an installed environment small without taking anything a bot could use.

Usage: python slim.py SITE_PACKAGES

Removed: C++ headers, static archives, the packages' own test suites, symbols and debug sections of shared libraries.
Every stripped library is opened; one that no longer opens but did before gets its old bytes back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Test suites by name, as some packages import a folder called "testing" or "test" of their own.
TESTS_OF = [
    "aiogram",
    "absl",
    "dask",
    "fire",
    "future",
    "greenlet",
    "h5py",
    "joblib",
    "matplotlib",
    "mpl_toolkits",
    "networkx",
    "numpy",
    "scipy",
    "sklearn",
    "sklearn_crfsuite",
    "tensorflow_hub",
    "tensorboard",
    "thinc",
    "spacy",
]
# The dynamic loader answers for one library without running any Python.
PROBE = "import ctypes, sys; ctypes.CDLL(sys.argv[1], mode=1)"
MIN_SIZE = 100_000  # bytes; stripping smaller libraries saves 2 MB in all and takes as long as the rest


def remove_unused(site: Path) -> None:
    """Removes what no running program reads."""
    shutil.rmtree(site / "tensorflow" / "include", ignore_errors=True)
    for archive in site.rglob("*.a"):
        archive.unlink()
    for package in TESTS_OF:
        for folder in [f for name in ("tests", "test") for f in (site / package).rglob(name) if f.is_dir()]:
            shutil.rmtree(folder, ignore_errors=True)


def _opens(library: Path) -> bool:
    return subprocess.run([sys.executable, "-c", PROBE, str(library)], capture_output=True, check=False).returncode == 0


def strip(library: Path) -> int:
    """Strips one shared library where it still opens afterwards; returns the bytes saved."""
    before = library.stat()
    slim = library.with_name(library.name + ".slim")
    done = subprocess.run(
        ["strip", "--strip-unneeded", "-o", str(slim), str(library)], capture_output=True, check=False
    )
    if done.returncode != 0:
        slim.unlink(missing_ok=True)
        return 0
    kept = library.with_name(library.name + ".kept")
    library.rename(kept)
    slim.chmod(before.st_mode)
    slim.rename(library)
    if not _opens(library) and _opens(kept):  # many only open inside their package, stripped or not
        kept.replace(library)
        print(f"left as it was: {library}")
        return 0
    kept.unlink()
    os.utime(library, (before.st_atime, before.st_mtime))
    return before.st_size - library.stat().st_size


def main() -> None:
    site = Path(sys.argv[1])
    remove_unused(site)
    libraries = [f for f in site.rglob("*.so*") if f.is_file() and not f.is_symlink()]
    # Libraries that auditwheel copied beside a package were rewritten by patchelf, which strip may break: left alone.
    chosen = [
        f
        for f in libraries
        if f.stat().st_size >= MIN_SIZE and not any(part.endswith(".libs") for part in f.relative_to(site).parts)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        saved = sum(pool.map(strip, chosen))
    print(f"stripped {len(chosen)} libraries: {saved // 1_000_000} MB saved")


if __name__ == "__main__":
    main()
