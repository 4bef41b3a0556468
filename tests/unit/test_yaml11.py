"""YAML read by libyaml: right where it is quick, plain about what is wrong."""

from __future__ import annotations

import pytest
import yaml

from botyard import yaml11


def test_values_as_ansible_reads_them() -> None:
    text = "on: yes\nmode: 0644\nbase: &b {a: 1}\nuse: {<<: *b, c: 'é'}\n"
    assert yaml11.load(text) == {True: True, "mode": 420, "base": {"a": 1}, "use": {"a": 1, "c": "é"}}
    assert yaml11.load("# nothing\n") is None


def test_texts_are_as_written() -> None:
    text = "say: yes\nno: 007\nwhen: 2026-01-02\npart: 1e3\nnone:\nuse: {<<: &b {a: 1:30}, c: [on]}\n"
    read = {"say": "yes", "no": "007", "when": "2026-01-02", "part": "1e3", "none": None}
    assert yaml11.texts(text) == {**read, "use": {"a": "1:30", "c": ["on"]}}
    assert yaml11.texts("# nothing\n") is None
    with pytest.raises(yaml.MarkedYAMLError, match="duplicate key 'a'"):
        yaml11.texts("a: 1\na: 2\n")


@pytest.mark.parametrize(
    ("text", "line", "column", "problem"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, 3, "found duplicate key 'c'"),
        ("- a: !mine 1\n", 1, 6, "unknown tag '!mine'"),
        ("a: [1\nb: 2\n", 2, 2, "expected ',' or ']', but got ':'"),
        ("a: b: c\n", 1, 5, "mapping values are not allowed here"),
        ("? [a]\n: 1\n", 1, 3, "found unhashable key"),
    ],
)
def test_what_is_wrong_has_its_place(text: str, line: int, column: int, problem: str) -> None:
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        yaml11.load(text)
    mark = caught.value.problem_mark
    assert (mark.line + 1, mark.column + 1, caught.value.problem) == (line, column, problem)


@pytest.mark.parametrize("text", ["[" * 200_000, "{a: " * 100_000, "- " * 100_000])
def test_nesting_without_end_is_an_error_and_no_crash(text: str) -> None:
    with pytest.raises(RecursionError):
        yaml11.load(text)


def test_what_is_right_never_meets_the_slow_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yaml.SafeLoader", None)
    assert yaml11.load("a: [1, {b: c}]\n") == {"a": [1, {"b": "c"}]}
