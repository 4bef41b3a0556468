"""Which Linux capabilities root can have on this machine at all."""

from __future__ import annotations

from pathlib import Path

from botyard.host import runc_wrapper

NAMES = runc_wrapper.CAPABILITIES

# Without these no Kubernetes node can run in a container, wrapper or not.
NEEDED = frozenset(
    {"CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_MKNOD", "CAP_SYS_CHROOT", "CAP_SETUID", "CAP_SETGID", "CAP_CHOWN"}
)


def missing(proc: Path = Path("/proc")) -> list[str]:
    """Names of the kernel's capabilities that are not in this process's bounding set."""
    bounding = 0
    for line in (proc / "self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            bounding = int(line.split()[1], 16)
    last = int((proc / "sys/kernel/cap_last_cap").read_text())
    return [f"CAP_{NAMES[bit]}" for bit in range(min(last + 1, len(NAMES))) if not bounding >> bit & 1]
