"""What the values of this project render, kept whole: a change of a chart shows all that it changes.

After a change that is meant: ``GOLDEN=write pytest tests/unit/charts/test_charts_golden.py``, then read the diff.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path

import pytest
import yaml
from chart_objects import Objects, Render

GOLDEN = Path(__file__).parent / "golden"
TARGETS = [("rasa", "kind"), ("rasa-action-server", "kind")]


def kept(objects: Objects) -> str:
    """As YAML; what the chart carries as files only by its checksum, as those have tests of their own."""
    told = []
    objects = copy.deepcopy(objects)
    for (kind, name), body in sorted(objects.items()):
        if (kind, name) == ("ConfigMap", "myrasa-botyard"):
            body = {**body, "data": sorted(body["data"])}
        template = body.get("spec", {}).get("template", {}).get("metadata", {})
        if "botyard/files" in template.get("annotations", {}):
            template["annotations"]["botyard/files"] = "(checksum of files/*.py)"
        told.append(body)
    return yaml.safe_dump_all(told, sort_keys=False, width=120)


@pytest.mark.parametrize(("chart", "target"), TARGETS)
def test_a_target_renders_what_it_did(render: Render, chart: str, target: str) -> None:
    text = kept(render(chart, f"values/{chart}/base.yaml", f"values/{chart}/{target}.yaml"))
    file = GOLDEN / f"{chart}-{target}.yaml"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text(), f"meant? GOLDEN=write pytest {Path(__file__).name}"
