"""A look at a release that need not be taken again, and all that makes it necessary; helm and server are fakes."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import os
import stat
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from botyard.contracts import BotyardError
from botyard.process import Completed
from botyard.release import releases, remembered
from botyard.tools import helm as helm_tool
from botyard.tools.helm import Chart, Helm
from botyard.tools.kube import Kube
from botyard.tools.kube_http import Answer

NS = "/api/v1/namespaces/shop"
CONFIG, SECRET, SECRETS = f"{NS}/configmaps/tea", f"{NS}/secrets/tea", f"{NS}/secrets"
DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/tea"
PLURALS = {"ConfigMap": "configmaps", "Secret": "secrets", "Deployment": "deployments"}
MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: tea}
data: {a: '1'}
---
apiVersion: v1
kind: Secret
metadata: {name: tea}
data: {token: c2VjcmV0LXdvcmQ=}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: tea}
spec: {replicas: 1}
"""
OWNED = [
    {"manager": "helm", "operation": "Apply", "time": "t1", "fieldsV1": {"f:data": {}}},
    {"manager": "controller", "subresource": "status", "time": "t1", "fieldsV1": {"f:status": {}}},
]
LOOKS_UP = '{{ lookup "v1" "Secret" .Release.Namespace "x" }}'


class Cluster:
    """Objects by their API path; an apply that would change nothing but what ``dry_run`` says. Any other call fails."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.fixed: dict[str, bytes] = {"/version": b"v1.34.4", "/api": b"v1", "/apis": b"apps/v1"}
        self.applied = 0
        for kind in PLURALS:
            path = self.place("apps/v1" if kind == "Deployment" else "v1", kind, "shop", "tea")
            self.objects[path] = {
                "kind": kind,
                "apiVersion": "apps/v1" if kind == "Deployment" else "v1",
                "metadata": {"name": "tea", "namespace": "shop", "uid": kind, "resourceVersion": "7",
                             "generation": 1, "managedFields": copy.deepcopy(OWNED)},
            }  # fmt: skip
        self.objects[CONFIG]["data"] = {"a": "1"}
        self.objects[SECRET]["data"] = {"token": "c2VjcmV0LXdvcmQ="}
        self.objects[DEPLOYMENT]["spec"] = {"replicas": 1}
        ready = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
        self.objects[DEPLOYMENT]["status"] = ready
        self.objects[f"{SECRETS}/sh.helm.release.v1.tea.v3"] = {
            "metadata": {"name": "tea.v3", "uid": "r", "resourceVersion": "3", "labels": {"owner": "helm"}}
        }  # fmt: skip

    def place(self, api_version: str, kind: str, namespace: str | None = None, name: str = "") -> str:
        assert namespace == "shop"
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        return f"{root}/namespaces/shop/{PLURALS[kind]}" + (f"/{name}" if name else "")

    def place_or_none(self, api_version: str, kind: str, namespace: str) -> str | None:
        return self.place(api_version, kind, namespace) if kind in PLURALS else None

    def ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        assert method == "GET"
        if path in self.fixed:
            return Answer(200, "OK", self.fixed[path])
        if path == SECRETS:
            assert headers is not None and "PartialObjectMetadataList" in headers["Accept"], "no secrets are fetched"
            every = [body for name, body in self.objects.items() if name.startswith(f"{SECRETS}/")]
            if query:
                assert query == {"labelSelector": "owner=helm,name=tea"}
                every = [body for body in every if body["metadata"].get("labels")]
            return Answer(200, "OK", json.dumps({"items": every}).encode())
        assert not query
        found = self.objects.get(path)
        return Answer(200, "OK", json.dumps(found).encode()) if found else Answer(404, "Not Found", b"{}")

    def get(self, api_version: str, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        return copy.deepcopy(self.objects.get(self.place(api_version, kind, namespace, name)))

    def apply(self, body: dict[str, Any], namespace: str, *, dry_run: bool, field_manager: str) -> dict[str, Any]:
        assert dry_run and field_manager == "helm"
        self.applied += 1
        live = copy.deepcopy(
            self.objects[self.place(body["apiVersion"], body["kind"], namespace, body["metadata"]["name"])]
        )
        for key in ("data", "spec"):
            if key in body:
                live[key] = {**(live.get(key) or {}), **body[key]}
        return live


class World:
    """A plan, its chart and a cluster that is as the plan wants it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = Cluster()
        self.chart = folder / "chart"
        (self.chart / "templates").mkdir(parents=True)
        (self.chart / "Chart.yaml").write_text("name: tea\nversion: 0.1.0\n")
        self.template.write_text("data: {{ .Values.a }}\n")
        self.values = folder / "values.yaml"
        self.values.write_text("a: 1\n")
        self.binary = folder / "helm"
        self.binary.write_text("4.3.1")
        self.plan = releases.Plan(
            "tea", "shop", Chart(str(self.chart)), values_files=(self.values,), values={"b": 2}, wait_s=60
        )
        self.live: dict[str, Any] = {
            "name": "tea", "namespace": "shop", "version": 3, "info": {"status": "deployed"},
            "config": {"a": 1, "b": 2},
            "manifest": MANIFEST, "chart": {"metadata": {"name": "tea", "version": "0.1.0"}},
        }  # fmt: skip
        self.rendered = copy.deepcopy(self.live)
        self.meanwhile: Callable[[], object] = lambda: None
        self.renderings = 0

    @property
    def template(self) -> Path:
        return self.chart / "templates" / "config.yaml"

    @property
    def helm(self) -> Helm:
        return Helm(self.binary, self.folder / "home", self.folder / "kubeconfig", "kind-tea")

    def run(self, argv: Sequence[object], *, timeout_s: float, env: Mapping[str, str] | None = None) -> Completed:
        words = [str(word) for word in argv]
        if words[1] == "version":
            return Completed(words, 0, f"v{self.binary.read_text()}", "", 0.0)
        assert "--dry-run=server" in words, words
        self.renderings += 1
        self.meanwhile()
        return Completed(words, 0, json.dumps(self.rendered), "", 0.0)

    def memory(self) -> remembered.Memory:
        return remembered.Memory(self.folder / "home" / "seen", self.helm, cast(Kube, self.cluster), self.plan)

    def full_look(self) -> releases.Decision:
        memory = self.memory()
        memory.before_a_look()
        files = [*self.plan.values_files]
        decision = releases.decide(self.helm, cast(Kube, self.cluster), self.plan, files)
        memory.keep(decision)
        return decision

    def known(self, ready: bool = True) -> remembered.Known | None:
        before = self.renderings, self.cluster.applied
        found = self.memory().same(ready=ready)
        assert (self.renderings, self.cluster.applied) == before, "asked from memory alone"
        return found


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    monkeypatch.setattr(helm_tool, "run", world.run)
    monkeypatch.setattr(releases, "recorded", lambda *_: helm_tool.release_of(world.live))
    helm_tool._version.cache_clear()
    return world


