"""Network links of containers that were killed with everything else.

The kernel takes a minute or two to clear away the network namespaces of many killed containers. As long the link of a
dead one stays on Docker's bridge with an address that Docker gives to a new container meanwhile, and the new one
cannot be reached.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from botyard.host import processes
from botyard.process import run

NET = Path("/sys/class/net")
_BRIDGES = ("docker0", "br-")


def left_over(net: Path | None = None) -> list[str]:
    """Links into containers where no container runs any more: none as long as one shim is alive."""
    if processes.find("containerd-shim"):  # a process name ends after 15 letters; this is containerd-shim-runc-v2
        return []
    links = [link for link in (net or NET).glob("veth*") if (link / "master").exists()]
    masters = {link.name: (link / "master").resolve().name for link in links}
    return sorted(name for name, master in masters.items() if master.startswith(_BRIDGES))


def clear(net: Path | None = None) -> list[str]:
    """Deletes the links left over; called before a dockerd is started, never beside a living one."""
    names = left_over(net) if shutil.which("ip") else []
    for name in names:
        run(["ip", "link", "delete", name], check=False)  # the kernel may be quicker
    return names
