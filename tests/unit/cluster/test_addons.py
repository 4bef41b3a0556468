"""metrics-server and the load balancer: their manifests, and when something is changed."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from botyard.contracts import Context, Paths
from botyard.host import addons, cluster_health, lockfile, recipe, sources, toolbox
from botyard.host.addons import Images
from botyard.modules import addons as module
from botyard.release import desired
from botyard.targets import Target
from botyard.tools import docker

ROOT = Path(__file__).parents[3]
REFS = {name: f"localhost:5001/botyard/{name}@sha256:{'0' * 64}" for name in addons.ADDONS}


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    """No metrics-server starts here, so nobody waits for one."""
    monkeypatch.setattr(module.metrics_api, "wait", lambda *_: None)


def bodies(refs: dict[str, str] | None = None) -> list[dict[str, Any]]:
    return module._bodies(REFS if refs is None else refs)


def of(kind: str) -> dict[str, dict[str, Any]]:
    return {body["metadata"]["name"]: body for body in bodies() if body["kind"] == kind}


def test_kubernetes_takes_the_manifests() -> None:
    for body in bodies():
        if body["kind"] != "APIService":  # its schema is not among those that the validator brings
            kubernetes_validate.validate(body, "1.34", strict=True)


def test_an_addon_that_does_not_start_is_no_reason_to_make_the_cluster_anew() -> None:
    deployments = of("Deployment")
    assert set(deployments) == set(addons.ADDONS)
    for body in deployments.values():
        assert cluster_health.ADDON_LABEL in body["spec"]["template"]["metadata"]["labels"]


def test_the_load_balancer_may_do_no_more_than_it_needs() -> None:
    rules = of("ClusterRole")["botyard:load-balancer"]["rules"]
    assert [(rule["resources"], rule["verbs"]) for rule in rules] == [
        (["services"], ["get", "list", "watch"]),
        (["services/status"], ["patch"]),
    ]
    (container,) = of("Deployment")["load-balancer"]["spec"]["template"]["spec"]["containers"]
    context = container["securityContext"]
    assert context["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]}
    assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]


def test_images_are_named_by_digest_and_another_one_is_another_content() -> None:
    for name, body in of("Deployment").items():
        (container,) = body["spec"]["template"]["spec"]["containers"]
        assert container["image"] == REFS[name]
    other = {**REFS, addons.LOAD_BALANCER: "localhost:5001/botyard/load-balancer@sha256:other"}
    notes = [[b["metadata"]["annotations"][addons.CONTENT] for b in bodies(refs)] for refs in (REFS, other)]
    assert sum(a != b for a, b in zip(*notes, strict=True)) == 1
    assert notes[0] == [b["metadata"]["annotations"][addons.CONTENT] for b in bodies()]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "b"}},
         "/api/v1/namespaces/b/services/a"),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "b"}},
         "/apis/apps/v1/namespaces/b/deployments/a"),
        ({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a:b"}},
         "/apis/rbac.authorization.k8s.io/v1/clusterroles/a:b"),
    ],
)  # fmt: skip
def test_objects_are_read_by_their_path(body: dict[str, Any], path: str) -> None:
    assert addons.path_of(body) == path


def test_what_the_server_adds_does_not_count_and_what_it_lacks_does() -> None:
    body = {"a": {"b": [1, {"c": 2}]}}
    assert addons.holds({"a": {"b": [1, {"c": 2, "d": 3}], "e": 4}, "f": 5}, body)
    for live in (None, {}, {"a": None}, {"a": {"b": [1]}}, {"a": {"b": [1, {"c": 3}]}}, {"a": {"b": [{"c": 2}, 1]}}):
        assert not addons.holds(live, body)


def _required(name: str) -> tuple[dict[str, str], set[str]]:
    text = (recipe.FOLDER / name / "go.mod").read_text()
    blocks = re.findall(r"^require \(\n(.*?)^\)", text, re.MULTILINE | re.DOTALL)
    pairs = dict(re.findall(r"^\t(\S+) (v\S+)", "".join(blocks), re.MULTILINE))
    return pairs, set(re.findall(r"\S+ => \S+ v\S+", text))


def test_metrics_server_is_compiled_from_the_modules_that_kubernetes_is_compiled_from() -> None:
    """Go keeps what it compiled by the module's version: another one of any would be compiled once more."""
    ours, replaced = _required("metrics-server")
    theirs, kubernetes = _required("kubernetes")
    shared = ours.keys() & theirs.keys()
    assert len(shared) > 80
    # It is not compiled in: only tests of others need it.
    assert {name for name in shared if ours[name] != theirs[name]} <= {"github.com/pmezard/go-difflib"}
    assert replaced == kubernetes


class Cluster:
    """Objects by path, as the API server shows them; a dry run stores nothing."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.reads = 0
        self.silent = False

    def answers(self) -> bool:
        return not self.silent

    def read(self, path: str) -> dict[str, Any] | None:
        self.reads += 1
        return self.objects.get(path)

    def get(self, version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        meta = {"name": name, **({"namespace": namespace} if namespace else {})}
        return self.objects.get(addons.path_of({"apiVersion": version, "kind": kind, "metadata": meta}))

    def apply(self, body: dict[str, Any], _ns: str | None = None, dry_run: bool = False, **_: Any) -> dict[str, Any]:
        live = {**copy.deepcopy(body), "status": {}}
        if not dry_run:
            self.objects[addons.path_of(body)] = live
        return live


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster()
    monkeypatch.setattr(module, "Kube", lambda *_: found)
    return found


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ``provide`` says that it made."""
    found: list[str] = []
    monkeypatch.setattr(module.addons, "provide", lambda *_a, **_k: Images(dict(REFS), list(found)))
    return found


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    paths = Paths(ROOT, tmp_path / "state", tmp_path / "cache")
    paths.state.mkdir()
    (paths.state / "kubeconfig").touch()
    return Context(check=False, diff=True, paths=paths, target=Target(name="kind"))