def test_what_was_found_as_wanted_is_known_without_helm_and_without_a_dry_run(world: World) -> None:
    assert world.known() is None
    assert world.full_look().why == ""
    assert (world.renderings, world.cluster.applied) == (1, 3)
    known = world.known()
    assert known is not None
    assert (known.release.revision, known.release.status, known.release.namespace) == (3, "deployed", "shop")


def test_the_file_is_private_and_holds_no_value(world: World) -> None:
    world.full_look()
    file = world.memory().file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    text = file.read_text()
    assert "secret-word" not in text and "c2VjcmV0LXdvcmQ" not in text
    assert list(file.parent.iterdir()) == [file]


def test_values_of_secrets_are_still_hidden(world: World) -> None:
    world.full_look()
    known = world.known()
    assert known is not None and {"secret-word", "c2VjcmV0LXdvcmQ="} <= set(known.hidden)


def another_binary(world: World) -> None:
    before = world.binary.stat()
    world.binary.write_text("4.3.2")
    os.utime(world.binary, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def touched(path: str, *keys: str, to: Any) -> Callable[[World], None]:
    def change(world: World) -> None:
        at = world.cluster.objects[path]
        for key in keys[:-1]:
            at = at.setdefault(key, {})
        at[keys[-1]] = to

    return change


def planned(**changes: Any) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.plan = replace(world.plan, **changes)

    return change


def owned_by_another(world: World) -> None:
    world.cluster.objects[CONFIG]["metadata"]["managedFields"][0]["manager"] = "kubectl"


RECORD = f"{SECRETS}/sh.helm.release.v1.tea.v3"
CHANGES: dict[str, Callable[[World], object]] = {
    "a template": lambda w: w.template.write_text("data: other\n"),
    "one file more in the chart": lambda w: (w.chart / "templates" / "b.yaml").write_text(""),
    "a file of the chart is called otherwise": lambda w: w.template.rename(w.template.with_name("other.yaml")),
    "a link in the chart": lambda w: (w.chart / "link").symlink_to(w.values),
    "no chart": lambda w: (w.chart / "Chart.yaml").unlink(),
    "a values file's content": lambda w: w.values.write_text("a: 2\n"),
    "the release values": planned(values={"b": 3}),
    "one values file less": planned(values_files=()),
    "another version": planned(chart=Chart("elsewhere", "1")),
    "values are reused": planned(reuse_values=True),
    "values are not reset": planned(reset_values=False),
    "the namespace is to be made": planned(create_namespace=True),
    "another helm": another_binary,
    "no helm": lambda w: w.binary.unlink(),
    "a new API server": lambda w: w.cluster.fixed.update({"/version": b"v1.35.0"}),
    "a new kind": lambda w: w.cluster.fixed.update({"/apis": b"apps/v1 monitoring/v1"}),
    "a new core kind": lambda w: w.cluster.fixed.update({"/api": b"v1 v2"}),
    "helm's record has changed": touched(RECORD, "metadata", "resourceVersion", to="4"),
    "helm's record is of another cluster": touched(RECORD, "metadata", "uid", to="other"),
    "helm's record is gone": lambda w: w.cluster.objects.pop(RECORD),
    "a revision more": lambda w: w.cluster.objects.update(
        {f"{SECRETS}/four": {"metadata": {"name": "four", "uid": "f", "resourceVersion": "9", "labels": {"a": "b"}}}}
    ),
    "an object is gone": lambda w: w.cluster.objects.pop(CONFIG),
    "an object changed by hand": touched(CONFIG, "data", to={"a": "by hand"}),
    "a key put in by hand": touched(CONFIG, "data", "b", to="by hand"),
    "a Secret changed by hand": touched(SECRET, "data", to={"token": "eA=="}),
    "a Deployment scaled by hand": touched(DEPLOYMENT, "spec", "replicas", to=2),
    "a label put on by hand": touched(CONFIG, "metadata", "labels", to={"by": "hand"}),
    "an annotation put on by hand": touched(CONFIG, "metadata", "annotations", to={"by": "hand"}),
    "an object on its way out": touched(CONFIG, "metadata", "deletionTimestamp", to="now"),
    "a field that another one owns now": owned_by_another,
    "a Deployment that is not ready": touched(DEPLOYMENT, "status", "availableReplicas", to=0),
}


@pytest.mark.parametrize("what", CHANGES)
def test_one_thing_that_has_changed_means_a_full_look(world: World, what: str) -> None:
    world.full_look()
    assert world.known() is not None
    CHANGES[what](world)
    assert world.known() is None


def test_what_the_server_counts_and_reports_does_not_matter(world: World) -> None:
    world.full_look()
    for body in (world.cluster.objects[path] for path in (CONFIG, SECRET, DEPLOYMENT)):
        body["metadata"] |= {"resourceVersion": "99"}
        for entry in body["metadata"]["managedFields"]:
            entry["time"] = "t2"
        body["metadata"]["managedFields"][1]["fieldsV1"] = {"f:status": {"f:more": {}}}
    world.cluster.objects[DEPLOYMENT]["status"]["conditions"] = [{"type": "Available"}]
    assert world.known() is not None


def test_readiness_counts_only_where_it_is_waited_for(world: World) -> None:
    world.full_look()
    world.cluster.objects[DEPLOYMENT]["status"] = {}
    assert world.known(ready=True) is None
    assert world.known(ready=False) is not None


def test_the_users_own_settings_of_helm_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.full_look()
    monkeypatch.setenv("HELM_KUBEASUSER", "someone")
    assert world.known() is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"world": 1}', '{"world": "x", "lookups": 3, "objects": {}, "revision": 1}']
)
def test_a_file_that_is_something_else_is_as_none(world: World, text: str) -> None:
    world.full_look()
    world.memory().file.write_text(text)
    assert world.known() is None
    assert world.full_look().why == ""
    assert world.known() is not None


