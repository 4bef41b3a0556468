"""``invoke doc``: lists, tells about one name, and says what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from invoke.exceptions import Exit

from botyard.commands.doc import doc, positionals
from botyard.playbook.filters import FILTERS, TESTS
from botyard.playbook.source import Text, Where
from botyard.playbook.template import Scope, Templar
from botyard.reference.filter_meanings import FILTER, TEST, About


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("COLUMNS", "200")

    def tell(name: str | None = None) -> str:
        doc.body(None, name)
        return capsys.readouterr().out

    return tell


def test_without_a_name_all_are_listed(told) -> None:  # type: ignore[no-untyped-def]
    out = told()
    assert "kubernetes.core.helm " in out
    assert "One release, installed, upgraded or removed" in out
    assert "changed_when" in out


@pytest.mark.parametrize("name", ["kubernetes.core.helm", "helm"])
def test_a_module_by_its_full_or_last_name(told, name: str) -> None:  # type: ignore[no-untyped-def]
    out = told(name)
    for part in ("release_namespace (also namespace)", "required", "300s", "check mode", "wait_timeout: 600s"):
        assert part in out


def test_a_keyword(told) -> None:  # type: ignore[no-untyped-def]
    assert "Keyword of: import_playbook, block, task, import_tasks. Takes an expression or a list of them." in told(
        "when"
    )


def test_a_name_of_both_kinds_tells_both(told) -> None:  # type: ignore[no-untyped-def]
    out = told("pause")
    assert "ansible.builtin.pause" in out and "Keyword of: loop_control" in out


def test_a_refused_word_tells_why(told) -> None:  # type: ignore[no-untyped-def]
    assert "tasks run as the user who started botyard" in told("become")


@pytest.mark.parametrize(("name", "kind"), [("combine", "A filter"), ("version", "A test")])
def test_a_filter_or_test(told, name: str, kind: str) -> None:  # type: ignore[no-untyped-def]
    assert kind in told(name)


def test_an_unknown_name(told) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Exit, match=r"did you mean register\?") as caught:
        told("regsiter")
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("typed", "named"),
    [("doc", False), ("doc helm", True), ("doc --write", False), ("--help doc", False), ("play x.yml", False)],
)
def test_a_name_may_be_left_out(typed: str, named: bool) -> None:
    assert positionals(["invoke", *typed.split()]) == (["name"] if named else [])


@pytest.mark.parametrize(
    ("kind", "meanings", "known"), [("filters", FILTER, FILTERS), ("tests", TEST, TESTS)], ids=["filters", "tests"]
)
def test_all_of_a_kind_with_their_meanings(told, kind: str, meanings, known) -> None:  # type: ignore[no-untyped-def]
    assert set(meanings) == set(known)
    out = told(kind)
    assert all(f"\n{name} " in out for name in meanings)
    assert all(one.meaning.split()[0] in out for one in meanings.values())


@pytest.mark.parametrize("about", [*FILTER.values(), *TEST.values()], ids=[*FILTER, *TEST])
def test_an_example_gives_what_is_said(about: About) -> None:
    where = Where(Path("example.yml"), 1, 1)
    templar = Templar()
    assert templar.evaluate(Text(about.example, where), Scope(templar, [{}])) == about.gives