ARGS = module.Args(base="debian:x")


def test_created_once_then_left_alone_then_put_right(cluster: Cluster, made: list[str], ctx: Context) -> None:
    ctx.check = True
    first = module.run(ARGS, ctx)
    assert first.changed and first.msg.startswith("would be applied: ") and not cluster.objects
    ctx.check = False
    assert module.run(ARGS, ctx).changed
    assert len(cluster.objects) == 13
    again = module.run(ARGS, ctx)
    assert (again.changed, again.msg) == (False, "load-balancer and metrics-server are as wanted")
    del cluster.objects["/apis/apps/v1/namespaces/kube-system/deployments/load-balancer"]
    back = module.run(ARGS, ctx)
    assert (back.changed, [d.header for d in back.diff]) == (True, ["Deployment/load-balancer"])


def test_a_cluster_that_is_as_wanted_is_asked_by_plain_reads_alone(
    cluster: Cluster, made: list[str], ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    module.run(ARGS, ctx)
    monkeypatch.setattr(desired, "difference", lambda *_: pytest.fail("a dry run was asked for"))
    cluster.reads = 0
    assert not module.run(ARGS, ctx).changed
    assert cluster.reads == 13


def test_a_field_that_somebody_changed_is_put_back(cluster: Cluster, made: list[str], ctx: Context) -> None:
    module.run(ARGS, ctx)
    deployment = cluster.objects["/apis/apps/v1/namespaces/kube-system/deployments/metrics-server"]
    deployment["spec"]["replicas"] = 0
    assert module.run(ARGS, ctx).changed
    assert not module.run(ARGS, ctx).changed


def test_images_made_anew_are_told(cluster: Cluster, made: list[str], ctx: Context) -> None:
    module.run(ARGS, ctx)
    made.append("load-balancer")
    result = module.run(ARGS, ctx)
    assert (result.changed, result.msg) == (True, "built or pushed: load-balancer")


def test_without_a_cluster_check_mode_says_so(made: list[str], ctx: Context) -> None:
    (ctx.paths.state / "kubeconfig").unlink()
    ctx.check = True
    assert module.run(ARGS, ctx).msg == "there is no cluster yet"


def test_a_cluster_that_an_earlier_task_would_bring_back_is_no_error(
    cluster: Cluster, made: list[str], ctx: Context
) -> None:
    cluster.silent = ctx.check = True
    result = module.run(ARGS, ctx)
    assert (result.changed, result.msg) == (True, "the cluster does not answer yet")


def provide(mode: str, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> Images:
    chosen = sources.Choice(mode=mode, why="")  # type: ignore[arg-type]
    monkeypatch.setattr(sources, "choose", lambda *_a, **_k: chosen)
    monkeypatch.setattr(docker, "image", lambda _ref: None)
    monkeypatch.setattr("botyard.tools.registry_api.Registry.answers", lambda _self: False)
    return addons.provide(ctx.paths, ctx.target, "debian:x", print, check=True)


def test_from_registries_upstreams_metrics_server_goes_into_the_clusters_registry(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolbox, "ensure", lambda *_a, **_k: pytest.fail("built from packages"))
    monkeypatch.setattr(addons.upstream, "pull", lambda *_: pytest.fail("pulled in check mode"))
    specs: list[Any] = []
    observe = addons.images.observe
    monkeypatch.setattr(
        addons.images, "observe", lambda given, *a, **k: (specs.extend(given), observe(given, *a, **k))[1]
    )
    found = provide("registries", ctx, monkeypatch)
    assert (found.refs, found.made) == ({}, ["load-balancer", "metrics-server"])
    digest = lockfile.read(ROOT).images[addons.UPSTREAM_IMAGE].digest
    assert specs[1].build_args == {"BASE": f"registry.k8s.io/metrics-server/metrics-server@{digest}"}


def test_upstreams_metrics_server_has_the_version_that_is_built() -> None:
    assert addons.UPSTREAM_IMAGE.endswith(f":{recipe.RECIPES[addons.METRICS_SERVER].version}")


def test_from_packages_the_program_decides_the_image(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    program = ctx.paths.cache / "v1-key-go1" / "metrics-server"
    tool = toolbox.Tool("metrics-server", program, changed=True)
    monkeypatch.setattr(toolbox, "ensure", lambda *_a, **_k: [tool])
    assert provide("packages", ctx, monkeypatch).made == ["metrics-server", "load-balancer"]


def test_the_manifests_hold_no_image_that_nobody_makes() -> None:
    text = "".join((addons.MANIFESTS / f"{name}.yaml").read_text() for name in addons.ADDONS)
    assert sorted(re.findall(r"image: (\S+)", text)) == ["botyard/load-balancer", "botyard/metrics-server"]
    assert json.dumps(bodies({})).count("botyard/load-balancer") == 1