def test_a_look_that_found_something_to_do_is_not_remembered_and_nor_is_what_was_known(world: World) -> None:
    world.full_look()
    world.rendered["manifest"] = MANIFEST.replace("'1'", "'2'")
    assert world.full_look().why == "it would be rendered differently"
    assert not world.memory().file.exists()


@pytest.mark.parametrize("what", ["a template", "a values file's content", "helm's record has changed", "a new kind"])
def test_what_changes_during_a_look_is_not_remembered(world: World, what: str) -> None:
    world.meanwhile = lambda: CHANGES[what](world)
    assert world.full_look().why == ""
    assert not world.memory().file.exists()


def test_an_object_that_changes_after_it_was_compared_is_found(world: World) -> None:
    memory = world.memory()
    memory.before_a_look()
    decision = releases.decide(world.helm, cast(Kube, world.cluster), world.plan, [])
    CHANGES["an object changed by hand"](world)
    memory.keep(decision)
    assert memory.file.exists() and world.known() is None


def test_hooks_with_a_secret_are_not_remembered_as_nobody_would_hide_it(world: World) -> None:
    hook = {"hooks": [{"manifest": "kind: Secret\napiVersion: v1\nmetadata: {name: h}\ndata: {a: eA==}\n"}]}
    world.live |= hook
    world.rendered |= hook
    world.full_look()
    assert not world.memory().file.exists()


