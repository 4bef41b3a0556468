"""What release.yml puts beside the charts: the package, the same of each commit, and what all of it is made of."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from invoke.context import Context
from invoke.exceptions import Exit

from botyard.commands import publish
from botyard.process import run
from botyard.release import python_package, sbom

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True, scope="module")
def moment() -> Iterator[int]:
    """What all that is made bears, git or not."""
    with pytest.MonkeyPatch.context() as env:
        env.setenv("SOURCE_DATE_EPOCH", "1764000000")
        yield 1764000000


@pytest.fixture(scope="module")
def built(moment: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    dest = tmp_path_factory.mktemp("dist")
    python_package.build(ROOT, dest)
    return dest


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("no git checkout: what belongs to it is not known")
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_the_source_archive_is_the_whole_checkout(built: Path, tracked: list[str]) -> None:
    [archive] = built.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        inside = {member.name.partition("/")[2] for member in packed if member.isreg()}
    assert set(tracked) <= inside
    strange = {name for name in inside - set(tracked) if "egg-info" not in name}
    assert strange == {"PKG-INFO", "setup.cfg"}  # those that setuptools writes


def test_the_same_commit_gives_the_same_files(built: Path, tracked: list[str], tmp_path: Path, moment: int) -> None:
    for name in tracked:
        copy = tmp_path / "elsewhere" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy)
        copy.chmod(0o755 if os.access(ROOT / name, os.X_OK) else 0o644)
        os.utime(copy, (moment + 3600, moment + 3600))
    python_package.build(tmp_path / "elsewhere", tmp_path / "again")
    assert (tmp_path / "again/SHA256SUMS").read_text() == (built / "SHA256SUMS").read_text()


def test_the_wheel_holds_what_the_package_reads(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    tracked = {str(file.relative_to(ROOT)) for file in (ROOT / "botyard").rglob("*") if file.is_file()}
    assert {name for name in tracked if "__pycache__" not in name} <= inside


def test_what_lies_there_already_is_not_built_again(built: Path) -> None:
    with pytest.raises(Exit, match="is there already") as caught:
        publish.python(Context(), str(built))
    assert caught.value.code == 2


def test_the_sbom_is_valid_and_names_what_is_installed_and_pinned(
    built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "ada/shop")
    monkeypatch.setenv("GITHUB_REF_NAME", "v0.3.0")
    publish.sbom(Context(), str(built))
    text = (built / sbom.FILE).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    told = json.loads(text)
    parts = {one["bom-ref"]: one for one in [told["metadata"]["component"], *told["components"]]}
    for pinned in ("invoke@3.0.3", "kubernetes@37.0.2", "python-socketio@5.18.1"):
        assert f"pkg:pypi/{pinned}" in parts
    assert not any("pkg:pypi/ruff@" in ref for ref in parts)  # of the tests alone
    # What an extra of a dependency needs is needed, too: python-socketio[client].
    assert any(ref.startswith("pkg:pypi/websocket-client@") for ref in parts)
    whole = told["metadata"]["component"]
    [archive] = built.glob("*.tar.gz")
    assert (whole["purl"], whole["hashes"][0]["content"]) == (
        "pkg:github/ada/shop@v0.3.0",
        dict(line.split("  ")[::-1] for line in (built / "SHA256SUMS").read_text().splitlines())[archive.name],
    )
    needs = {one["ref"]: set(one.get("dependsOn", [])) for one in told["dependencies"]}
    assert {ref for ref in parts if ref.startswith("application:rasa")} < needs[whole["bom-ref"]]
    assert set(parts) == set(needs)
    publish.sbom(Context(), str(built))
    assert (built / sbom.FILE).read_text() == text
    assert "2 charts, 5 images" in capsys.readouterr().out


def test_a_commit_has_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    us = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    run(["git", "init", "-q", tmp_path])
    env = {"GIT_COMMITTER_DATE": "@1700000000 +0000"}
    run(["git", *us, "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path, env=env)
    assert python_package.commit_time(tmp_path) == 1700000000


def test_a_time_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    with pytest.raises(Exit, match=r"time of this commit is not known(.|\n)*cure: .*SOURCE_DATE_EPOCH") as caught:
        publish.sbom(Context(), "nowhere")
    assert caught.value.code == 2 and not Path("nowhere").exists()


def test_what_builds_it_may_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    for made in (publish.python, publish.sbom):
        with pytest.raises(Exit, match=r"is not installed(.|\n)*pip install -e '.\[release\]'") as caught:
            made(Context(), str(tmp_path))
        assert caught.value.code == 2
