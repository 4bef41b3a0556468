from pathlib import Path

import pytest
from host_door import Door

from botyard.contracts import CommandError
from botyard.host import ledger, packages
from botyard.tools import apt

PLAN = "Inst runc (1.1 Debian)\nInst docker.io (20 Debian)\nInst libc6 [2.36-9] (2.36-10 Debian)\nConf runc (1.1)\n"


@pytest.mark.parametrize(
    ("text", "debian"),
    [("ID=debian\n", True), ('ID=pop\nID_LIKE="ubuntu debian"\n', True), ("ID=fedora\n", False), ("", False)],
)
def test_debian_and_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, debian: bool) -> None:
    monkeypatch.setattr("shutil.which", lambda program: "/usr/bin/apt-get")
    (tmp_path / "os-release").write_text(text)
    assert apt.is_debian(tmp_path / "os-release") is debian
    assert not apt.is_debian(tmp_path / "none")


def test_upgrades_are_not_taken_for_new_packages(door: Door) -> None:
    door.expect("apt-get", stdout=PLAN)
    assert apt.would_install(["docker.io"]) == ["docker.io", "runc"]


def test_what_comes_is_in_the_ledger_before_it_comes(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    monkeypatch.setattr(packages, "find", lambda program: None)

    def apt_get(words: list[str]) -> None:
        if "install" in words and "--simulate" not in words:
            assert ledger.read(tmp_path).packages == ["docker.io", "runc"]

    door.expect("apt-get", stdout=PLAN, does=apt_get)
    door.expect("dpkg", "--configure", "-a")
    new = packages.install({"dockerd": ("docker.io",)}, ledger.Ledger(), tmp_path, told.append)
    assert new == ["docker.io", "runc"]
    assert told[0] == "installing with apt-get: dockerd"


def test_a_program_that_is_there_installs_nothing(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find", lambda program: "/usr/bin/dockerd")  # docker-ce's, say
    assert packages.install({"dockerd": ("docker.io",)}, ledger.Ledger(), tmp_path, print) == []
    assert door.calls == []


def test_the_first_known_package_of_a_program_is_taken(door: Door) -> None:
    door.expect("apt-cache", "show", "--no-all-versions", "docker-cli", code=100)
    assert packages._packages(["docker"], {"docker": ("docker-cli", "docker.io")}) == ["docker.io"]


def test_nothing_is_purged_where_others_came_to_need_it(door: Door) -> None:
    door.expect("dpkg-query", stdout="installed runc\nnot-installed tini\n", code=1)
    door.expect("apt-get", stdout="Purg runc [1]\nPurg podman [4]\n")
    assert apt.purge(["runc", "tini"]) == ["podman"]
    assert all("--simulate" in call for call in door.calls if call[0] == "apt-get")


def test_a_failing_apt_is_tried_once_more_with_fresh_lists(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    monkeypatch.setattr(packages, "find", lambda program: None)
    door.expect("dpkg", "--configure", "-a", code=1)
    door.expect("apt-get", stdout=PLAN)
    with pytest.raises(CommandError):
        packages.install({"dockerd": ("docker.io",)}, ledger.Ledger(), tmp_path, told.append)
    assert "apt-get failed; once more with fresh package lists" in told
