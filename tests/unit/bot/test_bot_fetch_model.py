"""fetch_model.py against a real web server on this machine."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .files import mounted

fetch_model = mounted("fetch_model")


def packed(**files: bytes) -> bytes:
    """A tar.gz of files by name (a dot for each __)."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name.replace("__", "."))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def model(version: str, weights: int = 100) -> bytes:
    about = json.dumps({"rasa_open_source_version": version}).encode()
    return packed(weights=random.Random(1).randbytes(weights), metadata__json=about)  # noqa: S311


MODEL = model("3.6.21", 100_000)
SHA256 = hashlib.sha256(MODEL).hexdigest()


class Web:
    """What the server does: ``plan`` holds one word a request, the last one for all further requests."""

    def __init__(self) -> None:
        self.plan = ["whole"]
        self.ranges: list[str | None] = []
        self.paths: list[str] = []
        self.content = MODEL
        self.url = ""

    def next(self) -> str:
        return self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]


@pytest.fixture
def web() -> Iterator[Web]:
    state = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.paths.append(self.path)
            state.ranges.append(self.headers.get("Range"))
            step = state.next()
            if step.isdigit():
                self.send_error(int(step))
                return
            data = b"<!doctype html><html></html>" if step == "html" else state.content
            start = 0
            wanted = self.headers.get("Range")
            if wanted and step != "ignores range" and self.headers.get("If-Range") in (None, '"1"'):
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", "text/html" if step == "html" else "application/gzip")
            self.send_header("Content-Length", str(len(data) - start))
            self.send_header("ETag", '"2"' if step == "other version" else '"1"')
            self.end_headers()
            self.wfile.write(data[start : start + 30_000] if step == "cut" else data[start:])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/models/tea-1.tar.gz?raw=true&sig=SECRET"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def models(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    for name, value in {
        "MODEL_URL": web.url,
        "MODEL_DIR": str(folder),
        "MODEL_FILE": "",
        "MODEL_SHA256": SHA256,
        "MODEL_ATTEMPTS": "4",
        "MODEL_BACKOFF_S": "0.01",
        "BOTYARD_TERMINATION_LOG": str(tmp_path / "termination-log"),
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    return folder


def told(models: Path) -> str:
    text = (models.parent / "termination-log").read_text()
    assert "\n" not in text
    return text


def test_named_without_the_query_and_others_removed(models: Path, web: Web) -> None:
    models.mkdir()
    (models / "old.tar.gz").write_bytes(b"old")
    (models / "old.tar.gz.part").write_bytes(b"old")
    (models / "note.txt").write_text("kept")
    assert fetch_model.main() == 0
    assert sorted(p.name for p in models.iterdir()) == ["note.txt", "tea-1.tar.gz"]
    assert (models / "tea-1.tar.gz").read_bytes() == MODEL
    assert web.paths == ["/models/tea-1.tar.gz?raw=true&sig=SECRET"]


