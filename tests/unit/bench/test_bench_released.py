"""release.yml is the standard part of playbooks/release.yml, and takes its variables from what is released."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from botyard.bench import released
from botyard.commands.session import Flags, paths_for, read_target, root_folder
from botyard.playbook import RunOptions, check_playbooks
from botyard.tools.helm import Helm, Release


def standard_tasks(file: Path) -> list[dict[str, Any]]:
    (play,) = yaml.safe_load(file.read_text())
    return [task for task in play["tasks"] if any(word.startswith("kubernetes.core.") for word in task)]


def test_it_has_the_tasks_of_the_release() -> None:
    """The same modules and arguments; values may come from elsewhere, plain words may not differ."""
    theirs = standard_tasks(root_folder() / "playbooks/release.yml")
    ours = standard_tasks(released.PLAYBOOK)
    for real, bench in zip(theirs, ours, strict=False):
        assert real["name"] == bench["name"]
        for word in (word for word in real if word.startswith("kubernetes.core.")):
            assert real[word].keys() - {"values_files"} == bench[word].keys()
            plain = {k: v for k, v in real[word].items() if "{{" not in str(v)}
            assert plain == {k: bench[word][k] for k in plain}
    assert [task for task in ours[len(theirs) :] if "kubernetes.core.k8s_info" not in task] == []


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The chart of each release that is there."""
    charts = {"rasa-action-server": "rasa-action-server-1.0.0", "myrasa": "rasa-2.0.0-h1"}

    def recorded(_kube: object, name: str, namespace: str) -> Release | None:
        if name not in charts:
            return None
        return Release(name, namespace, 1, "deployed", {"of": name}, "", chart=charts[name])

    monkeypatch.setattr(released, "tool", lambda paths, name: tmp_path / name)
    monkeypatch.setattr(released, "Kube", lambda kubeconfig, context: None)
    monkeypatch.setattr(released, "recorded", recorded)
    monkeypatch.setattr(Helm, "repositories", lambda self: {"botyard": "http://depot/charts"})
    return charts


def variables() -> tuple[str, str]:
    target = read_target(Flags())
    return released.variables(target, paths_for(target.cluster))


def test_variables_are_what_is_released_now(cluster: object) -> None:
    text, why_not = variables()
    found = json.loads(text)
    assert why_not == ""
    assert (found["bench_namespace"], found["bench_repository"]) == ("rasa", "http://depot/charts")
    assert {n: (r["chart_version"], r["release_values"]) for n, r in found["bench_releases"].items()} == {
        "rasa-action-server": ("1.0.0", {"of": "rasa-action-server"}),
        "myrasa": ("2.0.0-h1", {"of": "myrasa"}),
    }
    target = read_target(Flags())
    options = RunOptions(paths=paths_for(target.cluster), target=target, extra_vars=found)
    check_playbooks([released.PLAYBOOK], ctx=options)


def test_without_a_release_it_says_so(cluster: dict[str, str]) -> None:
    del cluster["myrasa"]
    assert variables() == ("", "nothing is released to kind: there is no release myrasa")


def test_without_a_cluster_it_says_so(tmp_path: Path) -> None:
    target = read_target(Flags())
    paths = paths_for(target.cluster)
    text, why_not = released.variables(target, type(paths)(paths.root, tmp_path, paths.cache))
    assert (text, why_not) == ("", "nothing is released to kind: the program helm is not there yet")
