"""sources.mirror: who can reach it, and by which protocol it is asked."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_this_machine(mirror: str) -> bool:
    """Whether a mirror (``host[:port][/prefix]``) is an address that means this machine to whoever asks: loopback."""
    host = urlsplit(f"//{mirror}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def base_url(mirror: str) -> str:
    """Where its API begins, without ``/v2/``. On this machine that is plain HTTP, as Docker itself takes it there."""
    host = mirror.partition("/")[0]
    return f"{'http' if is_this_machine(mirror) else 'https'}://{host}"


def for_nodes(mirror: str) -> str:
    """The mirror that a cluster's nodes ask; '' where there is none or where they cannot reach it.

    Inside a node ``localhost`` is the node itself, so a mirror on this machine serves this machine's engine alone.
    """
    return "" if is_this_machine(mirror) else mirror


def warning(mirror: str) -> str:
    """What a user should know of a mirror that nodes cannot ask; '' where there is nothing to say."""
    if not mirror or for_nodes(mirror):
        return ""
    return (
        f"sources.mirror {mirror} is this machine's own address: this machine pulls from it, but nodes cannot reach it "
        "and ask upstream's registries themselves; name it by an address that they can reach, with TLS, to serve both"
    )
