"""The images of the SBOM, held against what templates write: values alone could name another one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_objects import Render

from botyard.release import sbom

CHARTS = Path(__file__).parents[3] / "charts"


@pytest.mark.parametrize(
    ("chart", "settings"),
    [
        ("rasa-action-server", [{}]),
        (
            "rasa",
            [{"gateway": {"enabled": True}}, {"redis": {"install": False}, "postgresql": {"install": True}}],
        ),
    ],
)
def test_all_images_that_a_chart_may_run(chart: str, settings: list[dict[str, Any]], render: Render) -> None:
    rendered = " ".join(json.dumps(one) for values in settings for one in render(chart, **values).values())
    runs = set(re.findall(r'"image": "([^"]+)"', rendered))
    values = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    assert {f"{one.repository}:{one.version}" for one in sbom.images(values)} == runs


@pytest.mark.parametrize(
    ("repository", "version", "purl"),
    [
        ("docker.io/library/redis", "7.2.7", "pkg:docker/redis@7.2.7"),
        ("docker.io/rasa/rasa", "3.6.21", "pkg:docker/rasa/rasa@3.6.21"),
        ("shop.example:5000/bots/rasa", "1", "pkg:docker/bots/rasa@1?repository_url=shop.example:5000"),
    ],
)
def test_where_an_image_is_from(repository: str, version: str, purl: str) -> None:
    assert str(sbom.Image(repository, version).purl) == purl


def test_a_repository_wins_over_registry_and_name_and_a_digest_over_a_tag() -> None:
    given = {
        "registry": "a.example",
        "image": {"name": "x", "tag": 1, "repository": "b.example/y", "digest": "sha256:0"},
    }
    assert list(sbom.images(given)) == [sbom.Image("b.example/y", "sha256:0")]
