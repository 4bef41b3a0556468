"""Models in Azure Blob Storage, played by Azurite (Microsoft's own, from npm): real requests, real signatures."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import platformdirs
import pytest
import requests
from azurite import connection, served

from botyard.contracts import BotyardError, Context, Paths, Result
from botyard.modules import model_store
from botyard.release import signed_url
from botyard.targets import Target

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(platformdirs.user_cache_dir("botyard"))
pytest.importorskip("adlfs", reason="adlfs is not installed: pip install -e '.[azure]'")


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address; the environment tells how to log in."""
    with served(tmp_path_factory.mktemp("azurite")) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection(address))
        yield address


@pytest.fixture(scope="module")
def model() -> Path:
    known = sorted((CACHE / "models").rglob("*.tar.gz"), key=lambda file: file.stat().st_mtime)
    if not known:
        pytest.skip("no model is there: run invoke model")
    return known[-1]


def store(tmp_path: Path, model: Path, *, url: str = "az://models/tea", check: bool = False) -> Result:
    paths = Paths(root=tmp_path, state=tmp_path / "state", cache=tmp_path / "cache")
    ctx = Context(check=check, diff=False, paths=paths, target=Target(name="aks", driver="aks", context="shop"))
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    return model_store.run(model_store.Args(src=model, sha256=sha256, url=url), ctx)


def test_a_pod_fetches_by_the_signed_url_what_was_uploaded(blobs: str, tmp_path: Path, model: Path) -> None:
    """By the very program of the chart; without the signature nobody gets it."""
    assert store(tmp_path, model, check=True).changed
    first = store(tmp_path, model)
    assert first.changed and not store(tmp_path, model).changed
    url = str(first.data["url"])
    assert url.startswith(f"{blobs}/models/tea/{model.name}?")
    end = signed_url.expiry(url)
    assert end is not None and timedelta(days=364) < end - datetime.now(UTC) < timedelta(days=366)
    told = tmp_path / "told"
    env = {"PATH": os.environ["PATH"], "MODEL_URL": url, "MODEL_SHA256": str(first.data["sha256"]),
           "MODEL_DIR": str(tmp_path / "pod"), "BOTYARD_TERMINATION_LOG": str(told)}  # fmt: skip
    fetch = [sys.executable, ROOT / "charts/rasa/files/fetch_model.py"]
    done = subprocess.run(fetch, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pod" / model.name).read_bytes() == model.read_bytes()
    assert "sig=" not in done.stdout + done.stderr
    assert requests.get(url.partition("?")[0], timeout=30).status_code in (403, 404)


def test_another_content_under_the_name_is_replaced(blobs: str, tmp_path: Path, model: Path) -> None:
    (tmp_path / model.name).write_bytes(b"half of it")
    store(tmp_path, tmp_path / model.name)
    assert store(tmp_path, model).changed
    got = requests.get(str(store(tmp_path, model).data["url"]), timeout=30)
    assert got.content == model.read_bytes()


def test_a_container_that_is_not_there(blobs: str, tmp_path: Path, model: Path) -> None:
    with pytest.raises(BotyardError, match="No such container: 'nothing'") as caught:
        store(tmp_path, model, url="az://nothing/tea")
    assert "container" in caught.value.cure


def test_a_wrong_key_is_told_and_not_shown(
    blobs: str, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "d3Jvbmc="
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection(blobs, wrong))
    with pytest.raises(BotyardError) as caught:
        store(tmp_path, model)
    assert wrong not in str(caught.value) and "AZURE_STORAGE_CONNECTION_STRING" in caught.value.cure
