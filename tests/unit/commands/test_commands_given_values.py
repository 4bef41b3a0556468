"""--values and --set of a deploy: for which chart, what wins, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from botyard.commands.given_values import given_values
from botyard.contracts import BadInput


def test_nothing_given_is_nothing_for_both_charts() -> None:
    assert given_values([], []) == {name: {"files": [], "set": {}} for name in ("rasa", "rasa-action-server")}


def test_files_stay_in_their_order_and_go_to_their_chart(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("replicaCount: 2\n")
    found = given_values([f"{tmp_path}/b", f"rasa-action-server:{tmp_path}/c", f"rasa:{tmp_path}/a"], [])
    assert found["rasa"]["files"] == [f"{tmp_path}/b", f"{tmp_path}/a"]
    assert found["rasa-action-server"]["files"] == [f"{tmp_path}/c"]


def test_settings_are_yaml_and_later_ones_win() -> None:
    words = ["a.b=1", "a.c=x=y", "a.b=[1, two]", 'rasa-action-server:n="3"', r"note.example\.org/team=ops", "e="]
    found = given_values([], words)
    assert found["rasa"]["set"] == {"a": {"b": [1, "two"], "c": "x=y"}, "note": {"example.org/team": "ops"}, "e": None}
    assert found["rasa-action-server"]["set"] == {"n": "3"}


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("replicaCount", "is not key=value"),
        ("=3", "is not key=value"),
        ("a..b=3", "is not key=value"),
        ("a.=3", "is not key=value"),
        ("other-chart:replicaCount", "is not key=value"),
        ("a[0]=3", "a list cannot be changed by its index"),
        ("a={b", "not valid YAML"),
        ("a=b: c: d", "not valid YAML"),
    ],
)
def test_what_is_no_setting_is_refused(word: str, told: str) -> None:
    with pytest.raises(BadInput, match=told) as caught:
        given_values([], [word])
    assert caught.value.cure


def test_a_value_that_stands_in_the_way_is_told() -> None:
    with pytest.raises(BadInput, match="gives a a value of its own"):
        given_values([], ["a=1", "a.b=2"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file"),
        (b"- a\n", "a values file is a mapping"),
        (b"a: [1\n", r":2:1: not valid YAML"),
        (b"a: 1\na: 2\n", "not valid YAML"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
    ],
)
def test_what_is_no_values_file_is_refused(tmp_path: Path, content: bytes | None, told: str) -> None:
    file = tmp_path / "v.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadInput, match=told):
        given_values([str(file)], [])


def test_a_folder_is_no_values_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Is a directory"):
        given_values([str(tmp_path)], [])
