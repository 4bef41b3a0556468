"""Our own playbooks that use only standard modules mean the same to the real ansible-playbook."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conformance.compare import Difference, compare
from conformance.engines import Options, Ran, by_ansible, by_ours

from botyard import modules
from botyard.commands.target import inventory

ROOT = Path(__file__).parents[2]
HOW_TO = re.findall(r"^```yaml\n(- .*?)^```", (ROOT / "docs/how-to/write-a-playbook.md").read_text(), re.S | re.M)[0]
HEAD = "- name: Examples\n  hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"
ASKS_SOMEBODY = ("ansible.builtin.uri",)  # its example asks a released bot
NEEDED = {
    "greeting.txt.j2": "hello {{ who }}\n",
    "more.yml": "- name: Say it\n  ansible.builtin.debug:\n    msg: '{{ language }}'\n",
}


def runs(env: Path, file: Path, files: dict[str, str], several: list[Options]) -> list[list[Difference]]:
    """The differences of each run; all runs of one engine follow each other in one folder."""

    def fresh() -> None:
        shutil.rmtree(file.parent, ignore_errors=True)
        file.parent.mkdir(parents=True)
        for name, text in files.items():
            (file.parent / name).write_text(text)

    fresh()
    theirs = [by_ansible(env, file, options) for options in several]
    assert all(ran.success for ran in theirs), theirs[0].said
    fresh()
    ours: list[Ran] = [by_ours(file, options) for options in several]
    return [compare(mine, other) for mine, other in zip(ours, theirs, strict=True)]


def only_paths(differences: list[Difference], folder: Path) -> bool:
    """Whether they differ only in that ours tells whole paths, a wanted difference."""
    return all(
        re.search(r"\.(path|dest)$", one.place) and str((folder / str(one.ansible)).resolve()) == one.ours
        for one in differences
    )


def test_the_example_of_the_how_to_page(real_ansible: Path, tmp_path: Path) -> None:
    file = tmp_path / "how_to" / "greet.yml"
    several = [Options(), Options(), Options(extra_vars={"who": "you"}, check=True, diff=True)]
    for differences in runs(real_ansible, file, {file.name: HOW_TO}, several):
        assert only_paths(differences, file.parent), "\n".join(map(str, differences))


def test_the_examples_of_standard_modules(real_ansible: Path, tmp_path: Path) -> None:
    names = [name for name in modules.MODULES if name.startswith("ansible.") and name not in ASKS_SOMEBODY]
    examples = "\n".join(modules.load(name).EXAMPLE for name in names)
    text = HEAD + "".join(f"    {line}\n" if line else "\n" for line in examples.splitlines())
    file = tmp_path / "examples" / "examples.yml"
    (differences,) = runs(real_ansible, file, {**NEEDED, file.name: text}, [Options()])
    assert only_paths(differences, file.parent), "\n".join(map(str, differences))


@pytest.mark.parametrize(("place", "ours"), [("1 a.stdout", "/x/a"), ("1 a.dest", "/x/b")])
def test_another_difference_is_not_taken_for_one_of_paths(place: str, ours: str) -> None:
    assert only_paths([Difference("1 a.dest", "/x/a", "./a")], Path("/x"))
    assert not only_paths([Difference(place, ours, "a")], Path("/x"))


def test_an_inventory_gives_the_real_ansible_our_variables(
    real_ansible: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory.body(None)
    (tmp_path / "kind.yml").write_text(capsys.readouterr().out)
    asked = "target.name, target.context, target.ports.rasa, target.kubeconfig, root, bot.name, recreate"
    task = {"name": "Say them", "ansible.builtin.debug": {"msg": f"{{{{ [{asked}] | to_json }}}}"}}
    play = {"name": "Ask", "hosts": "localhost", "gather_facts": False, "tasks": [task]}
    (tmp_path / "ask.yml").write_text(json.dumps([play]))
    env = {"ANSIBLE_CONFIG": str(tmp_path / "none.cfg"), "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    command = [real_ansible / "bin/ansible-playbook", "-i", tmp_path / "kind.yml", tmp_path / "ask.yml"]
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    state = f"{ROOT}/.botyard/botyard/kubeconfig"
    wanted = json.dumps(["kind", "kind-botyard", 5005, state, str(ROOT), "tea", False])
    assert said.returncode == 0 and wanted in said.stdout.replace("\\", ""), said.stdout + said.stderr
