"""What is decided about a release, from what helm says; helm is replaced at the process door."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from botyard.contracts import CommandError
from botyard.process import Completed
from botyard.release import releases, secrets
from botyard.tools import helm as helm_tool
from botyard.tools.helm import Chart, Helm
from botyard.tools.kube import Kube

NO_KUBE = cast(Kube, None)  # nothing here may ask the API server
PLAN = releases.Plan("tea", "shop", Chart("botyard/tea", "0.1.0-habc"), values={"a": 1}, wait_s=60)
MANIFEST = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: tea}\ndata: {a: '%s'}\n"


def release(status: str = "deployed", manifest: str = "", values: Mapping[str, Any] | None = None) -> str:
    body = {"name": "tea", "namespace": "shop", "version": 3, "info": {"status": status}}
    return json.dumps({**body, "config": dict(values or {}), "manifest": manifest})


class Door:
    """Answers helm commands by their first words; any other fails the test."""

    def __init__(self) -> None:
        self.answers: dict[str, str | CommandError] = {}
        self.seen: list[list[str]] = []
        self.env: dict[str, str] = {}

    def run(self, argv: Sequence[object], *, env: Mapping[str, str], timeout_s: float) -> Completed:
        words = [str(a) for a in argv][1:]
        self.seen.append(words)
        self.env = dict(env)
        key = "dry-run" if "--dry-run=server" in words else words[0]
        answer = self.answers.get(key)
        assert answer is not None, f"unexpected: helm {' '.join(words)}"
        if isinstance(answer, CommandError):
            raise answer
        return Completed([str(a) for a in argv], 0, answer, "", 0.0)

    def fails(self, key: str, stderr: str) -> None:
        self.answers[key] = CommandError(["helm", key], 1, "", stderr)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    door = Door()
    monkeypatch.setattr(helm_tool, "run", door.run)
    return door


@pytest.fixture
def helm(tmp_path: Path) -> Helm:
    return Helm(Path("helm"), tmp_path / "home", tmp_path / "kubeconfig", "kind-tea")


def decide(helm: Helm, check: bool = False) -> releases.Decision:
    return releases.decide(helm, NO_KUBE, PLAN, [], check=check)


def test_a_release_that_is_not_there_is_installed(door: Door, helm: Helm) -> None:
    door.fails("status", "Error: release: not found\n")
    door.answers["dry-run"] = release(manifest=MANIFEST % 1)
    decision = decide(helm)
    assert decision.why == "it is not installed"
    assert [d.header for d in decision.diff] == ["ConfigMap/tea"]


def test_the_same_content_is_no_change(door: Door, helm: Helm) -> None:
    door.answers = {"status": release(values={"a": 1}), "dry-run": release("pending-upgrade", values={"a": 1})}
    decision = decide(helm)
    assert decision.why == ""
    assert decision.live is not None
    assert decision.live.revision == 3


def test_another_rendering_is_a_change_of_the_named_objects(door: Door, helm: Helm) -> None:
    door.answers = {"status": release(manifest=MANIFEST % 1), "dry-run": release(manifest=MANIFEST % 2)}
    decision = decide(helm)
    assert decision.why == "it would be rendered differently"
    assert [d.header for d in decision.diff] == ["ConfigMap/tea"]


def test_other_values_are_a_change_even_where_they_render_the_same(door: Door, helm: Helm) -> None:
    door.answers = {"status": release(values={"token": "old"}), "dry-run": release(values={"token": "new"})}
    decision = decide(helm)
    assert decision.why == "its values differ"
    assert "new" not in decision.diff[0].after, "values may be secret"


def test_a_comment_alone_is_no_change(door: Door, helm: Helm) -> None:
    assert releases.manifest_diff(MANIFEST % 1, "# a comment\n" + MANIFEST % 1) == []


def test_a_failed_revision_is_done_again(door: Door, helm: Helm) -> None:
    door.answers = {"status": release("failed"), "dry-run": release()}
    assert decide(helm).why == "its last revision is failed"


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"])
def test_what_a_killed_run_left_is_seen_although_helm_refuses_to_compare(door: Door, helm: Helm, status: str) -> None:
    door.answers["status"] = release(status)
    door.fails("dry-run", "Error: another operation (install/upgrade/rollback) is in progress\n")
    decision = decide(helm)
    assert decision.why == f"a run that was killed left it {status}"
    assert decision.live is not None
    assert decision.live.pending


def test_values_that_the_chart_refuses_stop_the_run_before_any_change(door: Door, helm: Helm) -> None:
    door.answers["status"] = release()
    door.fails("dry-run", "Error: execution error at (tea/templates/a.yaml): no\n")
    with pytest.raises(CommandError, match="execution error"):
        decide(helm, check=True)


def dry_runs(door: Door) -> list[bool]:
    """Of each dry run in turn, whether the server's schemas were asked."""
    return ["--disable-openapi-validation" not in words for words in door.seen if "--dry-run=server" in words]


