"""The registry of a target: how this machine pushes to it, and what the nodes call it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from botyard.contracts import BadInput
from botyard.targets import RegistryOf, Target
from botyard.tools import registry_login
from botyard.tools.registry_api import Registry
from botyard.tools.registry_login import Login


@dataclass(frozen=True)
class Place:
    """One registry.

    Args:
        url: for this machine, such as ``https://shop.azurecr.io``.
        host: what images are called before the repository: ``shop.azurecr.io``, ``localhost:5001``.
        prefix: put before every repository, without slashes at its ends.
    """

    url: str
    host: str
    prefix: str = ""
    login: Login | None = None
    ca: Path | None = None

    def repository(self, name: str) -> str:
        """A repository in this registry."""
        return f"{self.prefix}/{name}".lstrip("/")

    def shown(self, name: str) -> str:
        """The same with the registry before it, as nodes pull it."""
        return f"{self.host}/{self.repository(name)}"

    @contextmanager
    def open(self) -> Iterator[Registry]:
        """A connection, for one thread."""
        registry = Registry(self.url, self.login, self.ca)
        try:
            yield registry
        finally:
            registry.close()


def local(port: int) -> Place:
    """The registry container beside a cluster of ours."""
    return Place(f"http://127.0.0.1:{port}", f"localhost:{port}")


def of(target: Target) -> Place:
    """The registry of a target, with the login that the user has for it.

    Raises:
        BadInput: the target names none, or there is no login where one must be.
    """
    if target.ours:
        return local(target.ports.registry)
    if target.registry is None:
        raise BadInput(
            f"target {target.name} names no registry to push images to",
            f"say which: targets.{target.name}.registry.address in values/targets.yml",
        )
    return _theirs(target.registry)


def _theirs(named: RegistryOf) -> Place:
    host, _, prefix = named.address.partition("/")
    login = registry_login.from_az(host) if named.login == "az" else registry_login.from_docker(host)
    ca = Path(named.ca).expanduser() if named.ca else None
    if ca is not None and not ca.is_file():
        raise BadInput(f"registry.ca: there is no file {ca}", "name the PEM file of the registry's authority")
    return Place(f"https://{host}", host, prefix, login, ca)
