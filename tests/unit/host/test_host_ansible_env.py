"""The environments of the real Ansible and of checkov: made once, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import CommandError
from botyard.host.ansible_env import CHECKOV_LOCK, LOCK, ansible_env, checkov_env


class Pip:
    """Stands for python -m venv and pip; ``fails`` makes pip end badly."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.fails = False

    def run(self, argv: Any, **_: Any) -> None:
        words = [str(word) for word in argv]
        self.calls.append(words)
        if "venv" in words:
            Path(words[-1]).mkdir()
        elif self.fails:
            raise CommandError(words, 1, "", "no such file")


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Pip:
    pip = Pip()
    monkeypatch.setattr("botyard.host.ansible_env.run", pip.run)
    return pip


def test_it_is_made_once_with_every_file_checked(tmp_path: Path, pip: Pip) -> None:
    first = ansible_env(tmp_path)
    assert ansible_env(tmp_path) == first
    assert len(pip.calls) == 2
    install = pip.calls[1]
    assert install[0] == str(first / "bin" / "python")
    assert "--require-hashes" in install
    assert install[-1] == str(LOCK)


def test_a_half_made_one_is_made_anew(tmp_path: Path, pip: Pip) -> None:
    pip.fails = True
    with pytest.raises(CommandError):
        ansible_env(tmp_path)
    pip.fails = False
    ansible_env(tmp_path)
    assert len(pip.calls) == 4


def test_each_tool_has_an_environment_of_its_own(tmp_path: Path, pip: Pip) -> None:
    assert ansible_env(tmp_path) != checkov_env(tmp_path)
    assert pip.calls[-1][-1] == str(CHECKOV_LOCK)


@pytest.mark.parametrize("lock", [LOCK, CHECKOV_LOCK])
def test_every_pin_of_the_lock_has_a_hash_and_none_an_address(lock: Path) -> None:
    text = lock.read_text()
    pins = [line.split()[0] for line in text.splitlines() if line[:1].isalpha()]
    wanted = [line for line in lock.with_suffix(".in").read_text().splitlines() if line and line[0] != "#"]
    assert pins == wanted
    assert all("--hash=sha256:" in part for part in text.split("==")[1:])
    assert "://" not in text
