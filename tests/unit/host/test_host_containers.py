"""Containers that hold a frozen process are thawed, then removed."""

from pathlib import Path

import pytest
from host_door import Door

from botyard.contracts import CommandError
from botyard.host import containers

DEAD, STUCK = "d" * 64, "5" * 64


@pytest.fixture
def freezer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The freezer of a cgroup v1 host: one group deep inside the stuck node is frozen."""
    for group, state in (("", "THAWED"), ("kubelet.slice", "THAWED"), ("kubelet.slice/pod/a.scope", "FROZEN")):
        folder = tmp_path / "docker" / STUCK / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "freezer.state").write_text(f"{state}\n")
    monkeypatch.setattr(containers, "FREEZER", tmp_path)
    return tmp_path


def test_a_frozen_process_is_thawed_and_its_node_removed(freezer: Path, door: Door) -> None:
    door.expect("docker", "rm", "--force", "--volumes", "dead", "stuck", code=1, stdout="did not receive an exit event")
    door.expect("docker", "inspect", code=1, stdout=f"{STUCK}\n")
    door.expect("docker", "rm", "--force", "--volumes", STUCK)
    containers.remove(["dead", "stuck"])
    assert {file.read_text().strip() for file in freezer.rglob("freezer.state")} == {"THAWED"}
    assert door.calls[-1] == ["docker", "rm", "--force", "--volumes", STUCK]


def test_without_a_frozen_process_the_failure_is_told(freezer: Path, door: Door) -> None:
    door.expect("docker", "rm", code=1, stdout="device or resource busy")
    door.expect("docker", "inspect", stdout=f"{DEAD}\n")
    with pytest.raises(CommandError) as refused:
        containers.remove(["dead"])
    assert refused.value.stdout == "device or resource busy"


def test_nothing_to_remove_asks_nobody(door: Door) -> None:
    containers.remove([])
    assert door.calls == []
