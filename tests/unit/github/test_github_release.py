"""A release on GitHub: a draft until all files are there, and never changed once it is out."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from botyard.commands import github


class GitHub:
    """Releases as GitHub keeps them, and what was asked."""

    def __init__(self) -> None:
        self.releases: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.refuses = ""  # uploads of this name, once
        self.url = ""

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        _, _, rest = path.partition("/repos/ada/shop/releases")
        if method == "GET":
            return 200, self.releases
        if method == "POST" and path.endswith("/releases"):
            made = {**json.loads(body), "id": 1, "assets": [], "html_url": "https://github.example/v1"}
            self.releases.append({**made, "upload_url": f"{self.url}/up/1/assets{{?name,label}}"})
            return 201, self.releases[-1]
        release = self.releases[-1]
        if path == "/up/1/assets":
            name = query["name"][0]
            if name == self.refuses:
                self.refuses = ""
                return 500, {}
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            release["assets"].append({"id": len(release["assets"]) + 7, "name": name, "digest": digest})
            return 201, {}
        if method == "DELETE":
            release["assets"] = [one for one in release["assets"] if one["id"] != int(rest.rpartition("/")[2])]
            return 204, {}
        release.update(json.loads(body))
        return 200, release


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    held = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            asked = urlsplit(self.path)
            held.asked.append(f"{self.command} {asked.path}")
            assert self.headers["Authorization"] == "Bearer s3cret"
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = held.answer(self.command, asked.path, parse_qs(asked.query), body)
            data = b"" if status == 204 else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = do

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    held.url = f"http://127.0.0.1:{server.server_port}"
    for name, value in {
        "GITHUB_API_URL": held.url, "GITHUB_TOKEN": "s3cret", "GITHUB_REPOSITORY": "ada/shop",
        "GITHUB_REF_NAME": "v1", "GITHUB_REF_TYPE": "tag", "NO_PROXY": "127.0.0.1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    yield held
    server.shutdown()
    server.server_close()


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    for name in ("SHA256SUMS", "rasa-1.0.0.tgz"):
        (tmp_path / name).write_text(name)
    return tmp_path


def names(there: GitHub) -> list[str]:
    return [one["name"] for one in there.releases[-1]["assets"]]


def test_a_release_is_out_when_all_files_are_there(
    there: GitHub, dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    github.release(Context(), str(dist))
    assert names(there) == ["SHA256SUMS", "rasa-1.0.0.tgz"] and there.releases[-1]["draft"] is False
    assert there.asked[-1] == "PATCH /repos/ada/shop/releases/1"
    assert "released v1 with 2 files: https://github.example/v1" in capsys.readouterr().out
    there.asked.clear()
    github.release(Context(), str(dist))
    assert "is out already" in capsys.readouterr().out and there.asked == ["GET /repos/ada/shop/releases"]


def test_a_run_that_was_broken_off_is_taken_up_again(there: GitHub, dist: Path) -> None:
    there.refuses = "rasa-1.0.0.tgz"
    with pytest.raises(Exit) as caught:
        github.release(Context(), str(dist))
    assert caught.value.code == 1 and there.releases[-1]["draft"] is True
    github.release(Context(), str(dist))
    assert len(there.releases) == 1 and names(there) == ["SHA256SUMS", "rasa-1.0.0.tgz"]


def test_a_release_that_is_out_is_never_changed(there: GitHub, dist: Path) -> None:
    github.release(Context(), str(dist))
    before = json.dumps(there.releases)
    (dist / "rasa-1.0.0.tgz").write_text("other")
    with pytest.raises(Exit, match="is out with other files") as caught:
        github.release(Context(), str(dist))
    assert caught.value.code == 2 and json.dumps(there.releases) == before


@pytest.mark.parametrize(("name", "told"), [("GITHUB_TOKEN", "GITHUB_TOKEN: not set"), ("GITHUB_REF_TYPE", "no tag")])
def test_elsewhere_than_in_the_workflow_of_a_tag_it_refuses(
    there: GitHub, dist: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    monkeypatch.setenv(name, "" if name == "GITHUB_TOKEN" else "branch")
    with pytest.raises(Exit, match=told) as caught:
        github.release(Context(), str(dist))
    assert caught.value.code == 2 and not there.asked
