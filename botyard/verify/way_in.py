"""How this machine reaches the bot of a target: a port that is there, or one that kubectl forwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botyard.targets import Target
from botyard.verify.forward import forwarded
from botyard.verify.released import RASA, RASA_PORT


@contextmanager
def base_url(target: Target, kubectl: Path, kubeconfig: Path) -> Iterator[str]:
    """Yields where the bot listens; it leads there while the block lasts.

    Args:
        kubectl: the program; used for a cluster that is not ours.
    Raises:
        TimedOut: no way in; says what kubectl said.
    """
    if target.ours:
        yield f"http://127.0.0.1:{target.ports.rasa}"
        return
    with forwarded(kubectl, kubeconfig, target.context, target.namespace, RASA, RASA_PORT) as url:
        yield url
