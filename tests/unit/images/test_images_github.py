"""Charts into GitHub's registry, as they were packed for the release, with the workflow's own token."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from botyard.commands import github

from .registry_server import Memory, registry


def packed(folder: Path, note: str = "one", name: str = "tea", version: str = "0.3.0", inside: str = "") -> bytes:
    whole = io.BytesIO()
    about = f"name: {name}\nversion: {version}\n"
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for path, text in ((inside or f"{name}/Chart.yaml", about), (f"{name}/templates/note.yaml", note)):
            member = tarfile.TarInfo(path)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    (folder / f"{name}-{version}.tgz").write_bytes(whole.getvalue())
    return whole.getvalue()


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[Memory]]]:
    for name, value in {"TOKEN": "secret", "REPOSITORY": "Ada/Shop", "ACTOR": "robot"}.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    with registry("Bearer") as held:
        yield held


def test_what_was_released_is_pushed_as_it_is(
    there: tuple[str, type[Memory]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, held = there
    archives = [packed(tmp_path), packed(tmp_path, name="milk", version="0.4.0")]
    github.charts(Context(), str(tmp_path), url)
    assert {f"sha256:{hashlib.sha256(one).hexdigest()}" for one in archives} < held.blobs.keys()
    assert set(held.tokens) == {"repository:ada/shop/charts/milk:pull,push", "repository:ada/shop/charts/tea:pull,push"}
    said = capsys.readouterr().out
    assert "pushed: oci://127.0.0.1:" in said and "/ada/shop/charts/tea:0.3.0@sha256:" in said
    assert "secret" not in said
    before = len(held.puts)
    github.charts(Context(), str(tmp_path), url)
    assert len(held.puts) == before and "published already: oci://" in capsys.readouterr().out


def test_a_version_that_is_out_is_never_changed(there: tuple[str, type[Memory]], tmp_path: Path) -> None:
    url, held = there
    packed(tmp_path)
    github.charts(Context(), str(tmp_path), url)
    before = dict(held.manifests)
    packed(tmp_path, "two")
    with pytest.raises(Exit, match="in the registry with other content") as caught:
        github.charts(Context(), str(tmp_path), url)
    assert caught.value.code == 2 and held.manifests == before


@pytest.mark.parametrize(("name", "told"), [("TOKEN", "GITHUB_TOKEN: not set"), ("ACTOR", "GITHUB_ACTOR: not set")])
def test_elsewhere_than_in_a_workflow_it_refuses(
    there: tuple[str, type[Memory]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    packed(tmp_path)
    monkeypatch.delenv(f"GITHUB_{name}")
    with pytest.raises(Exit, match=rf"{told}(.|\n)*packages: write(.|\n)*invoke publish.charts") as caught:
        github.charts(Context(), str(tmp_path), there[0])
    assert caught.value.code == 2


def test_a_token_that_may_not_push_is_told_with_what_it_needs(
    there: tuple[str, type[Memory]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(tmp_path)
    monkeypatch.setattr(there[1], "_let_in", lambda self: self._answer(403))
    with pytest.raises(Exit, match=r"denies GET in ada/shop/charts/tea to user robot(.|\n)*packages: write") as caught:
        github.charts(Context(), str(tmp_path), there[0])
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there are no packed charts"),
        (b"x", "no packed chart"),
        ("outside", "no packed chart"),
        ("", "Chart.yaml"),
    ],
)
def test_what_is_no_chart_is_not_pushed(
    there: tuple[str, type[Memory]], tmp_path: Path, content: bytes | str | None, told: str
) -> None:
    if isinstance(content, bytes):
        (tmp_path / "tea-0.3.0.tgz").write_bytes(content)
    elif content is not None:
        packed(tmp_path, inside="../outside" if content else "tea/other.yaml")
    with pytest.raises(Exit, match=told) as caught:
        github.charts(Context(), str(tmp_path), there[0])
    assert caught.value.code == 2 and not there[1].blobs
