"""An upgrade from the previous chart version: what must stay stays, and the old values are enough."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chart_objects import Objects, Render, at, container

from botyard import yaml11

HERE = Path(__file__).parent
RELEASES = {"rasa": "myrasa", "rasa-action-server": "rasa-action-server"}
BASE = {"rasa": "values/rasa/base.yaml", "rasa-action-server": "values/rasa-action-server/base.yaml"}
every_chart = pytest.mark.parametrize("chart", RELEASES)


def previous(chart: str) -> dict[str, Any]:
    return dict(yaml11.load((HERE / "previous" / f"{chart}-0.1.0.yml").read_text()))


def base(chart: str) -> dict[str, Any]:
    return dict(yaml11.load((HERE.parents[2] / BASE[chart]).read_text()))


@every_chart
def test_reused_values_of_the_previous_chart_are_enough(
    render: Render, render_with_defaults: Callable[..., Objects], chart: str
) -> None:
    old = render_with_defaults(chart, previous(chart), **base(chart))
    new = render(chart, **base(chart))
    missing = {kind for kind, _ in new} - {kind for kind, _ in old}
    assert missing == {"ServiceAccount", "PodDisruptionBudget"}, "these two it said it does not want"
    for what in ("image", "args", "env", "ports", "resources", "readinessProbe", "livenessProbe", "startupProbe"):
        assert container(old).get(what) == container(new).get(what), what
    name = RELEASES[chart]
    assert at(old, f"Service/{name}/spec") == at(new, f"Service/{name}/spec")


@every_chart
def test_what_must_stay_is_as_in_the_previous_chart(render: Render, chart: str) -> None:
    """Selectors, which Kubernetes never changes; ports; the pod of Redis, which may hold conversations in memory."""
    kept = json.loads((HERE / "previous" / "kept.json").read_text())[chart]
    objects = render(chart, **base(chart))
    assert {place: at(objects, place) for place in kept} == kept
