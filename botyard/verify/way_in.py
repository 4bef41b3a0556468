"""How this machine reaches the bot of a target: a port that is there, or one that is forwarded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botyard.targets import Target
from botyard.tools.kube import Kube
from botyard.verify.forward import forwarded
from botyard.verify.released import RASA

PORT = "http"  # of the Service


@contextmanager
def base_url(target: Target, state: Path) -> Iterator[str]:
    """Yields where the bot listens; it leads there while the block lasts.

    Raises:
        BotyardError: no way in.
    """
    if target.ours:
        yield f"http://127.0.0.1:{target.ports.rasa}"
        return
    with forwarded(Kube(target.kubeconfig_in(state), target.context), target.namespace, RASA, PORT) as url:
        yield url
