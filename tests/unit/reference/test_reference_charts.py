"""The READMEs of the charts list every value with its default and comment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from botyard import yaml11
from botyard.reference.chart_readme import Value, page, values
from botyard.reference.charts import VERSIONS, official_values

ROOT = Path(__file__).parents[3]
TEXT = """\
# About the file.

# First
# and second line.
name: a
plain: 1
# The block.
block:
  # An example: <x>.
  inner: {a: [1]}
  empty: {}
quiet:
  deep: "b"
"""


def leaves(value: Any, path: str = "") -> list[str]:
    if not isinstance(value, dict) or not value:
        return [path]
    return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{path}.{key}" if path else key)]


def test_comments_above_a_key_are_its_meaning() -> None:
    assert values(TEXT) == [
        Value("name", "a", "First and second line."),
        Value("plain", "1", ""),
        Value("block", "", "The block."),
        Value("block.inner", "{a: [1]}", "An example: &lt;x>."),
        Value("block.empty", "{}", ""),
        Value("quiet.deep", '"b"', ""),
    ]


@pytest.mark.parametrize("chart", VERSIONS)
def test_no_value_is_left_out(chart: str) -> None:
    text = page(ROOT / "charts" / chart)
    told = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    file = (ROOT / "charts" / chart / "values.yaml").read_text()
    for leaf in leaves(yaml11.load(file)):
        assert any(leaf == one or leaf.startswith(f"{one}.") for one in told), leaf


def test_the_official_values_are_nested() -> None:
    given = official_values("rasa")
    assert given["applicationSettings"]["endpoints"]["trackerStore"]["url"] == "${DB_HOST}"
    assert given["nginx"]["tls"] == {
        "enabled": False, "port": 443, "generateSelfSignedCert": False, "certificateSecret": "",
    }  # fmt: skip
