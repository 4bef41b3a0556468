"""What stands in for upstream: a registry filled under upstream's paths, a server of downloads, a checkout asking them.

All real: a registry container of its own, an HTTP server, a copy of this checkout with other digests in its lock.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import socket
import sys
import tarfile
import threading
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from botyard.contracts import LABEL_CLUSTER, Paths
from botyard.host import addons, lockfile, toolbox
from botyard.process import Completed, run
from botyard.tools import docker
from botyard.tools.registry_api import Registry
from botyard.wait import wait_until

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = "botyard-mirror"
CONTAINER = "botyard-stand-in-registry"  # its label makes `invoke down --all` find it after a killed test
NODE_TAG = "v1.34.4"
METRICS = addons.UPSTREAM_IMAGE.removeprefix("registry.k8s.io/")
MARK = "botyard.pulled-from-mirror"
PROGRAMS = ("kind", "kubectl", "helm")
PUBLISHED = "helm"  # the one whose checksum is not in the lock but beside it on the server


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Mirror:
    """A registry on this machine with the base, the node image and metrics-server under upstream's paths.

    Args:
        digests: repository -> digest.
        mark: value of the label that only the node image in it carries.
    """

    port: int = field(default_factory=free_port)
    digests: dict[str, str] = field(default_factory=dict)
    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    _skip: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.stop()
        docker.cli(
            "run", "--detach", "--name", CONTAINER, "--label", f"{LABEL_CLUSTER}={CONTAINER}",
            "--publish", f"127.0.0.1:{self.port}:5000", "--env", "REGISTRY_LOG_LEVEL=info",
            "--env", "REGISTRY_LOG_ACCESSLOG_DISABLED=false", "botyard/registry:latest",
        )  # fmt: skip
        registry = Registry(f"http://{self.address}")
        wait_until("the stand-in registry", lambda: (registry.answers(), "it does not answer"), 30, interval_s=0.2)

    def fill(self) -> None:
        """Pushes both images as their upstream names; afterwards this machine knows them by these names no more."""
        # The node image gets a mark, so that it differs from the one on this machine and must really be pulled.
        marked = f"FROM botyard/node:{NODE_TAG}\nLABEL {MARK}={self.mark}\n"
        docker.cli("build", "--tag", f"{self.address}/kindest/node:{NODE_TAG}", "-", stdin=marked)
        docker.cli("tag", "debian:bookworm-slim", f"{self.address}/library/debian:bookworm-slim")
        registry = Registry(f"http://{self.address}")
        docker.cli("tag", "botyard/metrics-server:latest", f"{self.address}/{METRICS}")
        names = (("library/debian", "bookworm-slim"), ("kindest/node", NODE_TAG), METRICS.rsplit(":", 1))
        for repository, tag in names:
            docker.cli("push", "--quiet", f"{self.address}/{repository}:{tag}", timeout_s=900)
            manifest = registry.manifest(repository, tag)
            assert manifest is not None
            self.digests[repository] = manifest.digest
            docker.cli("rmi", f"{self.address}/{repository}:{tag}")
            assert docker.image(self.ref(repository)) is None
        self._skip = len(self._log())

    def ref(self, repository: str) -> str:
        return f"{self.address}/{repository}@{self.digests[repository]}"

    def asked(self) -> list[str]:
        """The access log since it was filled."""
        return self._log()[self._skip :]

    def _log(self) -> list[str]:
        done = docker.cli("logs", CONTAINER)
        return [line for line in [*done.stdout.splitlines(), *done.stderr.splitlines()] if "HTTP/1.1" in line]

    def stop(self) -> None:
        docker.cli("rm", "--force", "--volumes", CONTAINER)
        for repository in self.digests:
            docker.cli("rmi", self.ref(repository), check=False)
        docker.cli("image", "prune", "--all", "--force", "--filter", f"label={MARK}", check=False)  # of killed tests


class Downloads:
    """An HTTP server of ``<base>/<upstream host>/<path>`` with this machine's own tools, and what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.sha256: dict[str, str] = {}
        asked = self.asked

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                return

            def do_GET(self) -> None:
                asked.append(self.path)
                super().do_GET()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def fill(self, tools: Paths) -> None:
        """Lays out each program as upstream does: as it is or in its archive, and one published checksum."""
        lock, here = lockfile.read(ROOT), lockfile.this_platform()
        for program in PROGRAMS:
            entry, source = lock.downloads[program], toolbox.tool(tools, program)
            file = self.folder / entry.fill(entry.url, here).removeprefix("https://")
            file.parent.mkdir(parents=True)
            if entry.member:
                with tarfile.open(file, "w:gz", compresslevel=1) as archive:
                    archive.add(source, entry.fill(entry.member, here))
            else:
                shutil.copyfile(source, file)
            self.sha256[program] = hashlib.sha256(file.read_bytes()).hexdigest()
            if program == PUBLISHED:
                published = file.with_name(file.name + entry.checksum_suffix)
                published.write_text(f"{self.sha256[program]}  {file.name}\n")

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Checkout:
    """A copy of this checkout, files not yet committed included, with a cache of its own and no Go and no debootstrap.

    Where either is called all the same, a line is written to ``forbidden``.
    """

    def __init__(self, folder: Path) -> None:
        self.root, self.cache, self.traps = folder / "checkout", folder / "cache", folder / "traps"
        self.forbidden = folder / "forbidden.log"
        listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)
        self.traps.mkdir()
        for program in ("go", "debootstrap"):
            trap = self.traps / program
            trap.write_text(f'#!/bin/sh\necho "{program} $*" >> {self.forbidden}\nexit 97\n')
            trap.chmod(0o755)

    @property
    def state(self) -> Path:
        return self.root / ".botyard" / CLUSTER

    def lock(self, digests: dict[str, str], sha256: dict[str, str]) -> None:
        """Pins these images, and these downloads but for the one that is checked against a published checksum."""
        yaml = YAML()
        yaml.width = 200
        file = self.root / lockfile.LOCK
        document = yaml.load(ROOT / lockfile.LOCK)
        here = str(lockfile.this_platform())
        for program, value in sha256.items():
            document["downloads"][program]["sha256"][here] = value if program != PUBLISHED else None
        document["images"] = {
            addons.UPSTREAM_IMAGE: {
                "repository": f"registry.k8s.io/{METRICS.partition(':')[0]}",
                "digest": digests[METRICS.partition(":")[0]],
            },
            "debian:bookworm-slim": {"repository": "docker.io/library/debian", "digest": digests["library/debian"]},
            f"kindest/node:{NODE_TAG}": {"repository": "docker.io/kindest/node", "digest": digests["kindest/node"]},
        }
        yaml.dump(document, file)

    def targets(self, mirror: Mirror, downloads: Downloads) -> None:
        """Targets ``mirror`` (sources: registries) and ``mirror-auto`` (the same, found out by itself)."""
        ports = {"rasa": free_port(), "registry": free_port(), "depot": free_port()}
        targets: dict[str, Any] = {}
        for name, mode in (("mirror", "registries"), ("mirror-auto", "auto")):
            sources = {"mode": mode, "mirror": mirror.address, "download_base": downloads.base}
            targets[name] = {"cluster": CLUSTER, "workers": 2, "ports": ports, "sources": sources}
        YAML().dump({"targets": targets}, self.root / "values" / "targets.yml")

    def invoke(self, *words: str, timeout_s: float = 1500) -> Completed:
        """``invoke <words>`` in the copy; its lines are shown as they come."""
        return self.python("-m", "invoke", *words, timeout_s=timeout_s)

    def python(self, *words: str, timeout_s: float = 60) -> Completed:
        env = {
            "PYTHONPATH": str(self.root),
            "XDG_CACHE_HOME": str(self.cache),
            "PATH": f"{self.traps}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "200",
        }
        return run([sys.executable, *words], cwd=self.root, env=env, check=False, timeout_s=timeout_s,
                   on_line=lambda line: print(line, flush=True))  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A machine as a user of ``sources: registries`` has it."""

    mirror: Mirror
    downloads: Downloads
    checkout: Checkout
