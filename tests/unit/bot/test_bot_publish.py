from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from botyard.contracts import BadInput, BotyardError
from botyard.host import publish as module
from botyard.host.publish import publish
from botyard.process import Completed
from botyard.targets import Target
from botyard.tools import docker

TARGET = Target(name="kind", cluster="yard")


class Depot:
    """The depot container and its web server; any other command fails."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.status = "running"
        self.http_status = 200
        self.damaged = False
        self.wrote = 0

    def container(self, name: str) -> Any:
        assert name == "yard-depot"
        return SimpleNamespace(name=name, status=self.status) if self.status else None

    def exec_in(self, name: str, argv: list[str], *, check: bool = True, **_: Any) -> Completed:
        assert name == "yard-depot"
        out, code = "", 0
        if argv[0] == "sha256sum":
            data = self.files.get(argv[1])
            code = 1 if data is None else 0
            out = "" if data is None else f"{hashlib.sha256(data).hexdigest()}  {argv[1]}\n"
        elif argv[0] == "mv":
            self.files[argv[3]] = self.files.pop(argv[2])
        else:
            assert argv[:2] == ["mkdir", "-p"]
        assert not (check and code)
        return Completed(argv, code, out, "", 0.0)

    def put_path(self, _container: Any, folder: str, name: str, path: Path) -> None:
        self.wrote += 1
        self.files[f"{folder}/{name}"] = path.read_bytes()[: 2 if self.damaged else None]

    def head(self, _session: Any, url: str, **_: Any) -> Any:
        data = self.files.get("/srv/depot/" + url.split("/", 3)[3], b"")
        return SimpleNamespace(status_code=self.http_status, headers={"Content-Length": str(len(data))})


@pytest.fixture
def depot(monkeypatch: pytest.MonkeyPatch) -> Depot:
    made = Depot()
    for name in ("container", "exec_in", "put_path"):
        monkeypatch.setattr(docker, name, getattr(made, name))
    monkeypatch.setattr(docker, "engine_answers", lambda: True)
    monkeypatch.setattr(requests.Session, "head", lambda session, url, **more: made.head(session, url, **more))
    return made


@pytest.fixture
def src(tmp_path: Path) -> Path:
    file = tmp_path / "m.tar.gz"
    file.write_bytes(b"model")
    return file


def test_published_once(depot: Depot, src: Path) -> None:
    done = publish(src, "models/m.tar.gz", TARGET)
    assert done.changed and done.url == "http://127.0.0.1:5002/models/m.tar.gz"
    assert done.cluster_url == "http://yard-depot/models/m.tar.gz"
    assert depot.files == {"/srv/depot/models/m.tar.gz": b"model"}
    assert not publish(src, "models/m.tar.gz", TARGET).changed
    assert depot.wrote == 1


def test_other_content_replaces_it(depot: Depot, src: Path) -> None:
    depot.files["/srv/depot/a"] = b"old"
    assert publish(src, "a", TARGET).changed
    assert depot.files["/srv/depot/a"] == b"model"


def test_check_writes_nothing(depot: Depot, src: Path, tmp_path: Path) -> None:
    assert publish(src, "a", TARGET, check=True).changed
    assert publish(tmp_path / "not-made-yet", "a", TARGET, check=True).changed
    depot.status = ""
    assert publish(src, "a", TARGET, check=True).changed
    assert not depot.files


@pytest.mark.parametrize("dest", ["", "/a", "../a", "a/../b", "a//b", "a b", ".hidden", "a/"])
def test_bad_destination(depot: Depot, src: Path, dest: str) -> None:
    with pytest.raises(BadInput):
        publish(src, dest, TARGET)


def test_missing_file(depot: Depot, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no file"):
        publish(tmp_path / "nothing", "a", TARGET)


@pytest.mark.parametrize("status", ["", "exited"])
def test_no_depot(depot: Depot, src: Path, status: str) -> None:
    depot.status = status
    with pytest.raises(BotyardError, match="does not run"):
        publish(src, "a", TARGET)


def test_damaged_on_the_way(depot: Depot, src: Path) -> None:
    depot.damaged = True
    depot.files["/srv/depot/a"] = b"old"
    with pytest.raises(BotyardError, match="other content"):
        publish(src, "a", TARGET)
    assert depot.files["/srv/depot/a"] == b"old"


def test_not_served(depot: Depot, src: Path) -> None:
    depot.http_status = 404
    with pytest.raises(BotyardError, match="answers 404"):
        publish(src, "a", TARGET)


def test_nobody_listens(depot: Depot, src: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise requests.ConnectionError("refused")

    monkeypatch.setattr(requests.Session, "head", refuse)
    with pytest.raises(BotyardError, match="does not answer"):
        publish(src, "a", TARGET)
    assert module.SERVED == "/srv/depot"
