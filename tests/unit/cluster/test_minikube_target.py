"""A target of driver minikube: what follows from it, and what is refused by its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from botyard.commands import session
from botyard.commands.session import Flags, read_target
from botyard.contracts import BadInput
from botyard.targets import load_target


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "values").mkdir()
    monkeypatch.setattr(session, "root_folder", lambda: tmp_path)
    return tmp_path


def given(root: Path, body: str) -> None:
    (root / "values/targets.yml").write_text(f"targets:\n  shop: {body}\n")


def test_it_is_ours_by_the_targets_name_and_made_from_packages(root: Path) -> None:
    given(root, "{driver: minikube}")
    found = load_target(root, "shop")
    assert (found.cluster, found.context, found.network) == ("shop", "shop", "shop-net")
    assert (found.ours, found.fixed_nodes, found.sources.mode) == (True, True, "packages")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{driver: minikube, sources: registries}", r"targets.yml:2:.*sources.mode: .*packages alone"),
        ("{driver: minikube, cluster: shop-m2}", r"targets.yml:2:.*cluster: .*one node of a cluster"),
        ("{driver: minikube, cluster: a.b}", r"targets.yml:2:.*cluster: "),
        ("{driver: minikube, context: x}", "context is of a cluster that exists .* a minikube cluster is ours"),
    ],
)
def test_what_minikube_cannot_do_is_refused_where_it_stands(root: Path, body: str, told: str) -> None:
    given(root, body)
    with pytest.raises(BadInput, match=told):
        load_target(root, "shop")


def test_the_flag_is_refused_as_the_key_is(root: Path) -> None:
    given(root, "{driver: minikube}")
    with pytest.raises(BadInput, match="driver minikube works from packages alone"):
        read_target(Flags("shop", sources="registries"))
    for word in ("auto", "packages"):
        assert read_target(Flags("shop", sources=word)).sources.mode == "packages"
