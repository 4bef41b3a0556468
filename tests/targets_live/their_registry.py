"""A registry as a company has it: TLS under a private authority, a password, and nodes that know the authority."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from their_authority import issue

from botyard.targets import Target
from botyard.tools import docker
from botyard.tools.registry_api import Registry
from botyard.wait import wait_until

NAME = "botyard-targets-live-registry"
PASSWORD = "secret"
BCRYPT = "$2b$04$vjVw4x39v8WMDeizW5zr/ui/s/hjhSuJ4W5FLEF/VZ4F7kxd3FA2G"
_CONFIG = """\
version: 0.1
storage: {filesystem: {rootdirectory: /var/lib/docker-registry}}
auth: {htpasswd: {realm: there, path: /certs/htpasswd}}
http: {addr: ":5000", tls: {certificate: /certs/server.crt, key: /certs/server.key}}
"""
# Its certificate names its address, which Docker gives when it starts.
_START = "until test -f /certs/ready; do sleep 0.1; done; exec docker-registry serve /certs/config.yml"


@dataclass(frozen=True)
class Private:
    """Where it is, for this machine and for the nodes alike, and who vouches for it."""

    address: str
    ca: Path


def _settings(certs: Path) -> None:
    (certs / "htpasswd").write_text(f"robot:{BCRYPT}\n")
    (certs / "config.yml").write_text(_CONFIG)
    for file in certs.iterdir():
        file.chmod(0o644)
    (certs / "ready").touch()


@contextmanager
def private_registry(target: Target, folder: Path, name: str = NAME) -> Iterator[Private]:
    """Runs beside the cluster's nodes; its data goes with it."""
    certs = folder / "certs"
    certs.mkdir()
    docker.cli("rm", "--force", "--volumes", name, check=False)
    docker.cli(
        "run", "--detach", "--name", name, "--network", target.network, "--volume", f"{certs}:/certs:ro",
        "--entrypoint", "sh", "botyard/registry:latest", "-c", _START,
    )  # fmt: skip
    try:
        found = docker.container(name)
        assert found is not None
        ip = found.attrs["NetworkSettings"]["Networks"][target.network]["IPAddress"]
        issue(certs, f"IP:{ip}")
        _settings(certs)
        entry = Registry(f"https://{ip}:5000", ca=certs / "ca.crt")
        wait_until("the private registry", lambda: (entry.answers(), "not yet"), 30, interval_s=0.2)
        entry.close()
        yield Private(f"{ip}:5000", certs / "ca.crt")
    finally:
        docker.cli("rm", "--force", "--volumes", name, check=False)


@contextmanager
def known_to_nodes(target: Target, private: Private) -> Iterator[None]:
    """Gives every worker the authority's certificate, as who runs such a cluster does."""
    nodes = [f"{target.cluster}-worker{n if n > 1 else ''}" for n in range(1, target.workers + 1)]
    place = f"/etc/containerd/certs.d/{private.address}"
    hosts = f'server = "https://{private.address}"\nca = "{place}/ca.crt"\n'
    for node in nodes:
        docker.exec_in(node, ["mkdir", "-p", place])
        container = docker.container(node)
        assert container is not None
        docker.put_file(container, place, "ca.crt", private.ca.read_bytes())
        docker.put_file(container, place, "hosts.toml", hosts.encode())
    try:
        yield
    finally:
        for node in nodes:
            docker.exec_in(node, ["rm", "-rf", place], check=False)


def login(folder: Path, private: Private, password: str = PASSWORD) -> dict[str, str]:
    """What `docker login` would leave, in a folder of its own; gives the environment that leads there."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(auths(private, password)))
    return {"DOCKER_CONFIG": str(folder)}


def auths(private: Private, password: str = PASSWORD) -> dict[str, object]:
    """Docker's configuration, which is also what a Secret to pull by holds."""
    return {"auths": {private.address: {"auth": base64.b64encode(f"robot:{password}".encode()).decode()}}}
