"""What GitHub runs: safe by two checkers, pinned, and with no shell but Invoke tasks."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import platformdirs
import pytest
import yaml

from botyard.commands import menu
from botyard.contracts import Paths
from botyard.host import recipe
from botyard.process import run

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github/workflows"
FILES = sorted(FOLDER.glob("*.yml"))
PATHS = Paths(root=ROOT, state=ROOT / ".botyard/workflows", cache=Path(platformdirs.user_cache_dir("botyard")))


def steps() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{file.stem}/{job}/{step['name']}", step)
        for file in FILES
        for job, body in yaml.safe_load(file.read_text())["jobs"].items()
        for step in body["steps"]
    ]


def test_zizmor_finds_nothing_even_when_it_is_pedantic() -> None:
    done = run(["zizmor", "--offline", "--persona", "pedantic", "--format", "json", FOLDER], timeout_s=60, check=False)
    assert json.loads(done.stdout) == [], done.stdout


def test_zizmor_would_find_what_is_unsafe(tmp_path: Path) -> None:
    unsafe = FILES[0].read_text().replace("invoke test --quick", "echo ${{ github.event.pull_request.title }}")
    (tmp_path / "ci.yml").write_text(unsafe)
    done = run(["zizmor", "--offline", "--format", "json", tmp_path / "ci.yml"], timeout_s=60, check=False)
    assert "template-injection" in {finding["ident"] for finding in json.loads(done.stdout)}


def test_actionlint_finds_nothing() -> None:
    if recipe.go.find() is None:
        pytest.skip("there is no Go to build actionlint with")
    folder, _ = recipe.make(PATHS, recipe.ACTIONLINT.name, print)
    argv = [folder / "actionlint", "-no-color", "-shellcheck=", "-pyflakes="]
    done = run([*argv, *FILES], timeout_s=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    wrong = FILES[0].read_text().replace("runs-on:", "run-on:")
    (unsafe := PATHS.state / "wrong.yml").parent.mkdir(parents=True, exist_ok=True)
    unsafe.write_text(wrong)
    assert run([*argv, unsafe], timeout_s=60, check=False).returncode == 1


@pytest.mark.parametrize(("name", "step"), steps(), ids=[name for name, _ in steps()])
def test_actions_are_pinned_and_shell_is_invoke(name: str, step: dict[str, Any]) -> None:
    if "uses" in step:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", step["uses"]), name
        return
    program, *words = shlex.split(step["run"])
    if [program, *words[:2]] == ["pip", "install", "-e"]:
        return
    assert program == "invoke" and "\n" not in step["run"].strip(), name
    menu(words)  # refuses a task or flag that there is not


def test_every_pin_names_its_version_and_one_action_has_one_pin() -> None:
    pins: dict[str, set[str]] = {}
    for file in FILES:
        for action, rest in re.findall(r"uses: (\S+)@(.+)", file.read_text()):
            assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", rest), f"{file.name}: {action}@{rest}"
            pins.setdefault(action, set()).add(rest)
    assert pins and all(len(found) == 1 for found in pins.values()), pins


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_nobody_may_more_than_a_job_needs(file: Path) -> None:
    document = yaml.safe_load(file.read_text())
    assert document["permissions"] == {}
    for job in document["jobs"].values():
        assert job["timeout-minutes"] <= 240
        assert set(job["permissions"].values()) <= {"read"}, "no workflow here writes anything"
