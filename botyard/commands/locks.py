"""What a run needs before it begins: a cache that can be written, and the machine's lock on its cluster."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from botyard.contracts import BadInput


def must_be_writable(cache: Path) -> None:
    """Makes the cache folder where there is none.

    Raises:
        BadInput: it cannot be written.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()
    except OSError as error:
        raise BadInput(
            f"the cache folder {cache} cannot be written: {error.strerror}",
            "set XDG_CACHE_HOME to a folder that can be",
        ) from None


@contextlib.contextmanager
def one_run_at_a_time(cluster: str, *, all_clusters: bool = False) -> Iterator[None]:
    """Holds this machine's lock on a cluster; the kernel frees it when a run is killed.

    The locks do not lie in the cache: clusters and the engine are the machine's, whatever XDG_CACHE_HOME says.

    Args:
        all_clusters: hold the locks of all clusters: ``down --all`` takes the engine away from under every one.
    Raises:
        BadInput: another run works on that cluster now, from whichever checkout.
    """
    from filelock import FileLock, Timeout

    folder = Path(tempfile.gettempdir()) / f"botyard-{os.getuid()}"
    names = {cluster}
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if all_clusters:
                names |= {file.stem for file in folder.glob("*.lock")}
            for name in sorted(names):
                holder = folder / f"{name}.pid"
                held.enter_context(FileLock(folder / f"{name}.lock").acquire(timeout=0))
                holder.write_text(f"{os.getpid()}, started {time.strftime('%H:%M:%S')} in {Path.cwd()}\n")
        except Timeout:
            who = holder.read_text().strip() if holder.is_file() else "unknown"
            raise BadInput(
                f"another run (process {who}) is working on cluster {name}",
                "wait for it to end, or stop it with Ctrl-C where it runs",
            ) from None
        except OSError as error:
            raise BadInput(
                f"the folder for locks {folder} cannot be written: {error.strerror}", "set TMPDIR to one that can be"
            ) from None
        yield
