"""sources.mirror and sources.download_base: what is taken, who can reach it, how it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from botyard.contracts import BadInput, BotyardError, CommandError
from botyard.host import lockfile, mirror, sources, upstream
from botyard.targets import Sources, Target, load_target
from botyard.tools import docker

ROOT = Path(__file__).parents[3]
DEBIAN = lockfile.read(ROOT).images["debian:bookworm-slim"]


@pytest.mark.parametrize("address", ["localhost", "localhost:5000/hub", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000"])
def test_a_mirror_on_this_machine_is_asked_over_http_and_not_by_nodes(address: str) -> None:
    assert mirror.is_this_machine(address)
    assert mirror.base_url(address) == f"http://{address.partition('/')[0]}"
    assert mirror.for_nodes(address) == ""
    assert address in mirror.warning(address) and "nodes cannot reach it" in mirror.warning(address)


@pytest.mark.parametrize("address", ["mirror.example:5000/hub", "10.0.0.7:5000", "localhost.example"])
def test_any_other_mirror_is_asked_over_https_and_by_nodes_too(address: str) -> None:
    assert mirror.base_url(address) == f"https://{address.partition('/')[0]}"
    assert mirror.for_nodes(address) == address
    assert mirror.warning(address) == ""


def test_no_mirror_no_warning() -> None:
    assert mirror.for_nodes("") == mirror.warning("") == ""


def test_auto_probes_a_mirror_on_this_machine_over_http() -> None:
    target = Target(name="x", sources=Sources(mirror="127.0.0.1:5010/hub", download_base="http://127.0.0.1:8000"))
    assert sources.probes(target) == ["http://127.0.0.1:5010/v2/", "http://127.0.0.1:8000"]
    assert sources.probes(Target(name="x")) == ["https://registry-1.docker.io/v2/", "https://github.com/"]


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("mirror", "https://mirror.example", "is not host[:port][/prefix]"),
        ("mirror", "hub/docker", "is not host[:port][/prefix]"),
        ("mirror", "mirror.example:port", "is not host[:port][/prefix]"),
        ("download_base", "mirror.example/files", "is no URL"),
    ],
)
def test_an_address_that_cannot_work_is_bad_input(tmp_path: Path, key: str, value: str, says: str) -> None:
    (tmp_path / "values").mkdir()
    (tmp_path / "values/targets.yml").write_text(f"targets: {{x: {{sources: {{{key}: '{value}'}}}}}}")
    with pytest.raises(BadInput) as raised:
        load_target(tmp_path, "x")
    assert f"targets.x.sources.{key}: '{value}' {says}" in raised.value.message


def test_a_slash_at_the_end_of_a_mirror_does_no_harm() -> None:
    assert Target(name="x", sources=Sources(mirror="mirror.example/hub/")).sources.mirror == "mirror.example/hub"


@pytest.mark.parametrize(
    ("why", "cure"),
    [
        ("manifest for debian@sha256:1 not found: manifest unknown", "does not have what tools.lock.yaml pins"),
        ("dial tcp 127.0.0.1:5010: connect: connection refused", "check the registry or sources.mirror"),
    ],
)
def test_a_failed_pull_names_the_digest_and_what_to_do(monkeypatch: pytest.MonkeyPatch, why: str, cure: str) -> None:
    def cli(*argv: str, **_: object) -> None:
        assert argv == ("pull", "--quiet", f"127.0.0.1:5010/library/debian@{DEBIAN.digest}")
        raise CommandError(["docker", *argv], 1, "", f"Error response from daemon: {why}\n")

    monkeypatch.setattr(docker, "cli", cli)
    with pytest.raises(BotyardError) as raised:
        upstream.pull(DEBIAN, "127.0.0.1:5010", lambda _line: None)
    assert DEBIAN.digest in raised.value.message and why in raised.value.message
    assert cure in raised.value.cure
