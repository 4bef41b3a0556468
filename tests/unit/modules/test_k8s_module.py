"""kubernetes.core.k8s against an API server that is a mapping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import Context, Paths, TimedOut
from botyard.modules import k8s
from botyard.targets import Target

DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "tea"}}
POD = {
    "metadata": {"name": "tea-1"},
    "spec": {"nodeName": "worker"},
    "status": {"containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "ErrImagePull"}}}]},
}


class Cluster:
    """What is live, by kind and name; what was deleted; and the selectors by which pods were asked for."""

    def __init__(self) -> None:
        self.live: dict[tuple[str, str], dict[str, Any]] = {}
        self.deleted: list[str] = []
        self.asked: list[str] = []

    def get(self, _version: str, kind: str, name: str, _namespace: str | None) -> dict[str, Any] | None:
        return self.live.get((kind, name))

    def delete(self, _version: str, kind: str, name: str, _namespace: str | None) -> bool:
        self.deleted.append(f"{kind}/{name}")
        return self.live.pop((kind, name), None) is not None

    def list(self, _version: str, _kind: str, _namespace: str | None, labels: str) -> list[dict[str, Any]]:
        self.asked.append(labels)
        return [POD]

    def apply(self, body: dict[str, Any], _namespace: str | None, **_more: Any) -> dict[str, Any]:
        return self.live.setdefault((body["kind"], body["metadata"]["name"]), body)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setattr(k8s, "Kube", lambda _file, _context: made)
    return made


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    (tmp_path / "kubeconfig").touch()
    return Context(check=False, diff=True, paths=Paths(tmp_path, tmp_path, tmp_path), target=Target(name="kind"))


def secret(**metadata: Any) -> dict[str, Any]:
    meta = {"name": "s", "uid": "1", **metadata}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {"a": "aHVzaA=="}}


def test_the_diff_of_a_deletion_shows_what_goes_without_its_secrets(cluster: Cluster, ctx: Context) -> None:
    cluster.live["Secret", "s"] = secret()
    args = k8s.Args(state="absent", kind="Secret", name="s")
    checked = k8s.run(args, Context(**{**vars(ctx), "check": True}))
    assert cluster.deleted == []
    done = k8s.run(args, ctx)
    assert cluster.deleted == ["Secret/s"]
    assert checked.diff == done.diff and done.diff[0].after == ""
    assert (
        '"a": "***"' in done.diff[0].before and "aHVzaA" not in done.diff[0].before and "uid" not in done.diff[0].before
    )
    assert k8s.run(args, ctx).changed is False


def test_what_is_on_its_way_out_is_not_deleted_again(cluster: Cluster, ctx: Context) -> None:
    cluster.live["Secret", "s"] = secret(deletionTimestamp="2026-01-01T00:00:00Z")
    done = k8s.run(k8s.Args(state="absent", kind="Secret", name="s"), ctx)
    assert (done.changed, cluster.deleted) == (False, [])
    with pytest.raises(TimedOut, match="the end of Secret/s"):
        k8s.run(k8s.Args(state="absent", kind="Secret", name="s", wait=True, wait_timeout=0), ctx)


def test_the_wait_for_a_deployment_names_what_blocks_its_own_pods(cluster: Cluster, ctx: Context) -> None:
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "tea", "tier": "web"}}}
    cluster.live["Deployment", "tea"] = {**DEPLOYMENT, "spec": spec, "status": {}}
    with pytest.raises(TimedOut, match=r"tea: 0 of 1 pods new; 0 of 1 pods Ready; tea-1 on worker: main: ErrImagePull"):
        k8s.run(k8s.Args(definition=DEPLOYMENT, wait=True, wait_timeout=0), ctx)
    assert cluster.asked[-1] == "app=tea,tier=web"
