"""What a deploy without a change is held against is the standard part of playbooks/deploy.yml, and stays so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from botyard.commands.session import root_folder

STANDARD = Path("tests/targets_live/standard.yml")
FEW = {"ansible.builtin.set_fact", "ansible.builtin.copy"}  # of those only the values differ


def tasks(of: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(module, task) of each that the real Ansible runs when nothing has changed; what rescues is left out."""
    for task in of:
        yield from tasks(task.get("block") or task.get("tasks") or [])
        for module in task:
            if module in FEW or module.startswith("kubernetes.core."):
                yield module, task


def test_it_has_the_tasks_of_the_deploy() -> None:
    deploy, standard = (
        list(tasks(yaml.safe_load((root_folder() / file).read_text()))) for file in ("playbooks/deploy.yml", STANDARD)
    )
    # How the model travels is said once, by one of two tasks, in a target's own way.
    deploy = [(module, task) for module, task in deploy if "when" not in task]
    assert [(module, task["name"]) for module, task in deploy] == [(module, task["name"]) for module, task in standard]
    for (module, real), (_, bench) in zip(deploy, standard, strict=True):
        if module not in FEW:
            assert real[module].keys() - {"values_files"} == bench[module].keys()
