"""Who is a process: by pid and start time, so that a pid used again by another program is never taken for ours."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from botyard.contracts import TimedOut
from botyard.wait import wait_until

PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One process of one boot.

    Args:
        pid: process id.
        start_ticks: clock ticks from boot until it started (field 22 of /proc/PID/stat).
        boot_id: the boot that this was seen in; after a reboot nothing recorded is alive.
    """

    pid: int
    start_ticks: int
    boot_id: str


def boot_id(proc: Path = PROC) -> str:
    """The kernel's name for this boot."""
    return (proc / "sys/kernel/random/boot_id").read_text().strip()


def identify(pid: int, proc: Path = PROC) -> Identity | None:
    """That process as it is now; None where there is none or it is a zombie."""
    try:
        stat = (proc / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the program's name may hold blanks and brackets
    if fields[0] in "ZX":
        return None
    return Identity(pid=pid, start_ticks=int(fields[19]), boot_id=boot_id(proc))


def alive(recorded: Identity, proc: Path = PROC) -> bool:
    """Whether the very process that was recorded still runs."""
    return identify(recorded.pid, proc) == recorded


def name(pid: int, proc: Path = PROC) -> str:
    """The program's short name; empty where there is no such process."""
    try:
        return (proc / str(pid) / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def command_line(pid: int, proc: Path = PROC) -> list[str]:
    """Its arguments; empty where there is no such process."""
    try:
        return (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []


def find(program: str, proc: Path = PROC) -> list[int]:
    """Pids of living processes with that short name (zombies left out)."""
    pids = [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if name(pid, proc) == program and identify(pid, proc) is not None]


def stop(recorded: Identity, timeout_s: float) -> bool:
    """Ends that process by SIGTERM and, after timeout_s, SIGKILL; returns whether it was alive."""
    if not alive(recorded):
        return False
    os.kill(recorded.pid, signal.SIGTERM)

    def gone() -> tuple[bool, str]:
        left = alive(recorded)
        return not left, f"process {recorded.pid} is ending" if left else "ended"

    try:
        wait_until("end of the process", gone, timeout_s, interval_s=0.1)
    except TimedOut:
        if alive(recorded):
            os.kill(recorded.pid, signal.SIGKILL)
            wait_until("end of the process after SIGKILL", gone, 10, interval_s=0.1)
    return True
