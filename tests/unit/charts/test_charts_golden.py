"""What the values of this project render, kept whole: a change of a chart shows all that it changes.

After a change that is meant: ``GOLDEN=write pytest tests/unit/charts/test_charts_golden.py``, then read the diff.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from chart_objects import Objects, Render

GOLDEN = Path(__file__).parent / "golden"
TARGETS = [
    (chart, target) for chart in ("rasa", "rasa-action-server") for target in ("base", "kind", "minikube", "aks")
]


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


VERSIONS = ("1.32", "1.37")  # the oldest and the newest; those between: test_charts_hardening.py


def values_files(chart: str, target: str) -> list[str]:
    """What a release to that target starts from; "base" is what all have in common, alone."""
    files = [f"values/{chart}/base.yaml"]
    return files if target == "base" else [*files, f"values/{chart}/{target}.yaml"]


@pytest.mark.parametrize(("chart", "target"), TARGETS)
def test_a_target_renders_what_it_did(render: Render, chart: str, target: str) -> None:
    text = kept(render(chart, *values_files(chart, target)))
    file = GOLDEN / f"{chart}-{target}.yaml"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text(), f"meant? GOLDEN=write pytest {Path(__file__).name}"


@pytest.mark.parametrize(("chart", "target"), TARGETS)
def test_old_and_new_kubernetes_take_what_a_target_renders(render: Render, chart: str, target: str) -> None:
    for body in render(chart, *values_files(chart, target)).values():
        for version in VERSIONS:
            assert kubernetes_validate.validate(body, version, strict=True) == version


def test_every_values_file_has_its_golden_render() -> None:
    values = Path(__file__).parents[3] / "values"
    files = {(file.parent.name, file.stem) for file in values.glob("*/*.yaml")}
    assert files == set(TARGETS)


def test_aks_is_inside_the_virtual_network_and_over_its_zones(render: Render) -> None:
    rasa = render("rasa", *values_files("rasa", "aks"))
    service = rasa["Service", "myrasa"]
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["metadata"]["annotations"]["service.beta.kubernetes.io/azure-load-balancer-internal"] == "true"
    for chart, name in (("rasa", "myrasa"), ("rasa-action-server", "rasa-action-server")):
        pod = render(chart, *values_files(chart, "aks"))["Deployment", name]["spec"]["template"]["spec"]
        assert [one["topologyKey"] for one in pod["topologySpreadConstraints"]] == ["topology.kubernetes.io/zone"]
