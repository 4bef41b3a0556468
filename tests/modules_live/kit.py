"""Small playbooks run by the real engine against the live cluster, and all that they could have written."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import shutil
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from matrix import difference

from botyard.contracts import LABEL_CLUSTER, Paths
from botyard.host.ansible_env import helm3
from botyard.host.publish import SERVED
from botyard.playbook import RunOptions, RunReport, run_playbooks
from botyard.targets import Ports, Target, load_target
from botyard.tools import docker
from botyard.tools.kind import LABEL
from botyard.tools.kube import Kube

ROOT = Path(__file__).resolve().parents[2]
LIVE = load_target(ROOT, "kind")
LIVE_STATE = ROOT / ".botyard" / LIVE.cluster
# Registry and depot of our own, on ports of their own, so that those of the live cluster see none of this.
BESIDE = Target(name="beside", cluster="matrix", ports=Ports(rasa=15005, registry=15001, depot=15002), workers=1)
ALONE = Target(name="alone", cluster="matrix-alone", ports=Ports(rasa=15105, registry=15101, depot=15102), workers=1)
NAMESPACES = ("matrix-modules", "matrix-made")

_HEAD = "- name: Matrix\n  hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"
_KINDS = ("/api/v1/{}/configmaps", "/api/v1/{}/secrets", "/api/v1/{}/services", "/api/v1/{}/serviceaccounts",
          "/api/v1/{}/pods", "/apis/apps/v1/{}/deployments", "/apis/apps/v1/{}/replicasets",
          "/apis/batch/v1/{}/jobs")  # fmt: skip
# Not watched: what helm keeps of an API server's kinds and of charts that it fetched, what the helm module remembers of
# a release that it found as wanted, and what only tests need.
_NOT_WATCHED = ("helm/seen", "helm/cache/kube", "helm/cache/content", "tools/helm3")
_ENVIRONMENT = "pyvenv.cfg"  # of Ansible, say
_QUIET_S, _QUIET_TIMEOUT_S = 0.3, 60.0


@dataclass(frozen=True)
class Ran:
    """One playbook's run: its report, what the console said, and the folder of its files."""

    report: RunReport
    out: str
    run_dir: Path

    @property
    def status(self) -> str:
        """Of the last task, which is the one that the playbook is about."""
        return self.report.tasks[-1].status

    @property
    def msg(self) -> str:
        return self.report.tasks[-1].msg

    @property
    def exit_code(self) -> int:
        return self.report.exit_code

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Every byte that people could see of it, by where it stands."""
        yield "console", self.out.encode()
        for file in sorted(self.run_dir.rglob("*")):
            if file.is_file():
                yield str(file.relative_to(self.run_dir)), file.read_bytes()


class Kit:
    """A folder for playbooks and files, with state folders of its own; that of LIVE knows the live cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "botyard"
        self.variables: dict[str, Any] = {"root": str(ROOT), "work": str(folder / "work")}
        self.work = folder / "work"
        self.work.mkdir()
        for target in (LIVE, BESIDE, ALONE):
            state = self.paths(target).state
            state.mkdir(parents=True)
            shutil.copy2(LIVE_STATE / "tools.json", state)
        self.state = self.paths(LIVE).state
        shutil.copy2(LIVE_STATE / "kubeconfig", self.state)
        self.kube = Kube(self.state / "kubeconfig", LIVE.context)
        self._numbers = itertools.count(1)

    def paths(self, target: Target) -> Paths:
        return Paths(root=ROOT, state=self.folder / "state" / target.cluster, cache=self.cache)

    def play(
        self,
        tasks: str,
        *,
        check: bool = False,
        diff: bool = False,
        target: Target = LIVE,
        console: str = "plain",
        **variables: Any,
    ) -> Ran:
        """Runs a play of these tasks to its end, whatever it is."""
        number = next(self._numbers)
        file = self.folder / "play.yml"
        file.write_text(_HEAD + textwrap.indent(textwrap.dedent(tasks), "    "))
        run_dir = self.folder / "runs" / f"{number:04}"
        options = RunOptions(
            paths=self.paths(target),
            target=target,
            extra_vars={**self.variables, **variables},
            check=check,
            diff=diff,
            run_dir=run_dir,
            console=console,  # type: ignore[arg-type]
        )
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            report = run_playbooks([file], ctx=options)
        return Ran(report, said.getvalue(), run_dir)

    def helm_3(self) -> str:
        """Path of a Helm 3, built where there is none yet."""
        return str(helm3(self.paths(LIVE)) / "helm")

    # what could have been written

    def world(self) -> dict[str, str]:
        """Objects by resourceVersion, files by size and time, images, containers and such, what registries have."""
        return {**self.files(), **_engine(), **_registries(), **_depots(), **self.objects()}

    def quiet_world(self) -> dict[str, str]:
        """The world once nothing in the cluster moves by itself any more (controllers write too)."""
        deadline = time.monotonic() + _QUIET_TIMEOUT_S
        before = self.objects()
        while True:
            time.sleep(_QUIET_S)
            now = self.objects()
            if now == before:
                return {**self.files(), **_engine(), **_registries(), **_depots(), **now}
            assert time.monotonic() < deadline, f"the cluster never comes to rest: {difference(before, now)}"
            before = now

    def objects(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for namespace in NAMESPACES:
            body = self.kube.read(f"/api/v1/namespaces/{namespace}")
            if body is None:
                continue
            found[f"Namespace {namespace}"] = body["metadata"]["resourceVersion"]
            for path in _KINDS:
                listed = self.kube.read(path.format(f"namespaces/{namespace}")) or {}
                for item in listed["items"]:
                    name = f"{listed['kind'].removesuffix('List')} {namespace}/{item['metadata']['name']}"
                    found[name] = item["metadata"]["resourceVersion"]
        return found

    def files(self) -> dict[str, str]:
        """Folders too, but not by their time (a file may have come and gone), and not those of helm's home."""
        found: dict[str, str] = {}
        for top in (self.folder / "state", self.cache):
            for folder, folders, files in os.walk(top):
                place = Path(folder)
                if _ENVIRONMENT in files or place.relative_to(top).as_posix().endswith(_NOT_WATCHED):
                    folders.clear()
                    continue
                if "helm" not in place.relative_to(top).parts:
                    found[f"folder {place}"] = "there"
                for name in files:
                    stat = (place / name).lstat()
                    found[f"file {place / name}"] = f"{stat.st_size} {stat.st_mtime_ns}"
        return found


def _engine() -> dict[str, str]:
    found = {f"image {image['Id']}": json.dumps(sorted(image["RepoTags"] or [])) for image in _api("images", all=False)}
    ours: dict[str, Any] = {"filters": {"label": LABEL_CLUSTER}}
    for label in (LABEL_CLUSTER, LABEL):
        for one in _api("containers", all=True, filters={"label": label}):
            found[f"container {one['Names'][0]}"] = f"{one['Id']} {one['State']}"
    found |= {f"volume {v['Name']}": v["CreatedAt"] for v in (_api("volumes", **ours)["Volumes"] or [])}
    return found | {f"network {n['Name']}": n["Id"] for n in _api("networks", **ours)}


def _api(what: str, **options: Any) -> Any:
    return getattr(docker.client().api, what)(**options)


def _registries() -> dict[str, str]:
    found: dict[str, str] = {}
    for target in (LIVE, BESIDE, ALONE):
        url = f"http://127.0.0.1:{target.ports.registry}/v2"
        with requests.Session() as session, contextlib.suppress(requests.ConnectionError):
            session.trust_env = False
            for repository in session.get(f"{url}/_catalog?n=1000", timeout=10).json()["repositories"]:
                tags = session.get(f"{url}/{repository}/tags/list", timeout=10).json()["tags"] or []
                found[f"tags {target.cluster} {repository}"] = json.dumps(sorted(tags))
    return found


def _depots() -> dict[str, str]:
    found: dict[str, str] = {}
    for target in (LIVE, BESIDE, ALONE):
        name = f"{target.cluster}-depot"
        depot = docker.container(name)
        if depot is not None and depot.status == "running":
            _code, listed = depot.exec_run(["find", SERVED, "-type", "f", "-printf", "%p %s %T@\\n"])
            found |= {f"depot {name} {line.partition(' ')[0]}": line for line in listed.decode().splitlines()}
    return found
