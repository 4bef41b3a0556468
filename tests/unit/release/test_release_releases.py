"""What is decided about a release, from what helm says; helm is replaced at the process door."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from botyard.contracts import BotyardError, CommandError
from botyard.process import Completed
from botyard.release import desired, releases, rollout, secrets, values_file
from botyard.tools import helm as helm_tool
from botyard.tools.helm import Chart, Helm, Release
from botyard.tools.kube import Kube

NO_KUBE = cast(Kube, None)  # nothing here may ask the API server
PLAN = releases.Plan("tea", "shop", Chart("botyard/tea", "0.1.0-habc"), values={"a": 1}, wait_s=60)
MANIFEST = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: tea}\ndata: {a: '%s'}\n"


CHART = {"metadata": {"name": "tea", "version": "0.1.0-habc"}}


def release(status: str = "deployed", manifest: str = "", values: Mapping[str, Any] | None = None, **more: Any) -> str:
    body = {"name": "tea", "namespace": "shop", "version": 3, "info": {"status": status}}
    return json.dumps({**body, "config": dict(values or {}), "manifest": manifest, "chart": CHART, **more})


class Door:
    """Answers helm commands by their first words; any other fails the test."""

    def __init__(self) -> None:
        self.common = {"version": "v4.3.1"}
        self.answers: dict[str, str | CommandError] = {}
        self.seen: list[list[str]] = []
        self.env: dict[str, str] = {}

    def run(self, argv: Sequence[object], *, timeout_s: float, env: Mapping[str, str] | None = None) -> Completed:
        words = [str(a) for a in argv][1:]
        self.seen.append(words)
        self.env = dict(env or {})
        key = "dry-run" if "--dry-run=server" in words else words[0]
        answer = self.answers.get(key, self.common.get(key))
        assert answer is not None, f"unexpected: helm {' '.join(words)}"
        if isinstance(answer, CommandError):
            raise answer
        return Completed([str(a) for a in argv], 0, answer, "", 0.0)

    def recorded(self, _kube: object, name: str, namespace: str) -> Release | None:
        """Stands for a look at the cluster: what helm would say to ``status``."""
        assert (name, namespace) == ("tea", "shop")
        answer = self.answers["status"]
        return None if isinstance(answer, CommandError) else helm_tool.release_of(json.loads(answer))

    def fails(self, key: str, stderr: str) -> None:
        self.answers[key] = CommandError(["helm", key], 1, "", stderr)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    door = Door()
    monkeypatch.setattr(helm_tool, "run", door.run)
    monkeypatch.setattr(releases, "recorded", door.recorded)
    helm_tool._version.cache_clear()
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


def test_another_version_of_the_chart_is_a_change_even_where_it_renders_the_same(door: Door, helm: Helm) -> None:
    door.answers = {"status": release(), "dry-run": release(chart={"metadata": {"name": "tea", "version": "0.2.0"}})}
    decision = decide(helm)
    assert decision.why == "its chart is tea-0.1.0-habc"
    assert [(d.before, d.after) for d in decision.diff] == [("tea-0.1.0-habc\n", "tea-0.2.0\n")]


def test_a_hook_that_renders_differently_is_a_change(door: Door, helm: Helm) -> None:
    old, new = ({"hooks": [{"name": "tea", "manifest": MANIFEST % n}]} for n in (1, 2))
    door.answers = {"status": release(**old), "dry-run": release(**new)}
    decision = decide(helm)
    assert decision.why == "its hooks would be rendered differently"
    assert [d.header for d in decision.diff] == ["ConfigMap/tea"]


def test_what_a_release_must_never_show_is_known_from_its_values_and_its_secrets(door: Door, helm: Helm) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: rendered}\n"
    hook = {"hooks": [{"manifest": secret.replace("rendered", "in-a-hook")}]}
    door.answers = {
        "status": release(values={"db": {"password": "old-one"}}),
        "dry-run": release(manifest=secret, values={"token": "new-one", "size": "big"}, **hook),
    }
    plan = decide(helm).known_to(replace(PLAN, hidden=frozenset({"known"})))
    assert plan.hidden == {"known", "old-one", "new-one", "rendered", "in-a-hook"}


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


@pytest.fixture
def evidence(monkeypatch: pytest.MonkeyPatch, door: Door) -> list[Path]:
    """The folders that evidence went to, each with a word in what the door saw."""
    folders: list[Path] = []

    def collect(_kube: Kube, _plan: releases.Plan, folder: Path) -> str:
        folders.append(folder)
        door.seen.append(["evidence"])
        return "tea-1: ImagePullBackOff"

    monkeypatch.setattr(rollout, "collected", collect)
    return folders


def test_an_interrupted_upgrade_goes_back_to_the_last_good_revision(
    door: Door, helm: Helm, evidence: list[Path], tmp_path: Path
) -> None:
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
    assert rollout.recover(helm, NO_KUBE, PLAN, live, tmp_path, said.append) is True
    assert door.seen[-1][:3] == ["rollback", "tea", "2"]
    assert door.seen[1] == ["evidence"], "before anything is put back"
    assert said[1:] == ["tea: tea-1: ImagePullBackOff", "tea goes back to revision 2 first"]
    assert evidence == [tmp_path]


def test_an_interrupted_first_install_is_removed(door: Door, helm: Helm, evidence: list[Path], tmp_path: Path) -> None:
    history = [{"revision": 1, "status": "pending-install"}]
    door.answers = {"status": release("pending-install"), "history": json.dumps(history), "uninstall": ""}
    live = helm.status("tea", "shop")
    assert live is not None
    assert rollout.recover(helm, NO_KUBE, PLAN, live, tmp_path, lambda _line: None) is False
    assert door.seen[-1][:2] == ["uninstall", "tea"]
    assert evidence == [tmp_path]


def test_an_upgrade_resets_the_values_and_waits_the_way_that_ends(door: Door, helm: Helm) -> None:
    door.answers["upgrade"] = release()
    helm.upgrade("tea", "shop", PLAN.chart, [Path("v.yaml")], wait_s=60)
    words = door.seen[-1]
    assert {"--install", "--reset-values", "--wait=legacy", "--force-conflicts"} <= set(words)
    assert words[words.index("--timeout") + 1] == "60s"
    assert words[words.index("--version") + 1] == "0.1.0-habc"
    assert words[words.index("--kube-context") + 1] == "kind-tea"


HELM_4_ONLY = {"--wait=legacy", "--server-side=true", "--force-conflicts"}


@pytest.mark.parametrize(("said", "is_4"), [("v3.19.5", False), ("v4.3.1", True), ("v4.3", True), ("4.0.0", True)])
def test_each_helm_gets_the_flags_that_it_knows(door: Door, helm: Helm, said: str, is_4: bool) -> None:
    door.answers = {"version": f"{said}\n", "upgrade": release(), "rollback": "", "uninstall": ""}
    helm.upgrade("tea", "shop", PLAN.chart, [], wait_s=60)
    helm.rollback("tea", "shop", 1)
    helm.uninstall("tea", "shop")
    calls = {words[0]: set(words) for words in door.seen}
    assert HELM_4_ONLY & calls["upgrade"] == (HELM_4_ONLY if is_4 else set())
    assert ("--wait" in calls["upgrade"]) is not is_4
    assert HELM_4_ONLY & calls["rollback"] == (HELM_4_ONLY - {"--wait=legacy"} if is_4 else set())
    assert ("--wait" in calls["uninstall"]) is not is_4
    assert [words[0] for words in door.seen].count("version") == 1, "asked once"


def test_deciding_starts_one_helm_alone(door: Door, helm: Helm) -> None:
    """And asks for no version, as a dry run is the same in both."""
    door.answers = {"status": release(), "dry-run": release()}
    decide(helm)
    assert [words[0] for words in door.seen] == ["upgrade"]


@pytest.mark.parametrize(("said", "words"), [("v3.12.3", "too old"), ("v2.17.0", "too old"), ("hello", "is no helm")])
def test_what_is_no_helm_of_use_is_refused(door: Door, helm: Helm, said: str, words: str) -> None:
    door.answers["version"] = said
    with pytest.raises(BotyardError, match=words):
        helm.rollback("tea", "shop", 1)
    assert [w[0] for w in door.seen] == ["version"]


def test_the_authors_way_reuses_the_values(door: Door, helm: Helm) -> None:
    door.answers["upgrade"] = release()
    helm.upgrade("tea", "shop", PLAN.chart, [], reuse_values=True)
    assert "--reuse-values" in door.seen[-1]
    assert "--reset-values" not in door.seen[-1]


def test_helm_has_a_home_of_its_own(door: Door, helm: Helm, tmp_path: Path) -> None:
    door.answers["status"] = release()
    helm.status("tea", "shop")
    ours = {key: value for key, value in door.env.items() if key not in ("HELM_DRIVER",)}
    assert all(value.startswith(str(tmp_path / "home")) for value in ours.values() if value)
    assert {key for key, value in ours.items() if not value} >= {"HELM_KUBEAPISERVER", "HELM_KUBETOKEN", "KUBECONFIG"}
    assert {"HELM_CONFIG_HOME", "HELM_REPOSITORY_CONFIG", "HELM_REGISTRY_CONFIG", "KUBECACHEDIR"} <= set(ours)


def test_values_reach_helm_in_a_private_file_that_goes_away(tmp_path: Path) -> None:
    with values_file.on_disk(PLAN, tmp_path / "values") as files:
        assert json.loads(files[-1].read_text()) == {"a": 1}
        assert stat.S_IMODE(files[-1].stat().st_mode) == 0o600
    assert list((tmp_path / "values").iterdir()) == []


def test_values_that_a_killed_run_left_go_and_those_of_a_living_one_stay(tmp_path: Path) -> None:
    dead, living = tmp_path / "shop-tea-99999999.json", tmp_path / "shop-milk-1.json"
    for file in (dead, living):
        file.write_text("{}")
    with values_file.on_disk(PLAN, tmp_path):
        assert not dead.exists() and living.exists()


def test_random_values_are_safe_anywhere_and_differ() -> None:
    made = {secrets.random_value() for _ in range(50)}
    assert len(made) == 50
    assert all(value.isalnum() and value.isascii() and value[0].isalpha() and len(value) == 40 for value in made)


SCALED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: tea}
spec: {%s template: {a: %s}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: tea}
spec: {scaleTargetRef: {kind: Deployment, name: tea}}
"""


