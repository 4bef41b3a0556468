"""How the kubernetes library is told who we are: by a kubeconfig that is read and never written."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botyard.contracts import BadInput
from botyard.later import later
from botyard.tools.kube_http import once_more

kubernetes = later("kubernetes")


def client(kubeconfig: Path, context: str) -> Any:
    """The library's client for a context.

    Raises:
        BadInput: the program that logs in for it (kubelogin, say) fails, or is not there.
        ConfigException: the file holds no such context, or is none.
    """
    settings = kubernetes.client.Configuration()
    with _errors_said() as said:
        kubernetes.config.load_kube_config(
            str(kubeconfig), context=context, client_configuration=settings, persist_config=False
        )
    if said:
        raise BadInput(
            f"nobody is logged in for context {context}: {' '.join(said[0].split())}",
            "log in again, as with az login, and see that the program which kubeconfig names for it is there; of a "
            "target with azure: invoke target.login",
        )
    settings.retries = once_more()
    return kubernetes.client.ApiClient(configuration=settings)


@contextmanager
def _errors_said() -> Iterator[list[str]]:
    """What the library logs as an error, after which it goes on as nobody at all; it is not printed."""
    said: list[str] = []
    here = threading.get_ident()

    def keep(record: logging.LogRecord) -> bool:
        ours = record.thread == here and record.levelno >= logging.ERROR
        if ours:
            said.append(record.getMessage())
        return not ours

    root = logging.getLogger()
    root.addFilter(keep)
    try:
        yield said
    finally:
        root.removeFilter(keep)