FORESEEABLE = [
    "{{ .Values.a }} and now", "{{/* not now */}}", '{{ fail "not now" }}', "now {{ `date` }}",
    "{{ randAlphaNum 32 | default .a }}", LOOKS_UP,
    LOOKS_UP.replace(".Release", "$.Release"), LOOKS_UP.replace("Secret", "NoSuchKind"),
    '{{ fail "}} now" }}', 'a "{{" b',
]  # fmt: skip
UNFORESEEABLE = [
    "{{ now }}", '{{ date "2006" .a }}', "{{- if gt (now | unixEpoch) 3 }}", "{{ randInt 0 2 }}",
    '{{ getHostByName "a" }}', '{{ fail "}}" (now) }}', '{{ " {{ now }}', '{{ "a" }} it\'s "{{ now }}',
    '{{ lookup "v1" "Secret" "other" "x" }}', '{{ lookup .Values.v "Secret" .Release.Namespace "x" }}',
    '{{ lookup "v1" "Node" "" "" }}', LOOKS_UP.replace(" }}", "") + ' (lookup "v1" "Node" "" "") }}', "{{\n  now\n}}",
]  # fmt: skip


@pytest.mark.parametrize(("text", "kept"), [*((t, True) for t in FORESEEABLE), *((t, False) for t in UNFORESEEABLE)])
@pytest.mark.parametrize("where", ["template", "values file", "release values"])
def test_templates_that_ask_for_more_than_can_be_held_against_the_last_look(
    world: World, text: str, kept: bool, where: str
) -> None:
    if where == "template":
        world.template.write_text(text)
    elif where == "values file":
        world.values.write_text(text)
    else:
        world.plan = replace(world.plan, values={"deep": [{"text": text}]})
    world.full_look()
    assert world.memory().file.exists() is kept
    assert (world.known() is not None) is kept