def test_what_is_as_wanted_is_not_held_against_the_schemas_again(door: Door, helm: Helm) -> None:
    door.answers = {"status": release(values={"a": 1}), "dry-run": release(values={"a": 1})}
    decide(helm)
    assert dry_runs(door) == [False]


@pytest.mark.parametrize(("check", "asked"), [(False, [False, True]), (True, [True])])
def test_what_would_change_is_held_against_the_schemas(door: Door, helm: Helm, check: bool, asked: list[bool]) -> None:
    door.answers = {"status": release(manifest=MANIFEST % 1), "dry-run": release(manifest=MANIFEST % 2)}
    assert decide(helm, check=check).why
    assert dry_runs(door) == asked


def test_check_mode_takes_what_earlier_tasks_would_have_made_as_a_change(door: Door, helm: Helm) -> None:
    door.fails("status", "Error: release: not found\n")
    door.fails("dry-run", "Error: repo botyard not found\n")
    assert decide(helm, check=True).why == "it cannot be compared yet"
    with pytest.raises(CommandError):
        decide(helm, check=False)


def test_an_interrupted_upgrade_goes_back_to_the_last_good_revision(door: Door, helm: Helm) -> None:
    history = [
        {"revision": 1, "status": "superseded"},
        {"revision": 2, "status": "deployed"},
        {"revision": 3, "status": "failed"},
        {"revision": 4, "status": "pending-upgrade"},
    ]
    door.answers = {"status": release("pending-upgrade"), "history": json.dumps(history), "rollback": ""}
    live = helm.status("tea", "shop")
    assert live is not None
    said: list[str] = []
    assert releases.recover(helm, live, said.append) is True
    assert door.seen[-1][:3] == ["rollback", "tea", "2"]
    assert said == ["tea was left pending-upgrade: back to revision 2 first"]


def test_an_interrupted_first_install_is_removed(door: Door, helm: Helm) -> None:
    history = [{"revision": 1, "status": "pending-install"}]
    door.answers = {"status": release("pending-install"), "history": json.dumps(history), "uninstall": ""}
    live = helm.status("tea", "shop")
    assert live is not None
    assert releases.recover(helm, live, lambda _line: None) is False
    assert door.seen[-1][:2] == ["uninstall", "tea"]


def test_an_upgrade_resets_the_values_and_waits_the_way_that_ends(door: Door, helm: Helm) -> None:
    door.answers["upgrade"] = release()
    helm.upgrade("tea", "shop", PLAN.chart, [Path("v.yaml")], wait_s=60)
    words = door.seen[-1]
    assert {"--install", "--reset-values", "--wait=legacy", "--force-conflicts"} <= set(words)
    assert words[words.index("--timeout") + 1] == "60s"
    assert words[words.index("--version") + 1] == "0.1.0-habc"
    assert words[words.index("--kube-context") + 1] == "kind-tea"


def test_the_authors_way_reuses_the_values(door: Door, helm: Helm) -> None:
    door.answers["upgrade"] = release()
    helm.upgrade("tea", "shop", PLAN.chart, [], reuse_values=True)
    assert "--reuse-values" in door.seen[-1]
    assert "--reset-values" not in door.seen[-1]


def test_helm_has_a_home_of_its_own(door: Door, helm: Helm, tmp_path: Path) -> None:
    door.answers["status"] = release()
    helm.status("tea", "shop")
    ours = {key: value for key, value in door.env.items() if key not in ("HELM_DRIVER",)}
    assert all(value.startswith(str(tmp_path / "home")) for value in ours.values())
    assert {"HELM_CONFIG_HOME", "HELM_REPOSITORY_CONFIG", "HELM_REGISTRY_CONFIG", "KUBECACHEDIR"} <= set(ours)


def test_values_reach_helm_in_a_private_file_that_goes_away(tmp_path: Path) -> None:
    with releases.values_on_disk(PLAN, tmp_path / "values") as files:
        assert json.loads(files[-1].read_text()) == {"a": 1}
        assert stat.S_IMODE(files[-1].stat().st_mode) == 0o600
    assert list((tmp_path / "values").iterdir()) == []


def test_random_values_are_safe_anywhere_and_differ() -> None:
    made = {secrets.random_value() for _ in range(50)}
    assert len(made) == 50
    assert all(value.isalnum() and value.isascii() and value[0].isalpha() and len(value) == 40 for value in made)
