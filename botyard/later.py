"""Large libraries that are imported when they are first used.

A run checks the arguments of every task, so it imports the file of each module that it names; but few runs go on to
talk to Kubernetes, Docker or a registry, and each of those libraries costs a tenth of a second and more.
"""

from __future__ import annotations

import importlib
from typing import Any


class _Later:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        # Not importlib's LazyLoader: before Python 3.12 it gave a second thread a half-loaded module.
        return getattr(importlib.import_module(self._name), attribute)


def later(name: str) -> Any:
    """Stands for the module of that name; taking anything from it imports it.

    Where types matter, pair it with a real import under ``TYPE_CHECKING``.
    """
    return _Later(name)
