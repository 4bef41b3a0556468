"""Packages and the index of their repository are the same bit for bit, wherever and whenever they are made."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import pytest

from botyard.release import charts
from botyard.tools.helm import Helm

ROOT = Path(__file__).parents[3]


def repository(helm: Path, folder: Path, checkout: Path) -> dict[str, bytes]:
    """All files of a Helm repository made from the charts of a checkout."""
    made: dict[str, bytes] = {}

    def put(file: Path) -> None:
        made[file.name] = file.read_bytes()

    wanted = [charts.wanted(checkout / name) for name in ("rasa", "rasa-action-server")]
    charts.publish(Helm(helm, folder / "home"), wanted, {}, folder / "scratch", put)
    return made


def test_two_checkouts_make_the_same_packages_and_index(helm: Path, tmp_path: Path) -> None:
    other = tmp_path / "another" / "place"
    shutil.copytree(ROOT / "charts", other)
    for number, file in enumerate(sorted(other.rglob("*"))):
        os.utime(file, (1_000_000_000 + number, 1_000_000_000 + number))
    one = repository(helm, tmp_path / "1", ROOT / "charts")
    two = repository(helm, tmp_path / "2", other)
    assert sorted(one) == sorted(two) and len(one) == 3
    assert [name for name in one if one[name] != two[name]] == []
    again = repository(helm, tmp_path / "3", other)  # some seconds later
    assert [name for name in two if two[name] != again[name]] == []


def test_another_content_makes_another_package(helm: Path, tmp_path: Path) -> None:
    other = tmp_path / "charts"
    shutil.copytree(ROOT / "charts", other)
    (other / "rasa" / "values.yaml").write_text((other / "rasa" / "values.yaml").read_text() + "extra: 1\n")
    assert set(repository(helm, tmp_path / "1", ROOT / "charts")) != set(repository(helm, tmp_path / "2", other))


@pytest.mark.parametrize("chart", ["rasa", "rasa-action-server"])
def test_a_package_holds_no_time_and_no_owner(helm: Path, tmp_path: Path, chart: str) -> None:
    archive = Helm(helm, tmp_path / "home").package(ROOT / "charts" / chart, chart, "0.3.0", tmp_path)
    with tarfile.open(archive) as tar:
        about = {(member.mtime, member.uid, member.gid, member.uname, member.mode) for member in tar}
        assert not [member.name for member in tar if ".pyc" in member.name or "__pycache__" in member.name]
    assert about == {(0, 0, 0, "", 0o644)}
