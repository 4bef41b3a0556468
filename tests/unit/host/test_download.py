"""Downloads against a real server on 127.0.0.1 that breaks off, lies and counts."""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from botyard.contracts import BotyardError, Paths
from botyard.host import fetched, lockfile, toolbox
from botyard.targets import Sources, Target
from botyard.tools import download

BODY = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(100_000))  # 3.2 MB
CHUNK = 1 << 16
SHA256 = hashlib.sha256(BODY).hexdigest()


@dataclass
class Site:
    """What the server has, and what it was asked for.

    Args:
        break_after: bytes after which an answer breaks off, one for each coming request.
    """

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    break_after: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            one.asked.append((self.path, wanted))
            if one.statuses:
                self.send_error(one.statuses.pop(0))
                return
            if self.path not in one.files:
                self.send_error(404)
                return
            body, start = one.files[self.path], 0
            if wanted and one.ranges:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(body):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(body)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            body = body[start:]
            if one.break_after:
                body = body[: one.break_after.pop(0)]
                self.close_connection = True
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one = Site(f"http://127.0.0.1:{server.server_port}", {"/f": BODY})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield one
    server.shutdown()
    thread.join()
    server.server_close()


def get(site: Site, dest: Path, sha256: str = SHA256, attempts: int = 5) -> None:
    download.download(
        f"{site.url}/f", dest, sha256, progress=lambda line: None, attempts=attempts, sleep=lambda seconds: None
    )


def test_a_file_comes_whole(site: Site, tmp_path: Path) -> None:
    get(site, tmp_path / "sub" / "f")
    assert (tmp_path / "sub" / "f").read_bytes() == BODY
    assert [file.name for file in (tmp_path / "sub").iterdir()] == ["f"]


