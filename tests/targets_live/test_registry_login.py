"""A real registry with a password and TLS under a private authority, as a company has it: a push by digest into it."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from their_cluster import Checkout

from botyard.contracts import Secret
from botyard.tools import docker
from botyard.tools.registry_api import Registry
from botyard.tools.registry_login import Login
from botyard.wait import wait_until

NAME = "botyard-targets-live-registry"
PORT = 15443
BCRYPT_OF_SECRET = "$2b$04$vjVw4x39v8WMDeizW5zr/ui/s/hjhSuJ4W5FLEF/VZ4F7kxd3FA2G"
PLAY = """\
- name: Push
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: One small image
      botyard.core.image:
        images:
          - {name: targets-live, context: "{{ root }}/small"}
      register: images

    - name: Its digest
      ansible.builtin.debug:
        msg: "pull {{ images.refs['targets-live'] }}"
"""
CONFIG = """\
version: 0.1
storage: {filesystem: {rootdirectory: /var/lib/docker-registry}}
auth: {htpasswd: {realm: there, path: /certs/htpasswd}}
http: {addr: ":5000", tls: {certificate: /certs/server.crt, key: /certs/server.key}}
"""


@dataclass(frozen=True)
class Private:
    address: str
    ca: Path


def openssl(*argv: str, cwd: Path) -> None:
    subprocess.run(["openssl", *argv], cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Private]:
    """The registry's container; its data goes with it."""
    certs = tmp_path / "certs"
    certs.mkdir()
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=ours", cwd=certs)
    openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost", cwd=certs)
    (certs / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    openssl("x509", "-req", "-in", "server.csr", *signed, "-out", "server.crt", cwd=certs)
    (certs / "htpasswd").write_text(f"robot:{BCRYPT_OF_SECRET}\n")
    (certs / "config.yml").write_text(CONFIG)
    for file in certs.iterdir():
        file.chmod(0o644)
    docker.cli("rm", "--force", "--volumes", NAME, check=False)
    docker.cli(
        "run", "--detach", "--name", NAME, "--publish", f"127.0.0.1:{PORT}:5000", "--volume", f"{certs}:/certs:ro",
        "--entrypoint", "/usr/bin/docker-registry", "botyard/registry:latest", "serve", "/certs/config.yml",
    )  # fmt: skip
    docker_entry = Registry(f"https://localhost:{PORT}", ca=certs / "ca.crt")
    try:
        wait_until("the private registry", lambda: (docker_entry.answers(), "not yet"), 30, interval_s=0.2)
        yield Private(f"localhost:{PORT}", certs / "ca.crt")
    finally:
        docker_entry.close()
        docker.cli("rm", "--force", "--volumes", NAME, check=False)
        for tag in docker.tags_of("botyard/targets-live"):
            docker.cli("rmi", "--force", tag, check=False)


def login(folder: Path, private: Private, password: str) -> dict[str, str]:
    """What `docker login` would leave, in a folder of its own."""
    folder.mkdir(exist_ok=True)
    auth = base64.b64encode(f"robot:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {private.address: {"auth": auth}}}))
    return {"DOCKER_CONFIG": str(folder)}


def test_an_image_goes_in_by_digest_with_the_right_login_alone(
    checkout: Checkout, private: Private, tmp_path: Path
) -> None:
    (checkout.root / "small").mkdir()
    (checkout.root / "small/Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    (checkout.root / "push.yml").write_text(PLAY)
    checkout.admin()

    def push(ca: Path | None, **env: str) -> tuple[int, str]:
        registry = {"address": f"{private.address}/bots", **({"ca": str(ca)} if ca else {})}
        checkout.target(registry=registry)
        assert checkout.invoke("target.pin", "--target", "there").code == 0
        done = checkout.invoke("play", "push.yml", "--target", "there", "--plain", **env)
        return done.code, done.out

    good = login(tmp_path / "good", private, "secret")
    code, out = push(None, **good)
    assert code != 0 and "certificate of the registry" in out and "registry.ca" in out, out
    code, out = push(private.ca, DOCKER_CONFIG=str(tmp_path / "nobody"))
    assert code != 0 and "asks for a login, and there is none" in out, out
    code, out = push(private.ca, **login(tmp_path / "bad", private, "guessed"))
    assert code != 0 and "denies" in out and "robot" in out and "guessed" not in out, out
    code, out = push(private.ca, **good)
    assert code == 0 and f"pull {private.address}/bots/botyard/targets-live@sha256:" in out, out
    digest = out.partition("targets-live@")[2].split()[0].rstrip('"')
    code, out = push(private.ca, **good)
    assert code == 0 and "changed=0" in out and digest in out, out
    there = Registry(f"https://{private.address}", Login("robot", Secret("secret")), private.ca)
    found = there.manifest("bots/botyard/targets-live", digest)
    there.close()
    assert found is not None and found.digest == digest
