"""Deploys noted in the cluster: what belongs together, what to go back to, and what can no longer be had."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import BadInput, BotyardError, Context, Paths
from botyard.modules import deploy_record
from botyard.release import deploys, unit
from botyard.targets import Target


class Cluster:
    """The ConfigMap, and Helm's Secrets by release and revision."""

    def __init__(self, **revisions: list[int]) -> None:
        self.text: str | None = None
        self.revisions = revisions
        self.statuses: dict[int, str] = {}  # of revisions other than deployed

    def get(self, _version: str, kind: str, name: str, _namespace: str) -> dict[str, Any] | None:
        assert (kind, name) == ("ConfigMap", deploys.CONFIG_MAP)
        return None if self.text is None else {"data": {"deploys": self.text}}

    def apply(self, body: dict[str, Any], *_: Any, dry_run: bool = False, **__: Any) -> dict[str, Any]:
        assert not dry_run and body["metadata"]["name"] == deploys.CONFIG_MAP
        self.text = body["data"]["deploys"]
        return body

    def list(self, _version: str, kind: str, _namespace: str, *, labels: str) -> list[dict[str, Any]]:
        assert kind == "Secret" and labels.startswith("owner=helm,name=")
        name = labels.rpartition("=")[2]
        return [_secret(name, one, self.statuses.get(one, "deployed")) for one in self.revisions.get(name, [])]


def _secret(name: str, revision: int, status: str) -> dict[str, Any]:
    chart = {"metadata": {"name": name, "version": "1"}}
    body = {"name": name, "version": revision, "info": {"status": status}, "chart": chart, "manifest": ""}
    twice = base64.b64encode(base64.b64encode(json.dumps(body).encode())).decode()
    return {"metadata": {"labels": {"version": str(revision), "status": status}}, "data": {"release": twice}}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster(rasa=[1], actions=[1])
    monkeypatch.setattr(deploy_record, "Kube", lambda *_: found)
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://forge")
    monkeypatch.setenv("GITHUB_REPOSITORY", "a/b")
    return found


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(check=False, diff=False, paths=Paths(tmp_path, tmp_path, tmp_path), target=Target(name="kind"))


NOTE = deploy_record.Args(state="recorded", namespace="n", releases=["actions", "rasa"], about={"bot": "tea"})


def chosen(number: int = 0) -> deploy_record.Args:
    return deploy_record.Args(state="chosen", namespace="n", number=number)


def test_a_deploy_is_noted_once_and_its_neighbour_is_what_one_goes_back_to(cluster: Cluster, ctx: Context) -> None:
    first = deploy_record.run(NOTE, ctx)
    assert first.changed and "deploy 1 of 2" in first.msg and "by ada in https://forge/a/b/actions/runs/7" in first.msg
    assert not deploy_record.run(NOTE, ctx).changed, "no release has moved"
    cluster.revisions["rasa"].append(2)
    assert deploy_record.run(NOTE, ctx).data["deploy"]["revisions"] == {"actions": 1, "rasa": 2}
    found = deploy_record.run(chosen(), ctx)
    assert not found.changed and found.data["deploy"]["revisions"] == {"actions": 1, "rasa": 1}
    assert deploy_record.run(chosen(2), ctx).data["deploy"]["number"] == 2


def test_check_mode_notes_nothing(cluster: Cluster, ctx: Context) -> None:
    ctx.check = True
    result = deploy_record.run(NOTE, ctx)
    assert (result.changed, result.msg, cluster.text) == (True, "would note deploy 1", None)


def test_only_the_last_ten_are_kept_and_numbers_go_on(cluster: Cluster, ctx: Context) -> None:
    for revision in range(2, 14):
        cluster.revisions["rasa"] = [revision]
        deploy_record.run(NOTE, ctx)
    kept = deploys.read(cluster, "n")  # type: ignore[arg-type]
    assert [one.number for one in kept] == list(range(3, 13))


def test_there_must_be_something_to_go_back_to(cluster: Cluster, ctx: Context) -> None:
    with pytest.raises(BadInput, match="no note of a deploy"):
        deploy_record.run(chosen(), ctx)
    deploy_record.run(NOTE, ctx)
    with pytest.raises(BadInput, match="seen one deploy"):
        deploy_record.run(chosen(), ctx)
    with pytest.raises(BadInput, match="there is no deploy 5") as caught:
        deploy_record.run(chosen(5), ctx)
    assert caught.value.cure == "choose from 1"


def test_a_revision_that_helm_has_dropped_is_told_before_anything_moves(cluster: Cluster, ctx: Context) -> None:
    deploy_record.run(NOTE, ctx)
    cluster.revisions["rasa"] = [2]
    deploy_record.run(NOTE, ctx)
    with pytest.raises(BadInput, match="revision 1 of release rasa, which Helm no longer keeps"):
        deploy_record.run(chosen(), ctx)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"number": 1}]', "not json"])
def test_a_note_that_somebody_spoilt_is_told_with_a_cure(cluster: Cluster, text: str) -> None:
    cluster.text = text
    if text == "{}":
        assert deploys.read(cluster, "n") == []  # type: ignore[arg-type]
        return
    with pytest.raises(BotyardError, match="cannot be read") as caught:
        deploys.read(cluster, "n")  # type: ignore[arg-type]
    assert "delete configmap" in caught.value.cure


def test_without_a_workflow_a_person_and_the_machine_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTOR", raising=False)
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    monkeypatch.setattr("socket.gethostname", lambda: "laptop")
    assert deploys.whoever_runs_this() == "ada@laptop"


def test_what_moved_goes_back_the_last_one_first(cluster: Cluster) -> None:
    cluster.revisions = {"actions": [1, 2], "rasa": [4, 5], "other": [1]}
    before = {"actions": 1, "rasa": 4, "other": 1, "new": 0}
    assert unit.changed(cluster, "n", before) == ["rasa", "actions"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statuses", "back_to"),
    [
        ({1: "superseded", 2: "deployed", 3: "pending-upgrade"}, 2),
        ({1: "superseded", 2: "deployed", 3: "failed"}, 2),
        ({1: "superseded", 2: "superseded", 3: "pending-rollback"}, 2),
        ({1: "failed", 2: "pending-install", 3: "uninstalling"}, 0),
        ({1: "superseded", 2: "superseded", 3: "deployed"}, 3),
    ],
)
def test_what_a_broken_off_deploy_left_is_nothing_to_go_back_to(
    cluster: Cluster, statuses: dict[int, str], back_to: int
) -> None:
    """The second run notes what served; where it fails too, that comes back and not what was half done."""
    cluster.revisions, cluster.statuses = {"rasa": [1, 2, 3]}, statuses
    assert unit.noted(cluster, "n", ["rasa"]) == {"rasa": back_to}  # type: ignore[arg-type]
    assert unit.changed(cluster, "n", {"rasa": back_to}) == (["rasa"] if back_to < 3 else [])  # type: ignore[arg-type]
