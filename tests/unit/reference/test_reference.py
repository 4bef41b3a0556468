"""The reference says what the code does: fresh, complete, and with examples that load and run."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from botyard import modules, reference
from botyard.contracts import Paths
from botyard.playbook import RunOptions, load_playbooks, run_playbooks
from botyard.reference.facts import Module, module
from botyard.reference.meanings import LEVELS, MEANING

ROOT = Path(__file__).parents[3]
ALWAYS_THERE = {
    "root": str(ROOT), "state": "/state", "cache": "/cache", "run_dir": "/run", "recreate": False, "everything": False,
    "bot": {"name": "tea", "dir": "/tea", "actions": "/tea/actions", "extra_apt": [], "extra_pip": []},
    "target": {"namespace": "shop"},
}  # fmt: skip
EVERY_RESULT = {"changed", "failed", "msg", "skipped", "attempts", "results", "failed_when_result"}
EVERY_RESULT |= {"skip_reason", "false_condition"}
every_module = pytest.mark.parametrize("name", sorted(modules.MODULES))


def test_what_is_generated_is_fresh() -> None:
    assert not reference.stale(ROOT), f"out of date; run: {reference.COMMAND}"


def test_a_stale_file_is_found_and_written(tmp_path: Path) -> None:
    names = sorted(reference.files())
    assert sorted(reference.stale(tmp_path)) == names
    assert sorted(reference.write(tmp_path)) == names
    (tmp_path / names[0]).write_text("old")
    assert reference.write(tmp_path) == [names[0]]
    assert reference.stale(tmp_path) == []


def test_every_keyword_has_a_meaning_and_nothing_else_has() -> None:
    assert set(MEANING) == {word for table in LEVELS.values() for word in table}


def test_nothing_is_lost_as_html() -> None:
    for name, text in reference.files().items():
        shown = re.sub(r"```.*?```|`[^`]*`|<!--.*?-->", "", text, flags=re.S)
        assert name.endswith(".json") or "<" not in shown, name


def test_nested_arguments_are_told_by_their_path() -> None:
    told = {one.name: one for one in module("botyard.core.image").arguments}
    assert told["images"].takes == "list of mapping"
    assert told["images[].add[].src"].required
    assert told["images[].build_args"].takes == "mapping to text or list of text"
    assert (told["push"].required, told["push"].default) == (False, "true")


@every_module
def test_a_module_tells_all_about_itself(name: str) -> None:
    told = module(name)
    assert told.summary.endswith((".", "?")) and not told.summary.startswith(("`", name))
    assert "check mode" in told.behaviour, f"say in the docstring of run() what {name} does in check mode"
    assert all(one.doc for one in told.arguments)


@every_module
def test_a_module_returns_what_it_tells(name: str) -> None:
    file = modules.load(name)
    told = set(file.RETURNS)
    inside = set(re.findall(r"\w+", " ".join(file.RETURNS.values())))  # keys of what is nested, as in stat
    assert set(_keys_of_data(ast.parse(inspect.getsource(file)))) <= told | inside | EVERY_RESULT
    sources = "".join(path.read_text() for path in _files_behind(file))
    assert not [key for key in told if f'"{key}"' not in sources]


@every_module
def test_a_modules_example_loads(name: str, playbook: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("- ansible.builtin.debug: {var: language}\n")  # for include_tasks
    books, _ = load_playbooks([playbook(module(name).example)], extra_vars=ALWAYS_THERE)
    assert name in {task.module for play in books[0].plays() for task in play.tasks}


@pytest.mark.parametrize(
    "name", ["assert", "command", "copy", "debug", "fail", "file", "pause", "set_fact", "stat", "template"]
)
def test_the_example_of_a_standard_module_runs(name: str, playbook: Callable[[str], Path], tmp_path: Path) -> None:
    told = module(f"ansible.builtin.{name}")
    (tmp_path / "greeting.txt.j2").write_text("hello {{ who }}\n")
    paths = Paths(root=ROOT, state=tmp_path / "state", cache=tmp_path / "cache")
    report = run_playbooks([playbook(told.example)], ctx=RunOptions(paths=paths, console="plain"))
    assert report.exit_code == 0
    for task in (one for one in report.tasks if one.module == told.name):
        assert set(task.data) <= set(told.returns) | EVERY_RESULT | _expression_of(told, task.data)


def _expression_of(told: Module, data: dict[str, Any]) -> set[str]:
    """debug with var registers its value under the expression's own text."""
    return set(data) if told.name == "ansible.builtin.debug" and "colours | length" in data else set()


def _files_behind(file: ModuleType) -> set[Path]:
    """The module's own file and those of ours that it takes something from."""
    used = [inspect.getmodule(value) or value for value in vars(file).values()]
    ours = [one for one in used if inspect.ismodule(one) and one.__name__.startswith("botyard.")]
    return {Path(str(one.__file__)) for one in [file, *ours]}


def _keys_of_data(tree: ast.AST) -> Iterator[str]:
    """Keys of the dicts that a module hands out: ``data = {...}``, ``data=...`` and ``data["key"] = ...``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "data":
            yield from _keys(node.value)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.id == "data" and node.value is not None:
                    yield from _keys(node.value)
                if isinstance(target, ast.Subscript) and ast.unparse(target.value) == "data":
                    yield str(ast.literal_eval(target.slice))


def _keys(value: ast.expr) -> Iterator[str]:
    for key in value.keys if isinstance(value, ast.Dict) else []:
        if isinstance(key, ast.Constant):
            yield str(key.value)
