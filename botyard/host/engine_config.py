"""The configuration of the engine that we start, in files of our own (never /etc/docker/daemon.json)."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botyard.host import runc_wrapper

SOCKET = Path("/var/run/docker.sock")
RUNTIME = "botyard-runc"


@dataclass(frozen=True)
class Places:
    """Files and folders of our engine.

    Args:
        home: /var/lib/botyard: on the disk, survives a reboot, root's own. Images and containers lie beside the
            ledger and apart from /var/lib/docker, so taking the engine away can never take away somebody else's.
        run: /run/botyard: sockets and pid files, gone after a reboot.
    """

    home: Path
    run: Path = Path("/run/botyard")
    socket: Path = SOCKET

    @property
    def config(self) -> Path:
        return self.home / "dockerd.json"

    @property
    def data(self) -> Path:
        return self.home / "docker"

    @property
    def half_gone(self) -> Path:
        """What ``data`` is called while it is removed."""
        return self.home / "docker.removed"

    @property
    def log(self) -> Path:
        return self.home / "dockerd.log"

    @property
    def wrapper(self) -> Path:
        return self.home / "bin" / "runc"

    @property
    def exec_root(self) -> Path:
        return self.run / "docker"

    @property
    def pidfile(self) -> Path:
        return self.run / "docker.pid"

    @property
    def containerd_pidfile(self) -> Path:
        return self.exec_root / "containerd" / "containerd.pid"


def config(places: Places, wrapper: bool) -> dict[str, Any]:
    """The engine's settings as dockerd reads them."""
    settings: dict[str, Any] = {
        "data-root": str(places.data),
        "exec-root": str(places.exec_root),
        "pidfile": str(places.pidfile),
        "hosts": [f"unix://{places.socket}"],
        # A node in a container writes its log without end; keep 30 MB of each container.
        "log-driver": "json-file",
        "log-opts": {"max-size": "10m", "max-file": "3"},
        # Containers outlive a dockerd that was killed alone. Without it the next dockerd stops them first, and what has
        # the restart policy unless-stopped then stays down.
        "live-restore": True,
    }
    if wrapper:
        settings["runtimes"] = {RUNTIME: {"path": str(places.wrapper)}}
        settings["default-runtime"] = RUNTIME
    return settings


def write_config(places: Places, wrapper: bool) -> bool:
    """Writes the settings, and the wrapper where it is wanted; returns whether anything differed."""
    text = json.dumps(config(places, wrapper), indent=2) + "\n"
    changed = write_if_other(places.config, text, 0o644)
    if wrapper:
        source = Path(runc_wrapper.__file__).read_text()
        changed = (
            write_if_other(places.wrapper, source.replace("/usr/bin/python3", system_python(), 1), 0o755) or changed
        )
    return changed


def remove_data(places: Places) -> None:
    """Removes all that the engine keeps: at once or not at all, whenever this is killed.

    An engine that comes up on half of it would have volumes without labels and images without layers.
    """
    remove_half_gone(places)
    if places.data.exists():
        places.data.rename(places.half_gone)
        remove_half_gone(places)


def remove_half_gone(places: Places) -> None:
    """Goes on where ``remove_data`` was killed."""
    shutil.rmtree(places.half_gone, ignore_errors=True)


def system_python() -> str:
    """A Python that stays when a virtual environment goes: Debian's own, else the one behind this environment."""
    debian = "/usr/bin/python3"
    return debian if os.access(debian, os.X_OK) else str(Path(sys.base_prefix) / "bin" / "python3")


def write_if_other(file: Path, text: str, mode: int) -> bool:
    """Writes a file in one step where its content differs; returns whether it did."""
    if file.exists() and file.read_text() == text and file.stat().st_mode & 0o777 == mode:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(file.name + ".tmp")
    temporary.write_text(text)
    temporary.chmod(mode)
    temporary.replace(file)
    return True
