"""What goes with a release: archives that are the same each time, their sums, and an index that keeps what is out."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
import yaml

from botyard.contracts import BadInput
from botyard.release import packages
from botyard.tools.helm import Helm

ROOT = Path(__file__).parents[3]
URL = "https://github.example/shop/releases/download"


@pytest.fixture
def charts(tmp_path: Path) -> list[Path]:
    shutil.copytree(ROOT / "charts", tmp_path / "charts")
    return [tmp_path / "charts/rasa-action-server", tmp_path / "charts/rasa"]


def raised(chart: Path, version: str) -> None:
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    (chart / "Chart.yaml").write_text(yaml.safe_dump({**about, "version": version}))


def test_each_release_is_added_to_what_is_out(helm: Path, tmp_path: Path, charts: list[Path]) -> None:
    program = Helm(helm, tmp_path / "home")
    first = packages.make(program, charts, tmp_path / "one", f"{URL}/v1", None)
    again = packages.make(program, charts, tmp_path / "again", f"{URL}/v1", None)
    assert [file.read_bytes() for file in first.archives] == [file.read_bytes() for file in again.archives]
    sums = dict(line.split("  ")[::-1] for line in (tmp_path / "one/SHA256SUMS").read_text().splitlines())
    assert sums == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in first.archives}

    old = (tmp_path / "one/site/index.yaml").read_bytes()
    raised(charts[1], "9.0.0")
    packages.make(program, charts, tmp_path / "two", f"{URL}/v2", old)
    index = yaml.safe_load((tmp_path / "two/site/index.yaml").read_text())["entries"]
    before = yaml.safe_load(old)["entries"]["rasa"][0]
    assert [one["version"] for one in index["rasa"]] == ["9.0.0", before["version"]]
    assert index["rasa"][0]["urls"] == [f"{URL}/v2/rasa-9.0.0.tgz"]
    assert (index["rasa"][1]["urls"], index["rasa"][1]["digest"]) == (before["urls"], before["digest"])
    assert {file.name for file in (tmp_path / "two/site").iterdir()} == {"index.yaml"}


def test_a_version_that_is_out_is_never_changed(helm: Path, tmp_path: Path, charts: list[Path]) -> None:
    program = Helm(helm, tmp_path / "home")
    packages.make(program, charts, tmp_path / "one", f"{URL}/v1", None)
    notes = charts[1] / "templates/NOTES.txt"
    notes.write_text(notes.read_text() + "\nOne line more.\n")
    with pytest.raises(BadInput, match=r"rasa-\d.*\.tgz is out with other content") as caught:
        packages.make(program, charts, tmp_path / "two", f"{URL}/v2", (tmp_path / "one/site/index.yaml").read_bytes())
    assert "raise the version" in caught.value.cure
    with pytest.raises(BadInput, match="is not empty"):
        packages.make(program, charts, tmp_path / "one", f"{URL}/v1", None)
