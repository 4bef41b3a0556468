"""The Go toolchain: where it is, which version, and one build."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from botyard.contracts import BotyardError
from botyard.process import Arg, run

# Any Go since this one fetches the toolchain that a go.mod asks for, as a Go module.
CAN_FETCH_TOOLCHAIN = (1, 21)
_PROGRESS_EVERY_S = 10.0


def find() -> Path | None:
    """The go command on PATH (or where the official archive puts it), or None."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    return Path(found) if found else None


def version(go: Path) -> str:
    """Its version, such as ``1.26.8``, read from the distribution's VERSION file: no process is started for it.

    Only where that file is missing is ``go env`` asked.
    """
    try:
        first = (go.resolve().parent.parent / "VERSION").read_text().split()[0]
    except (FileNotFoundError, IndexError):
        first = run([go, "env", "GOVERSION"], timeout_s=30, env={"GOTOOLCHAIN": "local"}).stdout.strip()
    return first.removeprefix("go")


def numbers(text: str) -> tuple[int, int]:
    """Major and minor of a version such as 1.26.8 or 1.27rc1."""
    found = re.match(r"(\d+)\.(\d+)", text)
    if not found:
        raise BotyardError(f"cannot understand the Go version {text!r}", "install Go from https://go.dev/dl/")
    return int(found[1]), int(found[2])


def build(
    go: Path,
    folder: Path,
    packages: Sequence[str],
    output: str,
    *,
    ldflags: str,
    timeout_s: float,
    progress: Callable[[str], None],
    label: str,
) -> None:
    """Builds static programs from the module in ``folder``, which is not written to.

    Args:
        output: where to: a folder (ends with /) for several programs, else the program's file.
        label: begins each progress line; one comes every ten seconds at most.
    """
    started = time.monotonic()
    compiled = fetched = 0

    def on_line(line: str) -> None:
        nonlocal compiled, fetched
        if line.startswith("go: downloading"):
            fetched += 1
        elif not line.startswith(("go:", "#", " ", "\t")):
            compiled += 1

    finished = threading.Event()

    def tell() -> None:  # linking seven programs says nothing for minutes
        while not finished.wait(_PROGRESS_EVERY_S):
            more = f", {fetched} modules fetched" if fetched else ""
            progress(f"{label}: {compiled} packages compiled{more}, {time.monotonic() - started:.0f} s")

    # GOFLAGS, GOWORK, GOOS and GOARCH of the user would build something else than what the recipe's key says.
    environment = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off", "GOOS": "", "GOARCH": "", "GOEXPERIMENT": ""}
    flags = ["-v", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", output]
    argv: list[Arg] = [go, "build", *flags, *packages]
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        run(argv, cwd=folder, env=environment, timeout_s=timeout_s, on_line=on_line)
    finally:
        finished.set()
        teller.join()


def module_dir(recipe: Path, module: str) -> Path:
    """The folder of a Go module, in the version that ``recipe/go.mod`` pins; fetched where it is not there yet.

    Raises:
        CommandError: no such version, or no Go module proxy answers.
    """
    got = run(["go", "mod", "download", "-json", module], cwd=recipe, timeout_s=300)
    found = json.loads(got.stdout).get("Dir", "")
    if not found:
        raise BotyardError(f"go mod download gave no folder for {module}", f"look at {recipe}/go.mod")
    return Path(found)
