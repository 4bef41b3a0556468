"""ansible-lint has nothing to say about playbooks/, nor about the example of the how-to page."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from conformance.test_own_playbooks import HOW_TO

from botyard.modules import MODULES

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / ".ansible-lint"


def test_our_own_modules_are_known_to_it() -> None:
    mocked = yaml.safe_load(CONFIG.read_text())["mock_modules"]
    assert mocked == [name for name in MODULES if name.startswith("botyard.")]


@pytest.fixture
def lint(real_ansible: Path, tmp_path: Path):
    """Runs it on files; gives exit code and words. What it makes for itself goes into the test's folder."""
    home = tmp_path / "home"
    home.mkdir()
    path = f"{real_ansible / 'bin'}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "ANSIBLE_HOME": str(home), "NO_COLOR": "1", "PATH": path}

    def run(*files: str | Path) -> tuple[int, str]:
        words = [real_ansible / "bin" / "ansible-lint", "--config-file", CONFIG, "--format", "pep8", *files]
        done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


def test_it_passes(lint, tmp_path: Path) -> None:
    (tmp_path / "greet.yml").write_text(HOW_TO)
    code, said = lint("playbooks", tmp_path / "greet.yml")
    assert code == 0, said
    assert "'production' was required, and it passed" in said


def test_it_would_find_a_fault(lint, tmp_path: Path) -> None:
    (tmp_path / "wrong.yml").write_text(HOW_TO.replace("ansible.builtin.debug", "debug"))
    code, said = lint(tmp_path / "wrong.yml")
    assert code == 2
    assert "fqcn" in said
