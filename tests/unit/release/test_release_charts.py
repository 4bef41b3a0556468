"""Charts named by their content, and the index that lists them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from botyard.contracts import BadInput
from botyard.process import Completed
from botyard.release import charts
from botyard.tools import helm as helm_tool
from botyard.tools.helm import Helm

# semver.org's own expression, shortened to what a chart version uses.
SEMVER = re.compile(r"\d+\.\d+\.\d+-(?!0\d+$)[0-9A-Za-z-]+")


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "tea"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: tea\nversion: 0.1.0\n")
    (folder / "templates" / "a.yaml").write_text("a: 1\n")
    return folder


def test_the_version_is_valid_and_follows_the_content(chart: Path) -> None:
    first = charts.wanted(chart)
    assert SEMVER.fullmatch(first.version)
    assert first == charts.wanted(chart)
    (chart / "templates" / "a.yaml").write_text("a: 2\n")
    assert charts.wanted(chart).version != first.version


def test_a_renamed_file_is_another_content(chart: Path) -> None:
    before = charts.content_key(chart)
    (chart / "templates" / "a.yaml").rename(chart / "templates" / "b.yaml")
    assert charts.content_key(chart) != before


def test_what_is_never_packaged_does_not_count(chart: Path) -> None:
    before = charts.content_key(chart)
    (chart / "files" / "__pycache__").mkdir(parents=True)
    (chart / "files" / "__pycache__" / "x.pyc").write_bytes(b"1")
    assert charts.content_key(chart) == before


def test_a_chart_is_packaged_under_its_own_name_whatever_its_folder_is_called(
    chart: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(argv: list[object], **_more: object) -> Completed:
        words = [str(a) for a in argv][1:]
        if words[0] == "package":
            (Path(words[-1]) / f"tea-{words[3]}.tgz").write_bytes(b"archive")
        if words[:2] == ["repo", "index"]:
            (Path(words[2]) / "index.yaml").write_text("entries: {tea: []}\n")
        return Completed([], 0, "", "", 0.0)

    monkeypatch.setattr(helm_tool, "run", run)
    wanted = charts.wanted(chart.rename(tmp_path / "another-name"))
    stored: list[str] = []
    charts.publish(
        Helm(Path("helm"), tmp_path), [wanted], {}, tmp_path / "scratch", lambda file: stored.append(file.name)
    )
    assert stored == [f"tea-{wanted.version}.tgz", "index.yaml"]


def test_a_folder_without_a_chart_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no chart"):
        charts.wanted(tmp_path)


def test_the_new_version_takes_the_place_of_the_old_and_others_stay() -> None:
    old = {"entries": {"tea": [{"version": "0.1.0-hold"}], "milk": [{"version": "1.0.0"}]}}
    new = {"entries": {"tea": [{"version": "0.1.0-hnew"}]}, "generated": "now"}
    index = json.loads(charts.merged(old, new))
    assert index["apiVersion"] == "v1"
    versions = {name: [entry["version"] for entry in entries] for name, entries in index["entries"].items()}
    assert versions == {"tea": ["0.1.0-hnew"], "milk": ["1.0.0"]}


def test_the_index_of_the_same_charts_is_the_same_whenever_it_is_made() -> None:
    def made(when: str) -> bytes:
        return charts.merged({}, {"entries": {"tea": [{"version": "0.1.0", "created": when}]}, "generated": when})

    assert made("2026-01-01T10:00:00Z") == made("2026-11-25T04:40:01.142637247Z")