class Scaled:
    """A cluster whose autoscaler made it seven; a dry run of the apply takes what the body says."""

    dynamic = None

    def __init__(self, template: int = 1) -> None:
        self.spec = {"replicas": 7, "template": {"a": template}}

    def get(self, _version: str, kind: str, name: str, _namespace: str | None = None) -> dict[str, Any]:
        body = desired.load_documents(SCALED % ("", 1))[0 if kind == "Deployment" else 1]
        labels = {"app.kubernetes.io/managed-by": "Helm"}
        notes = {"meta.helm.sh/release-name": "tea", "meta.helm.sh/release-namespace": "shop"}
        body["metadata"] |= {"labels": labels, "annotations": notes}
        return body | ({"spec": dict(self.spec)} if kind == "Deployment" else {})

    def place(self, _version: str, kind: str, _namespace: str | None, name: str) -> str:
        return f"/{kind}/{name}"

    def apply(self, body: dict[str, Any], _namespace: str | None, **_options: Any) -> dict[str, Any]:
        live = self.get("", body["kind"], "tea")
        if body["kind"] == "Deployment" and "replicas" not in body["spec"]:
            live["spec"]["replicas"] = 1
        return {**live, **body, "spec": {**live["spec"], **body["spec"]}}


@pytest.mark.parametrize(("before", "now"), [("", ""), ("replicas: 2,", "replicas: 5,"), ("replicas: 2,", "")])
def test_a_release_run_does_not_fight_the_autoscaler(door: Door, helm: Helm, before: str, now: str) -> None:
    """Neither how many there are now nor how many a manifest says is a change, where an autoscaler decides."""
    door.answers |= {"status": release(manifest=SCALED % (before, 1)), "dry-run": release(manifest=SCALED % (now, 1))}
    plan = replace(PLAN, values={})
    assert releases.decide(helm, cast(Kube, Scaled()), plan, []).why == ""


def test_other_fields_of_what_an_autoscaler_scales_still_count(door: Door, helm: Helm) -> None:
    plan = replace(PLAN, values={})
    same = release(manifest=SCALED % ("replicas: 2,", 1))
    door.answers |= {"status": same, "dry-run": release(manifest=SCALED % ("replicas: 2,", 2))}
    decision = releases.decide(helm, cast(Kube, Scaled()), plan, [])
    assert decision.why == "it would be rendered differently" and [d.header for d in decision.diff] == [
        "Deployment/tea"
    ]
    door.answers["dry-run"] = same
    drift = releases.decide(helm, cast(Kube, Scaled(template=9)), plan, []).why
    assert drift == "the cluster differs from it: Deployment/tea"


def test_a_count_that_no_autoscaler_decides_is_a_change(door: Door, helm: Helm) -> None:
    alone = SCALED.split("---")[0]
    old, new = (release(manifest=alone % (f"replicas: {n},", 1)) for n in (2, 5))
    door.answers |= {"status": old, "dry-run": new}
    assert decide(helm).why == "it would be rendered differently"
