"""A port of this machine that leads to the bot of a cluster which exists: by kubectl, with the rights of the target."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botyard.contracts import TimedOut
from botyard.process import Arg, background
from botyard.wait import wait_until

_READY = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")
_READY_S = 20.0


@contextmanager
def forwarded(kubectl: Path, kubeconfig: Path, context: str, namespace: str, service: str, port: int) -> Iterator[str]:
    """Yields the base URL, which leads there while the block lasts.

    Raises:
        TimedOut: no port within 20 s; says what kubectl said.
    """
    what = f"a port that leads to service {service}"
    place: list[Arg] = ["--kubeconfig", kubeconfig, "--context", context, "--namespace", namespace]
    argv = [kubectl, *place, "port-forward", "--address", "127.0.0.1", f"service/{service}", f":{port}"]
    said: list[str] = []
    found: list[str] = []

    def heard(line: str) -> None:
        said.append(line)
        if match := _READY.search(line):
            found.append(match[1])

    with background(argv, heard) as child:

        def probe() -> tuple[bool, str]:
            if child.poll() is not None and not found:
                raise TimedOut(
                    f"a port that leads to service {service}", _READY_S, said[-1] if said else "kubectl ended"
                )
            return bool(found), said[-1] if said else ""

        wait_until(what, probe, _READY_S, interval_s=0.05)
        yield f"http://127.0.0.1:{found[0]}"
