"""Who listens on a port of this machine."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from botyard.host import processes
from botyard.process import run

_LISTEN = "0A"
# Addresses on which a listener takes 127.0.0.1 away: all, and loopback, as /proc/net/tcp and tcp6 write them.
_TAKES_LOOPBACK = {
    "00000000",
    "0100007F",
    "0" * 32,
    "0000000000000000FFFF00000100007F",
}


@dataclass(frozen=True)
class Holder:
    """The process that listens; pid 0 where it can't be seen (another user's, and we are not root)."""

    pid: int
    program: str

    def __str__(self) -> str:
        return f"{self.program} (pid {self.pid})" if self.pid else self.program


def listeners(ports: set[int], proc: Path = Path("/proc")) -> dict[int, Holder]:
    """Those of the ports on 127.0.0.1 that are taken, and by whom."""
    if (proc / "net/tcp").exists():
        return _by_proc(ports, proc)
    return {port: _by_lsof(port) for port in ports if _taken(port)}


def _by_proc(ports: set[int], proc: Path) -> dict[int, Holder]:
    inodes: dict[str, int] = {}
    for table in ("net/tcp", "net/tcp6"):
        if not (proc / table).exists():
            continue
        for line in (proc / table).read_text().splitlines()[1:]:
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if fields[3] == _LISTEN and address in _TAKES_LOOPBACK and int(port, 16) in ports:
                inodes[f"socket:[{fields[9]}]"] = int(port, 16)
    found = {port: Holder(0, "a process of another user") for port in inodes.values()}
    if not inodes:
        return found
    for entry in proc.iterdir():
        if entry.name.isdigit():
            for inode in _sockets(entry) & inodes.keys():
                found[inodes[inode]] = Holder(int(entry.name), processes.name(int(entry.name), proc))
    return found


def _sockets(process: Path) -> set[str]:
    links = set()
    try:
        for descriptor in (process / "fd").iterdir():
            link = str(descriptor.readlink())
            if link.startswith("socket:"):
                links.add(link)
    except (PermissionError, FileNotFoundError, ProcessLookupError):
        pass  # another user's, or gone meanwhile
    return links


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _by_lsof(port: int) -> Holder:
    if shutil.which("lsof") is None:
        return Holder(0, "another process")
    shown = run(["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"], check=False, timeout_s=10).stdout.splitlines()
    pid = next((int(line[1:]) for line in shown if line.startswith("p")), 0)
    return Holder(pid, next((line[1:] for line in shown if line.startswith("c")), "another process"))
