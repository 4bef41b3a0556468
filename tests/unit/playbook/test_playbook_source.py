"""YAML 1.1 as Ansible reads it, with places."""

from __future__ import annotations

import pytest

from botyard.hints import close_to
from botyard.playbook.source import Text, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True), ("Off", False), ("y", "y"), ("n", "n"), ("~", None), ("0644", 420), ("0x1F", 31),
        ("1_000", 1000), ("-5", -5), ("1:30", 90), ("1.5", 1.5), ("2020-01-01", "2020-01-01"), ("'1'", "1"),
        ("1.2.3", "1.2.3"), ("1e3", "1e3"), (".inf", float("inf")),
    ],
)  # fmt: skip
def test_scalar(tmp_path, text, value):
    file = tmp_path / "a.yml"
    file.write_text(f"a: {text}\n")
    assert read_yaml(file)["a"] == value


def test_places(tmp_path):
    file = tmp_path / "a.yml"
    file.write_text("a: 1\nb:\n  - x\n  - c: |\n      deep {{ y }}\n")
    document = read_yaml(file)
    assert (document.keys_at["b"].line, document.keys_at["b"].column) == (2, 1)
    assert (document["b"].items_at[1].line, document["b"].items_at[1].column) == (4, 5)
    text = document["b"][1]["c"]
    assert (text.where.line, text.is_template) == (5, True)


def test_anchors_and_merge(tmp_path):
    file = tmp_path / "a.yml"
    file.write_text("base: &b {a: 1, c: 2}\nuse:\n  <<: *b\n  c: 3\n")
    assert read_yaml(file)["use"] == {"c": 3, "a": 1}


def test_unsafe_is_no_template(tmp_path):
    file = tmp_path / "a.yml"
    file.write_text("a: !unsafe '{{ x }}'\nc: !unsafe {d: ['{{ x }}']}\nb: '{{ x }}'\n")
    document = read_yaml(file)
    assert not isinstance(document["a"], Text)
    assert not isinstance(document["c"]["d"][0], Text)
    assert isinstance(document["b"], Text)


def test_close_to():
    assert close_to("wen", ["when", "name"]) == "did you mean when?"
    assert close_to("debgu", ["ansible.builtin.debug"]) == "did you mean ansible.builtin.debug?"
    assert close_to("xyz", ["when"]) == ""
