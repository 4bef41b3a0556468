"""Which questions the guard asks, and what comes of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import BadInput, Context, Paths
from botyard.modules import guard as module
from botyard.release import guard, rights
from botyard.release.rights import Right, Verdict
from botyard.targets import Target

NODES = Right("", "nodes", ("list",), "room", "cluster", optional=True)
SECRETS = Right("", "secrets", ("create",), "tokens")


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    target = Target(name="there", driver="existing", context="there", namespace="shop")
    (tmp_path / "state").mkdir()
    return Context(check=False, diff=False, paths=Paths(tmp_path, tmp_path / "state", tmp_path), target=target)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked; nobody may create Secrets or list nodes where ``refused`` says so."""
    found: list[Any] = []
    monkeypatch.setattr(module, "Kube", lambda _file, context: context)
    monkeypatch.setattr(guard, "require_mark", lambda *_: found.append("mark"))
    return found


def answers(monkeypatch: pytest.MonkeyPatch, asked: list[Any], refused: Sequence[Right]) -> None:
    def ask(_kube: Any, namespace: str, *, reading: bool) -> list[Verdict]:
        asked.append((namespace, reading))
        return [Verdict(one, tuple(one.verbs) if one in refused else ()) for one in (NODES, SECRETS)]

    monkeypatch.setattr(rights, "ask", ask)


def test_the_mark_alone(ctx: Context, asked: list[Any]) -> None:
    assert "is a cluster of ours" in module.run(module.Args(), ctx).msg
    assert asked == ["mark"]


@pytest.mark.parametrize("check", [False, True])
def test_an_optional_right_is_a_warning(
    check: bool, ctx: Context, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, asked, [NODES])
    ctx.kubeconfig.write_text("")
    found = module.run(module.Args(mark=False, rights=True), replace(ctx, check=check))
    assert found.warnings == ["not allowed: list nodes (room)"] and "1 of 2 rights" in found.msg
    assert asked == [("shop", check)]


def test_another_one_is_refused(ctx: Context, asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, asked, [SECRETS])
    with pytest.raises(BadInput, match=r"create secrets \(tokens\)"):
        module.run(module.Args(mark=False, rights=True), ctx)
