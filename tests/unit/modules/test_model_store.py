"""The model in a store of files; the store here is a folder, which fsspec knows as file://."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import BadInput, Context, Paths
from botyard.modules import model_store
from botyard.targets import Target
from botyard.tools.helm import Release

MODEL = b"a model"
SHA256 = hashlib.sha256(MODEL).hexdigest()
READ = "https://models.example/tea/"
SIGNED = "https://a.blob.example/m/tea-1.tar.gz?sig=hush&sv=1&se="


def context(tmp_path: Path, *, check: bool = False) -> Context:
    paths = Paths(root=tmp_path, state=tmp_path / "state", cache=tmp_path / "cache")
    aks = Target(name="aks", driver="aks", context="shop")
    return Context(check=check, diff=False, paths=paths, target=aks)


@pytest.fixture
def args(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "store").mkdir()
    (tmp_path / "tea-1.tar.gz").write_bytes(MODEL)
    return {"src": tmp_path / "tea-1.tar.gz", "sha256": SHA256, "url": f"file://{tmp_path}/store", "read": READ}


def test_it_is_uploaded_once(tmp_path: Path, args: dict[str, Any]) -> None:
    ctx = context(tmp_path)
    first = model_store.run(model_store.Args(**args), ctx)
    assert first.changed and first.data == {"url": f"{READ}tea-1.tar.gz", "sha256": SHA256}
    assert (tmp_path / "store/tea-1.tar.gz").read_bytes() == MODEL
    assert not model_store.run(model_store.Args(**args), ctx).changed


@pytest.mark.parametrize("left", ["tea-1.tar.gz", "tea-1.tar.gz.sha256"])
def test_what_is_not_whole_is_uploaded_again(tmp_path: Path, args: dict[str, Any], left: str) -> None:
    (tmp_path / "store" / left).write_text(SHA256)
    assert model_store.run(model_store.Args(**args), context(tmp_path)).changed
    assert (tmp_path / "store/tea-1.tar.gz").read_bytes() == MODEL


def test_check_mode_writes_nothing(tmp_path: Path, args: dict[str, Any]) -> None:
    assert model_store.run(model_store.Args(**args), context(tmp_path, check=True)).changed
    assert list((tmp_path / "store").iterdir()) == []


def test_a_store_that_signs_nothing_needs_an_address_to_read_from(tmp_path: Path, args: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="signs no URL") as caught:
        model_store.run(model_store.Args(**args | {"read": ""}), context(tmp_path))
    assert "model_store.read" in caught.value.cure


def test_a_store_of_no_known_kind(tmp_path: Path, args: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="nosuch://x: Protocol not known"):
        model_store.run(model_store.Args(**args | {"url": "nosuch://x"}), context(tmp_path))


@pytest.mark.parametrize(
    ("settings", "stays"),
    [
        ({"initialModel": f"{SIGNED}2999-01-01", "initialModelSha256": SHA256}, True),
        ({"initialModel": f"{SIGNED}2020-01-01", "initialModelSha256": SHA256}, False),
        ({"initialModel": f"{SIGNED}2999-01-01", "initialModelSha256": "0" * 64}, False),
        ({"initialModel": f"{SIGNED}2999-01-01".replace("tea-1", "tea-2"), "initialModelSha256": SHA256}, False),
        ({}, False),
    ],
)
def test_a_signature_that_is_good_for_long_stays(
    tmp_path: Path, args: dict[str, Any], monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], stays: bool
) -> None:
    live = Release("myrasa", "rasa", 3, "deployed", {"applicationSettings": settings}, "")
    monkeypatch.setattr(model_store, "Kube", lambda *_: None)
    monkeypatch.setattr(model_store, "recorded", lambda *_: live)
    monkeypatch.setattr(model_store.Place, "signed", lambda *_: "https://anew.example/tea-1.tar.gz?sig=new")
    found = model_store.run(model_store.Args(**args | {"read": "", "release": "myrasa"}), context(tmp_path))
    assert found.data["url"] == (settings["initialModel"] if stays else "https://anew.example/tea-1.tar.gz?sig=new")
