"""The smallest values files of the chart READMEs: what a reader copies must render."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from chart_objects import Render, at, container

from botyard import yaml11
from botyard.reference.charts import VERSIONS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("chart", VERSIONS)
def test_the_smallest_values_of_its_readme_render(render: Render, chart: str) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "charts" / chart / "README.md").read_text(), re.M | re.S)
    objects = render(chart, **yaml11.load(text.replace("5d41...", "5d41" * 16)))
    assert container(objects)["image"]
    if chart == "rasa":
        assert "rest" in at(objects, "credentials"), "nobody could talk to it, and helm test would not try"
        fetch = at(objects, "pod/initContainers/0")
        assert {"name": "MODEL_URL", "value": "https://models.example/bot.tar.gz"} in fetch["env"]
        assert at(objects, "endpoints/action_endpoint/url") == "http://rasa-action-server/webhook"
