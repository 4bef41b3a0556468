"""What the Dockerfiles' own programs take and refuse."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

DOCKERFILES = Path(__file__).parents[3] / "dockerfiles"


@pytest.fixture(scope="module")
def extra() -> ModuleType:
    spec = importlib.util.spec_from_file_location("extra", DOCKERFILES / "shared" / "extra.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_constraints_are_the_pins_without_hashes(extra: ModuleType) -> None:
    lock = 'a==1 \\\n    --hash=sha256:00\nB.c==2.0 ; platform_machine == "x86_64" \\\n    --hash=sha256:01\n# d==3\n'
    assert extra.constraints(lock) == ["a==1", 'B.c==2.0 ; platform_machine == "x86_64"']


def test_a_wheel_without_a_hash_ends_the_build(extra: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "m-1-py3-none-any.whl").write_bytes(b"1")
    (tmp_path / "requirements.txt").write_text("./m-1-py3-none-any.whl\n")
    with pytest.raises(SystemExit, match=re.escape("./m-1-py3-none-any.whl --hash=sha256:")):
        extra.named_wheels(tmp_path)
    (tmp_path / "requirements.txt").write_text("./m-1-py3-none-any.whl \\\n  --hash=sha256:00\n")
    assert extra.named_wheels(tmp_path) == tmp_path / "requirements.txt"


def test_a_folder_without_wheels_asks_for_nothing(extra: ModuleType, tmp_path: Path) -> None:
    assert extra.named_wheels(tmp_path) is None


@pytest.mark.parametrize("folder", ["rasa", "action-server"])
def test_locks_hold_every_pin_with_hashes_and_no_address(folder: str) -> None:
    pins = {
        line.strip() for line in (DOCKERFILES / folder / "requirements.in").read_text().splitlines() if "==" in line
    }
    lock = (DOCKERFILES / folder / "requirements.lock").read_text()
    blocks = [block.split("\n") for block in re.split(r"\n(?=\S)", lock.strip()) if not block.startswith("#")]
    assert {block[0].removesuffix(" \\") for block in blocks} == pins
    assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for block in blocks for line in block[1:])
    assert all(len(block) > 1 for block in blocks)
    assert "://" not in lock


@pytest.mark.parametrize("file", sorted(DOCKERFILES.glob("*/Dockerfile")), ids=lambda f: f.parent.name)
def test_dockerfiles_keep_to_what_both_builders_know(file: Path) -> None:
    text = file.read_text()
    assert not re.search(r"RUN --mount|<<|COPY --(chmod|link|parents)", text)
