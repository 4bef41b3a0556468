"""A cluster that says nothing, a login that has expired or cannot be had: told soon, with a cure, by every task."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import poison
import pytest
import yaml
from invoke.exceptions import Exit

from botyard.commands import deploy, main, released, session, target
from botyard.release import identity
from botyard.tools import kube_http

# Every task that asks a cluster that exists, as a user may type it first.
TASKS: dict[str, Callable[[], object]] = {
    "status": lambda: released.status.body(None, target="there"),
    "drift": lambda: released.drift.body(None, target="there"),
    "talk": lambda: main.talk.body(None, "hello", target="there"),
    "deploy": lambda: deploy.deploy.body(None, [], [], target="there", yes=True, plain=True),
    "rollback": lambda: deploy.rollback.body(None, target="there", yes=True, plain=True),
    "rollback --list": lambda: deploy.rollback.body(None, target="there", list=True),
    "target.check": lambda: target.check.body(None, target="there"),
    "target.pin": lambda: target.pin.body(None, target="there"),
}
LONGEST_S = 15
EXPIRED = r"refuses: Unauthorized(.|\n)*cure: the token .* has expired .*: log in again"


class Way:
    """A kubeconfig and the target that leads by it."""

    def __init__(self, folder: Path, ca: Path) -> None:
        self.folder, self.ca = folder, ca
        (folder / "values").mkdir()
        text = f"targets: {{there: {{driver: existing, context: there, kubeconfig: {folder / 'config'}}}}}\n"
        (folder / "values/targets.yml").write_text(text)

    def leads(self, port: int, user: dict[str, Any]) -> None:
        ca = base64.b64encode(self.ca.read_bytes()).decode()
        cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": ca}
        config = {
            "contexts": [{"name": "there", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": user}],
        }
        (self.folder / "config").write_text(yaml.safe_dump(config))


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[poison.Cluster]:
    """A cluster that knows nobody."""
    said = {"kind": "Status", "status": "Failure", "message": "Unauthorized", "code": 401}
    with poison.cluster(tmp_path_factory.mktemp("expired"), lambda _path: (401, said)) as there:
        yield there


@pytest.fixture
def way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expired: poison.Cluster) -> Way:
    for module in (session, target, main):
        monkeypatch.setattr(module, "root_folder", lambda: tmp_path)
    monkeypatch.setattr(deploy, "play", session.play)
    (tmp_path / "playbooks").symlink_to(poison.ROOT / "playbooks")
    (tmp_path / "bots").symlink_to(poison.ROOT / "bots")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return Way(tmp_path, expired.ca)


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where somebody listens and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(32)
        yield listening.getsockname()[1]


@pytest.mark.parametrize("name", TASKS)
def test_a_cluster_that_says_nothing_is_told_soon(
    name: str, way: Way, silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 2 * identity._QUICK_S < LONGEST_S - 5, "a start and a check of the playbooks come on top"
    monkeypatch.setattr(identity, "_QUICK_S", 0.2)
    way.leads(silent, {"token": "t"})
    began = time.monotonic()
    told = rf"of context there does not answer(.|\n)*is https://127.0.0.1:{silent} right"
    with pytest.raises(Exit, match=told) as caught:
        TASKS[name]()
    assert caught.value.code == 1 and time.monotonic() - began < LONGEST_S - 2 * 3


def test_the_library_does_not_wait_longer(way: Way, silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked where a kubeconfig says more than a token."""
    monkeypatch.setattr(kube_http, "server", lambda *_: None)
    monkeypatch.setattr(identity, "_QUICK_S", 0.5)
    way.leads(silent, {"token": "t"})
    began = time.monotonic()
    with pytest.raises(Exit, match="does not answer"):
        TASKS["status"]()
    assert time.monotonic() - began < 4 * 0.5 + 1, "asked twice, not four times; importing the library is the rest"


@pytest.mark.parametrize("name", TASKS)
def test_a_token_that_has_expired_is_told_with_its_cure(name: str, way: Way, expired: poison.Cluster) -> None:
    way.leads(expired.port, {"token": "of-yesterday"})
    for _ in range(2):  # the second time nothing is in the way of the first
        with pytest.raises(Exit, match=EXPIRED) as caught:
            TASKS[name]()
        assert caught.value.code == 1 and "of-yesterday" not in str(caught.value.message)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("#!/bin/sh\necho 'AADSTS700082: The refresh token has expired' >&2\nexit 1\n", "AADSTS700082"),
        ("", "No such file or directory"),
        ("#!/bin/sh\necho no json\n", "nobody is logged in"),
    ],
)
@pytest.mark.parametrize("name", ["status", "deploy", "target.check"])
def test_a_program_that_fails_to_log_in_is_told_and_nobody_asks_as_nobody(
    name: str, script: str, told: str, way: Way, expired: poison.Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    program = way.folder / "kubelogin"
    if script:
        program.write_text(script)
        program.chmod(0o755)
    version = "client.authentication.k8s.io/v1beta1"
    way.leads(expired.port, {"exec": {"apiVersion": version, "command": str(program), "interactiveMode": "Never"}})
    before = json.dumps(expired.asked)
    with pytest.raises(Exit, match=r"nobody is logged in for context there: (.|\n)*cure: log in again") as caught:
        TASKS[name]()
    assert told in str(caught.value.message) and caught.value.code == 2
    assert json.dumps(expired.asked) == before and not caplog.records


def test_a_kubeconfig_is_read_and_never_written(way: Way, expired: poison.Cluster) -> None:
    way.leads(expired.port, {"token": "t"})
    before = (way.folder / "config").stat().st_mtime_ns
    with pytest.raises(Exit):
        TASKS["status"]()
    assert (way.folder / "config").stat().st_mtime_ns == before