@pytest.mark.parametrize("what", ["made", "changed", "gone"])
def test_an_object_that_the_templates_look_up_counts(world: World, what: str) -> None:
    other = f"{SECRETS}/x"
    body = {"metadata": {"name": "x", "uid": "x", "resourceVersion": "1"}}
    if what != "made":
        world.cluster.objects[other] = copy.deepcopy(body)
    world.template.write_text(LOOKS_UP)
    world.full_look()
    assert world.known() is not None
    if what == "gone":
        del world.cluster.objects[other]
    else:
        body["metadata"]["resourceVersion"] = "2"
        world.cluster.objects[other] = body
    assert world.known() is None


def packed(folder: Path, *, link: bool = False) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        archive.add(folder, "tea")
        if link:
            one = tarfile.TarInfo("tea/link")
            one.type, one.linkname = tarfile.SYMTYPE, "Chart.yaml"
            archive.addfile(one)
    return sink.getvalue()


def from_repository(world: World) -> Path:
    """The chart as helm 4 has fetched it from a repository; returns the index."""
    content = packed(world.chart)
    digest = hashlib.sha256(content).hexdigest()
    helm = world.helm
    entry = {"version": "0.1.0", "digest": digest}
    files = {
        helm.repository_index("repo"): json.dumps({"entries": {"tea": [{"version": "0.2.0"}, entry]}}).encode(),
        helm.repository_config: b"repositories: [{name: repo, url: http://there}]",
        helm.fetched(digest): content,
    }
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
    world.plan = replace(world.plan, chart=Chart("repo/tea", "0.1.0"))
    return helm.repository_index("repo")


def test_a_chart_of_a_repository_is_known_by_the_index(world: World) -> None:
    index = from_repository(world)
    world.full_look()
    assert world.known() is not None
    index.write_bytes(index.read_bytes() + b" ")
    assert world.known() is None


def test_the_repository_behind_a_name_counts(world: World) -> None:
    from_repository(world)
    world.full_look()
    world.helm.repository_config.write_text("repositories: [{name: repo, url: http://elsewhere}]")
    assert world.known() is None


@pytest.mark.parametrize(
    "chart",
    [
        Chart("repo/tea"), Chart("repo/tea", "^0.1"), Chart("repo/tea", "0.2.0"), Chart("repo/milk", "0.1.0"),
        Chart("oci://host/tea", "0.1.0"), Chart("http://host/tea.tgz", "0.1.0"), Chart("tea", "0.1.0"),
    ],
)  # fmt: skip
def test_a_chart_that_only_a_server_can_tell_is_rendered_each_time(world: World, chart: Chart) -> None:
    from_repository(world)
    world.plan = replace(world.plan, chart=chart)
    world.full_look()
    assert not world.memory().file.exists()


def test_what_helm_fetched_must_be_what_the_index_tells_of(world: World) -> None:
    from_repository(world)
    (archive,) = (world.folder / "home" / "cache" / "content").glob("*/*.chart")
    archive.write_bytes(packed(world.chart) + b"more")
    world.full_look()
    assert not world.memory().file.exists()


def test_helm_3_keeps_no_archive_by_its_digest(world: World) -> None:
    from_repository(world)
    world.binary.write_text("3.19.5")
    world.full_look()
    assert not world.memory().file.exists()


@pytest.mark.parametrize(
    ("template", "link", "kept"), [("a", False, True), ("{{ now }}", False, False), ("a", True, False)]
)
def test_an_archive_is_looked_through_as_a_folder_is(world: World, template: str, link: bool, kept: bool) -> None:
    world.template.write_text(template)
    archive = world.folder / "tea.tgz"
    archive.write_bytes(packed(world.chart, link=link))
    world.plan = replace(world.plan, chart=Chart(str(archive)))
    world.full_look()
    assert (world.known() is not None) is kept
    archive.write_bytes(b"another")
    assert world.known() is None


def test_a_chart_with_an_archive_of_another_one_in_it_is_not_looked_through(world: World) -> None:
    (world.chart / "charts").mkdir()
    (world.chart / "charts" / "sub-1.tgz").write_bytes(packed(world.chart / "templates"))
    world.full_look()
    assert not world.memory().file.exists()


def test_a_helm_that_is_none_is_told_by_the_look(world: World) -> None:
    from_repository(world)
    world.binary.write_text("nothing")
    with pytest.raises(BotyardError, match="is no helm"):
        world.full_look()
