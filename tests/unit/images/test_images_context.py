"""What decides an image's key, and what Docker is given."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from botyard.contracts import BadInput
from botyard.host import image_context
from botyard.host.image_context import Added, ImageSpec


def key(spec: ImageSpec, base: str = "sha256:b", platform: str = "linux/amd64") -> str:
    return image_context.content_key(spec, base, platform)


def test_the_key_stays_when_only_times_umask_and_compiled_files_differ(spec: ImageSpec) -> None:
    before = key(spec)
    os.utime(spec.context / "lock", (1, 1))
    (spec.context / "lock").chmod(0o600)
    (spec.context / "__pycache__").mkdir()
    (spec.context / "__pycache__" / "x.pyc").write_bytes(b"1")
    assert key(spec) == before


def test_the_key_stays_when_the_base_only_has_another_name(spec: ImageSpec) -> None:
    assert key(dataclasses.replace(spec, build_args={"BASE": "mirror/debian:x", "EXTRA": "one"})) == key(spec)


@pytest.mark.parametrize("what", ["content", "name", "mode", "args", "base", "platform", "added", "dockerfile"])
def test_the_key_changes_with_every_input(spec: ImageSpec, tmp_path: Path, what: str) -> None:
    before = key(spec)
    if what == "content":
        (spec.context / "lock").write_text("a==2\n")
    elif what == "name":
        (spec.context / "lock").rename(spec.context / "lock2")
    elif what == "mode":
        (spec.context / "lock").chmod(0o755)
    elif what == "args":
        spec = dataclasses.replace(spec, build_args={**spec.build_args, "EXTRA": "two"})
    elif what == "added":
        (tmp_path / "w").write_text("x")
        spec = dataclasses.replace(spec, add=[Added(tmp_path / "w", "w")])
    elif what == "dockerfile":
        (spec.context / "Dockerfile").write_text("FROM scratch\n")
    base = "sha256:c" if what == "base" else "sha256:b"
    assert key(spec, base, "linux/arm64" if what == "platform" else "linux/amd64") != before


def test_a_large_added_file_is_known_by_what_it_was_made_from(spec: ImageSpec, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("one")
    first, other = (dataclasses.replace(spec, add=[Added(program, "bin/p", identity=i)]) for i in ("v1", "v2"))
    before = key(first)
    program.write_text("two")  # not read
    assert key(first) == before != key(other)


def test_added_folders_lie_below_their_dest_and_missing_optional_ones_are_left_out(
    spec: ImageSpec, tmp_path: Path
) -> None:
    (tmp_path / "actions" / "deep").mkdir(parents=True)
    (tmp_path / "actions" / "deep" / "a.py").write_text("A = 1\n")
    added = [Added(tmp_path / "actions", "actions"), Added(tmp_path / "none", "wheels", optional=True)]
    found = image_context.files(dataclasses.replace(spec, add=added))
    assert list(found) == ["Dockerfile", "actions/deep/a.py", "lock"]


@pytest.mark.parametrize(
    ("added", "says"),
    [(Added(Path("/nonexistent/x"), "x"), "is missing"), (Added(Path(__file__), "lock"), "two files for lock")],
)
def test_bad_adds_are_refused(spec: ImageSpec, added: Added, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        image_context.files(dataclasses.replace(spec, add=[added]))


def test_a_context_without_dockerfile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no Dockerfile"):
        image_context.files(ImageSpec("shop", tmp_path))


def test_the_assembled_context_has_plain_modes_and_no_leftovers(spec: ImageSpec, tmp_path: Path) -> None:
    (spec.context / "run.sh").write_text("#!/bin/sh\n")
    (spec.context / "run.sh").chmod(0o700)
    into = tmp_path / "build"
    into.mkdir()
    (into / "leftover").write_text("of a killed run")
    ca = tmp_path / "ca.pem"
    ca.write_text("CA")
    image_context.assemble(spec, into, ca)
    assert {f.name: oct(f.stat().st_mode & 0o777) for f in into.iterdir()} == {
        "Dockerfile": "0o644",
        "lock": "0o644",
        "run.sh": "0o755",
        "ca-certificates.crt": "0o644",
    }


def test_a_dockerfile_that_does_not_ask_gets_no_certificates(spec: ImageSpec, tmp_path: Path) -> None:
    (spec.context / "Dockerfile").write_text("FROM scratch\nRUN apt-get install ca-certificates\n")
    image_context.assemble(spec, tmp_path / "build", Path(__file__))
    assert not (tmp_path / "build" / "ca-certificates.crt").exists()


def test_the_bundle_comes_from_the_most_specific_variable_or_from_local_authorities(tmp_path: Path) -> None:
    pip, tls = tmp_path / "pip.pem", tmp_path / "tls.pem"
    pip.write_text("1")
    tls.write_text("2")
    nothing = tmp_path / "local"
    nothing.mkdir()
    both = {"PIP_CERT": str(pip), "SSL_CERT_FILE": str(tls)}
    assert image_context.extra_ca(both, nothing) == pip
    assert image_context.extra_ca({**both, "PIP_CERT": "/nonexistent"}, nothing) == tls
    assert image_context.extra_ca({}, nothing) is None


def test_only_set_variables_are_passed_on_and_the_index_only_where_asked_for(spec: ImageSpec) -> None:
    environment = {"HTTPS_PROXY": "http://p", "NO_PROXY": "", "PIP_INDEX_URL": "http://i", "PIP_EXTRA_INDEX_URL": "x"}
    assert image_context.passed_on(spec, environment) == ["HTTPS_PROXY", "PIP_INDEX_URL"]