def test_it_goes_on_where_the_connection_broke(site: Site, tmp_path: Path) -> None:
    site.break_after = [30 * CHUNK + 5, 7 * CHUNK]
    get(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == BODY
    assert [wanted for _, wanted in site.asked] == [
        "",
        f"bytes={30 * CHUNK}-",
        f"bytes={37 * CHUNK}-",
    ]


def test_a_later_run_goes_on_where_a_killed_one_stopped(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(BODY[:1_000_000])
    get(site, tmp_path / "f")
    assert site.asked == [("/f", "bytes=1000000-")]
    assert (tmp_path / "f").read_bytes() == BODY


def test_a_server_without_ranges_sends_it_all_again(site: Site, tmp_path: Path) -> None:
    site.ranges = False
    (tmp_path / "f.part").write_bytes(BODY[:1_000_000])
    get(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == BODY


def test_a_part_that_is_already_whole_is_taken(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(BODY)
    get(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == BODY


def test_a_part_that_is_too_long_is_thrown_away(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(BODY + b"x")
    get(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == BODY


def test_a_wrong_checksum_is_refused_and_nothing_kept(site: Site, tmp_path: Path) -> None:
    with pytest.raises(BotyardError, match=f"has sha256 {SHA256} instead of {'0' * 64}"):
        get(site, tmp_path / "f", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_part_is_found_by_the_checksum(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(b"x" * 1000)
    with pytest.raises(BotyardError, match="instead of"):
        get(site, tmp_path / "f")
    get(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == BODY


def test_no_is_taken_as_an_answer_but_a_busy_server_is_asked_again(site: Site, tmp_path: Path) -> None:
    site.statuses = [503, 429]
    get(site, tmp_path / "f")
    site.asked.clear()
    site.statuses = [404]
    with pytest.raises(BotyardError, match="HTTP 404") as raised:
        get(site, tmp_path / "g")
    assert len(site.asked) == 1
    assert "sources.mode" in raised.value.cure


def test_it_gives_up_after_all_attempts_and_keeps_the_part(site: Site, tmp_path: Path) -> None:
    site.break_after = [CHUNK, CHUNK]
    with pytest.raises(BotyardError, match="cannot fetch"):
        get(site, tmp_path / "f", attempts=2)
    assert (tmp_path / "f.part").stat().st_size == 2 * CHUNK
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("text", [SHA256, f"{SHA256}  kind-linux-amd64\n", f"{SHA256.upper()} *x"])
def test_published_checksums_in_either_form(site: Site, text: str) -> None:
    site.files["/f.sha256"] = text.encode()
    assert download.fetch_checksum(f"{site.url}/f.sha256") == SHA256


def test_a_login_page_is_no_checksum(site: Site) -> None:
    site.files["/f.sha256"] = b"<html>log in</html>"
    with pytest.raises(BotyardError, match="holds no sha256"):
        download.fetch_checksum(f"{site.url}/f.sha256")


LOCK = """
built: {}
downloads:
  kind:
    version: v1
    url: https://up.example/dl/{version}/kind-{os}-{arch}
    checksum_suffix: .sha256sum
    sha256: {%s: %s}
  kubectl:
    version: v1
    url: https://up.example/kubectl
    checksum_suffix: .sha256
    sha256: {other-cpu: null}
  helm:
    version: v2
    url: https://get.example/helm-{version}-{os}-{arch}.tar.gz
    checksum_suffix: .sha256sum
    member: "{os}-{arch}/helm"
    sha256: {%s: null}
"""
HERE = lockfile.this_platform()
KIND = f"/m/up.example/dl/v1/kind-{HERE}"
HELM = f"/m/get.example/helm-v2-{HERE}.tar.gz"


@pytest.fixture
def mirror(site: Site, tmp_path: Path) -> tuple[Paths, Target]:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / lockfile.LOCK).write_text(LOCK % (HERE, SHA256, HERE))
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as tar:
        info = tarfile.TarInfo(f"{HERE}/helm")
        info.size = len(BODY)
        tar.addfile(info, io.BytesIO(BODY))
    site.files = {KIND: BODY, HELM: sink.getvalue()}
    site.files[f"{HELM}.sha256sum"] = f"{hashlib.sha256(sink.getvalue()).hexdigest()}  helm.tar.gz".encode()
    paths = Paths(tmp_path / "root", tmp_path / "state", tmp_path / "cache")
    return paths, Target(name="kind", sources=Sources(mode="registries", download_base=f"{site.url}/m/"))


def test_tools_come_from_the_mirror_once(site: Site, mirror: tuple[Paths, Target], told: list[str]) -> None:
    paths, target = mirror
    made = toolbox.ensure(paths, target, ["kind", "helm"], told.append)
    assert [one.changed for one in made] == [True, True]
    for name in ("kind", "helm"):
        path = toolbox.tool(paths, name)
        assert path.read_bytes() == BODY
        assert path.stat().st_mode & 0o777 == 0o755
    asked = len(site.asked)
    again = toolbox.ensure(paths, target, ["kind", "helm"], told.append)
    assert [one.changed for one in again] == [False, False]
    assert len(site.asked) == asked
    seen = json.loads((paths.cache / "tools" / "seen.json").read_text())
    assert list(seen) == [f"https://get.example/helm-v2-{HERE}.tar.gz"]
    assert not list(paths.cache.rglob("*.part")) + list(paths.cache.rglob("tmp-*"))


def test_a_released_file_that_changes_is_refused(site: Site, mirror: tuple[Paths, Target], told: list[str]) -> None:
    paths, target = mirror
    path, _ = fetched.fetch(paths, target, "helm", told.append)
    path.unlink()
    site.files[f"{HELM}.sha256sum"] = b"f" * 64
    with pytest.raises(BotyardError, match=r"was .* and now is ffff"):
        fetched.fetch(paths, target, "helm", told.append)


def test_the_lock_decides_and_not_what_the_mirror_publishes(
    site: Site, mirror: tuple[Paths, Target], told: list[str]
) -> None:
    paths, target = mirror
    site.files[KIND] = b"evil"
    site.files[f"{KIND}.sha256sum"] = hashlib.sha256(b"evil").hexdigest().encode()
    with pytest.raises(BotyardError, match="instead of"):
        toolbox.ensure(paths, target, ["kind"], told.append)
    with pytest.raises(BotyardError, match="not there yet"):
        toolbox.tool(paths, "kind")


def test_no_file_for_this_processor_is_bad_input(mirror: tuple[Paths, Target]) -> None:
    with pytest.raises(BotyardError, match=f"no kubectl v1 for {HERE}") as raised:
        toolbox.ensure(*mirror, ["kubernetes"], print)
    assert raised.value.exit_code == 2


def test_check_mode_asks_nobody(site: Site, mirror: tuple[Paths, Target]) -> None:
    paths, target = mirror
    assert [one.changed for one in toolbox.ensure(paths, target, ["kind", "helm"], print, check=True)] == [True, True]
    assert site.asked == []
    assert not paths.cache.exists()
    assert not paths.state.exists()


def _fetch_kind(paths: Paths, target: Target, results: multiprocessing.Queue[bool]) -> None:
    results.put(fetched.fetch(paths, target, "kind", lambda line: None)[1])


def test_two_runs_at_once_fetch_it_once(site: Site, mirror: tuple[Paths, Target]) -> None:
    paths, target = mirror
    many = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[bool] = many.Queue()
    runs = [many.Process(target=_fetch_kind, args=(paths, target, results)) for _ in range(2)]
    for one in runs:
        one.start()
    changed = sorted(results.get(timeout=20) for _ in runs)
    for one in runs:
        one.join()
    assert changed == [False, True]
    assert [path for path, _ in site.asked] == [KIND]
