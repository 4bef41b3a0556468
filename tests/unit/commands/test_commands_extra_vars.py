"""--extra-vars: name=value, JSON and files; what is wrong with them, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from botyard.commands.extra_vars import extra_vars
from botyard.contracts import BadInput, Paths
from botyard.playbook import RunOptions, run_playbooks


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], {}),
        (["a=1"], {"a": "1"}),
        (["a=", "b=x=y"], {"a": "", "b": "x=y"}),
        (["a=1 b='two words'"], {"a": "1", "b": "two words"}),
        (['{"a": 1, "b": [true, null]}'], {"a": 1, "b": [True, None]}),
        (["{a: 1}"], {"a": 1}),
        (["a=1", '{"a": 2}'], {"a": 2}),
        (['{"a": 2}', "a=1"], {"a": "1"}),
        (["a={{ b }}"], None),
        (["a='{{ b }}'"], {"a": "{{ b }}"}),
    ],
)
def test_values(words: list[str], found: dict[str, object] | None) -> None:
    if found is None:
        with pytest.raises(BadInput, match="is not name=value"):
            extra_vars(words)
    else:
        assert extra_vars(words) == found


def test_a_file_may_hold_templates_but_a_word_may_not(tmp_path: Path) -> None:
    (tmp_path / "vars.yml").write_text("a: [1, 2]\nb: '{{ a | length }}'\n")
    tasks = """
    - assert:
        that: [b == 2, "c == '{' ~ '{ a }' ~ '}'"]
"""
    (tmp_path / "play.yml").write_text("- hosts: localhost\n  gather_facts: false\n  tasks:" + tasks)
    found = extra_vars(["@vars.yml", '{"c": "{{ a }}"}'])
    paths = Paths(tmp_path, tmp_path, tmp_path)
    report = run_playbooks([tmp_path / "play.yml"], ctx=RunOptions(paths=paths, extra_vars=found, console="plain"))
    assert report.exit_code == 0, report.tasks


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("a", "--extra-vars 'a' is not name=value"),
        ("", "--extra-vars '' is not name=value"),
        ("a=1 b", "is not name=value"),
        ("a='1", "no closing quotation"),
        ("a-b=1", "'a-b' is not a variable name"),
        ('{"a": 1', '--extra-vars:1:8: not valid JSON: expected \',\' or \'}\'', ),
        ('{"a": {{ b }}}', "--extra-vars:1:8: not valid JSON"),
        ('{"a-b": 1}', "'a-b' is not a variable name"),
        ("{1: 2}", "1 is not a variable name"),
        ("@gone.yml", "no such file: gone.yml"),
        ("@list.yml", "list.yml:1:1: a file of variables is a mapping"),
        ("@empty.yml", "empty.yml:1:1: a file of variables is a mapping"),
        ("@bad.yml", "bad.yml:2:4: not valid YAML"),
        ("@jinja.yml", "jinja.yml:1:4: bad Jinja2"),
        ("@name.yml", "name.yml:1:1: 'a-b' is not a variable name"),
        ("@double.yml", "double.yml:2:1: duplicate key 'a'"),
    ],
)  # fmt: skip
def test_wrong(tmp_path: Path, word: str, said: str) -> None:
    files = {
        "list": "[1]",
        "empty": "",
        "bad": "a: 1\n  b: 2",
        "jinja": "a: '{{ b'",
        "name": "a-b: 1",
        "double": "a: 1\na: 2",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.yml").write_text(text)
    with pytest.raises(BadInput) as caught:
        extra_vars([word])
    assert said in caught.value.message
