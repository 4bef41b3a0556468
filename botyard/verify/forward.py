"""A port of this machine that leads to the bot of a cluster which exists, through its API server.

Each connection is carried by itself, to one of the ready pods in turn. ``kubectl port-forward`` keeps to one pod, and
ends with the first connection that a pod breaks off.
"""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from botyard.contracts import BotyardError
from botyard.tools.kube import Kube, no_answer

_CHUNK = 65536


@contextmanager
def forwarded(kube: Kube, namespace: str, service: str, port: str) -> Iterator[str]:
    """Yields the base URL, which leads there while the block lasts.

    Args:
        service: its ready endpoints are the pods.
        port: name of the port in the Service.
    Raises:
        BotyardError: the Service has no ready pod, or this account may not forward.
    """
    turns = itertools.count()
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        _channel(
            kube, namespace, *_pod(kube, namespace, service, port, next(turns))
        ).close()  # tells what is not allowed

        def serve() -> None:
            while True:
                try:
                    caller, _ = listening.accept()
                except OSError:
                    return  # the block has ended
                threading.Thread(target=carry, args=(caller,), daemon=True).start()

        def carry(caller: socket.socket) -> None:
            with caller:
                try:
                    there = _channel(kube, namespace, *_pod(kube, namespace, service, port, next(turns)))
                except BotyardError:
                    return  # whoever calls sees a connection that was closed
                with closing(there):
                    back = threading.Thread(target=_pump, args=(there, caller), daemon=True)
                    back.start()
                    _pump(caller, there)
                    back.join(timeout=60)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)


def _pod(kube: Kube, namespace: str, service: str, port: str, turn: int) -> tuple[str, int]:
    """Name of a ready pod behind the Service, and its port."""
    found = []
    labels = f"kubernetes.io/service-name={service}"
    for piece in kube.list("discovery.k8s.io/v1", "EndpointSlice", namespace, labels=labels):
        number = next((one["port"] for one in piece.get("ports") or [] if one.get("name") == port), None)
        for endpoint in piece.get("endpoints") or []:
            if number and (endpoint.get("conditions") or {}).get("ready") and endpoint.get("targetRef"):
                found.append((str(endpoint["targetRef"]["name"]), int(number)))
    if not found:
        raise BotyardError(f"service {service} in namespace {namespace} has no ready pod with a port {port}")
    return sorted(found)[turn % len(found)]


def _channel(kube: Kube, namespace: str, pod: str, port: int) -> socket.socket:
    try:
        return kube.port_forward(pod, namespace, port)
    except no_answer() as error:
        said = getattr(error, "reason", None) or error
        cure = "the right it takes: create and get pods/portforward; invoke target.rbac prints all"
        raise BotyardError(f"no way to pod {pod} in namespace {namespace}: {said}", cure) from error


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Until ``source`` ends or ``sink`` takes no more; then ``sink`` is told that nothing more comes."""
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