def test_another_name(models: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_FILE", "mine.tar.gz")
    assert fetch_model.main() == 0
    assert [p.name for p in models.iterdir()] == ["mine.tar.gz"]
    monkeypatch.setenv("MODEL_FILE", "../mine.tar.gz")
    assert fetch_model.main() == 1
    assert "MODEL_FILE" in told(models)


def test_there_already(models: Path, web: Web) -> None:
    assert fetch_model.main() == 0
    assert fetch_model.main() == 0
    assert len(web.paths) == 1


def test_without_a_checksum_it_is_fetched_anew(models: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_SHA256", "")
    assert fetch_model.main() == 0
    web.content = MODEL + b"more"
    assert fetch_model.main() == 0
    assert (models / "tea-1.tar.gz").read_bytes() == MODEL + b"more"


def test_server_errors_are_tried_again(models: Path, web: Web) -> None:
    web.plan = ["503", "500", "429", "whole"]
    assert fetch_model.main() == 0
    assert len(web.paths) == 4


def test_resumes_a_broken_download(models: Path, web: Web) -> None:
    web.plan = ["cut", "cut", "whole"]
    assert fetch_model.main() == 0
    assert (models / "tea-1.tar.gz").read_bytes() == MODEL
    assert web.ranges == [None, "bytes=30000-", "bytes=60000-"]


@pytest.mark.parametrize("second", ["ignores range", "other version"])
def test_a_server_that_cannot_resume(models: Path, web: Web, second: str) -> None:
    web.plan = ["cut", second]
    assert fetch_model.main() == 0
    assert (models / "tea-1.tar.gz").read_bytes() == MODEL


def test_resumes_what_a_killed_run_left(models: Path, web: Web) -> None:
    models.mkdir()
    (models / "tea-1.tar.gz.part").write_bytes(MODEL[:50_000])
    assert fetch_model.main() == 0
    assert web.ranges == ["bytes=50000-"]
    assert (models / "tea-1.tar.gz").read_bytes() == MODEL


@pytest.mark.parametrize("left", [MODEL, MODEL + b"x", b"\x1f\x8b" + b"other content" * 10])
def test_what_was_left_is_of_no_use(models: Path, web: Web, left: bytes) -> None:
    models.mkdir()
    (models / "tea-1.tar.gz.part").write_bytes(left)
    assert fetch_model.main() == 0
    assert (models / "tea-1.tar.gz").read_bytes() == MODEL


def test_wrong_content_never_gets_the_name(models: Path, web: Web) -> None:
    web.content = MODEL + b"tampered"
    assert fetch_model.main() == 1
    assert not list(models.iterdir())
    assert "after 4 attempts" in told(models) and f"not {SHA256}" in told(models)


def test_a_failure_keeps_the_model_that_is_there(models: Path, web: Web) -> None:
    models.mkdir()
    (models / "old.tar.gz").write_bytes(b"old")
    web.plan = ["404"]
    assert fetch_model.main() == 1
    assert (models / "old.tar.gz").exists()


def test_not_found_is_final(models: Path, web: Web, capfd: pytest.CaptureFixture[str]) -> None:
    web.plan = ["404"]
    assert fetch_model.main() == 1
    assert len(web.paths) == 1
    assert "HTTP 404" in told(models) and "/models/tea-1.tar.gz" in told(models)
    printed = capfd.readouterr()
    assert "SECRET" not in printed.out + printed.err + told(models)


def test_a_web_page_is_no_model(models: Path, web: Web) -> None:
    web.plan = ["html"]
    assert fetch_model.main() == 1
    assert "text/html" in told(models) and "?raw=true" in told(models)
    assert len(web.paths) == 1


@pytest.fixture
def rasa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Rasa beside the fetcher that takes models of 3.6.21 and newer; importing it would fail."""
    package = tmp_path / "site" / "rasa"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('this takes seconds')\n")
    (package / "constants.py").write_text('A = "1.0"\nMINIMUM_COMPATIBLE_VERSION = "3.6.21"\n')
    monkeypatch.syspath_prepend(str(package.parent))
    return package


@pytest.mark.parametrize(("version", "taken"), [("3.5.17", False), ("3.6.9", False), ("3.6.21", True), ("3.7.0", True)])
def test_a_model_of_an_older_rasa_is_refused(
    models: Path, web: Web, rasa: Path, monkeypatch: pytest.MonkeyPatch, version: str, taken: bool
) -> None:
    web.content = model(version)
    monkeypatch.setenv("MODEL_SHA256", hashlib.sha256(web.content).hexdigest())
    assert (fetch_model.main() == 0) == taken
    if not taken:
        assert f"made by Rasa {version}" in told(models) and "3.6.21" in told(models)
        assert not (models / "tea-1.tar.gz").exists()
        assert len(web.paths) == 1, "the same bytes would come again"


@pytest.mark.parametrize("constants", [None, "", "MINIMUM_COMPATIBLE_VERSION = oldest()\n"])
def test_a_rasa_that_does_not_say_what_it_takes_gets_every_model(
    models: Path, web: Web, rasa: Path, monkeypatch: pytest.MonkeyPatch, constants: str | None
) -> None:
    (rasa / "constants.py").unlink()
    if constants is not None:
        (rasa / "constants.py").write_text(constants)
    web.content = model("1.0.0")
    monkeypatch.setenv("MODEL_SHA256", "")
    assert fetch_model.main() == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (packed(fingerprint__json=b"{}"), "no model of Rasa 3: the archive holds no metadata.json"),  # Rasa 2
        (packed(metadata__json=b"no JSON"), "damaged archive"),
        (MODEL[:60_000], "damaged archive"),
        (b"\x1f\x8b" + bytes(1000), "damaged archive"),
    ],
)
def test_an_archive_that_is_no_model_is_refused(
    models: Path, web: Web, monkeypatch: pytest.MonkeyPatch, content: bytes, why: str
) -> None:
    web.content = content
    monkeypatch.setenv("MODEL_SHA256", hashlib.sha256(content).hexdigest())
    assert fetch_model.main() == 1
    assert why in told(models)
    assert len(web.paths) == 1


def test_nobody_listens(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_URL", "http://127.0.0.1:9/m.tar.gz")
    monkeypatch.setenv("MODEL_ATTEMPTS", "2")
    assert fetch_model.main() == 1
    assert "after 2 attempts" in told(models)


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "http://127.0.0.1/", "ftp://a/b.tar.gz", "http://h/a/%2e%2e"]
)
def test_bad_urls(models: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("MODEL_URL", url)
    assert fetch_model.main() == 1
    assert "MODEL_URL" in told(models)


def test_sigterm_ends_it_at_once_also_as_process_one(web: Web, tmp_path: Path) -> None:
    """143 tells its own handler: without one, process 1 of a container would go on until it is killed."""
    web.plan = ["503"]
    env = {**os.environ, "MODEL_URL": f"{web.url}/m.tar.gz", "MODEL_DIR": str(tmp_path), "MODEL_BACKOFF_S": "30"}
    with subprocess.Popen([sys.executable, str(fetch_model.__file__)], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as fetching:  # fmt: skip
        assert fetching.stdout is not None
        fetching.stdout.readline()
        fetching.terminate()
        assert fetching.wait(timeout=10) == 143
