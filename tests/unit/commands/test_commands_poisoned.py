"""No task uses the ambient current context: each is run where everything ambient leads to a server that notes it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import poison
import pytest

from botyard.commands import menu

PLAY = """\
- name: Look
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: What is there
      kubernetes.core.k8s_info: {api_version: v1, kind: ConfigMap, namespace: shop}
"""
# What `invoke test` does before and after its end-to-end run is no business of a cluster's.
TEST = """\
from botyard.commands import quality
from invoke.main import program
quality.QUICK.clear()
quality.CONFORMANCE = ("nothing", ["ruff", "--version"])
quality._install_ansible = lambda: None
program.run(["invoke", "test"])
"""


@dataclass(frozen=True)
class Case:
    """One command line.

    Args:
        code: how it ends: 2 where it refuses.
        says: a part of what it prints.
        asks: whether it may ask the cluster that its target names.
        program: Python that is run instead, where the task's own command line does too much.
    """

    argv: str
    code: int
    says: str
    asks: bool = False
    program: str = ""

    @property
    def command(self) -> list[str]:
        return [sys.executable, *(["-c", self.program] if self.program else ["-m", "invoke", *self.argv.split()])]


OF_OURS = "throw-away"  # refused: a cluster that exists
UNPINNED = "is not pinned"
NO_FILE = "nothing cannot be read"
NO_CONTEXT = "has no context lost"


def _for_ours(task: str, *more: Case) -> list[Case]:
    """A task for throw-away clusters: it refuses others."""
    return [Case(task, 2, OF_OURS), *more]


def _for_theirs(task: str) -> list[Case]:
    """A task that asks the cluster of its target, where there is no way to one."""
    return [Case(f"{task} --target nowhere", 2, NO_FILE), Case(f"{task} --target lost", 2, NO_CONTEXT)]


# Every task of the menu stands here; an empty list is no entry.
CASES: dict[str, list[Case]] = {
    "e2e": _for_ours("e2e", Case("e2e --target ours --check --plain", 2, "DOCKER_HOST")),
    "images": _for_ours("images", Case("images --target ours --check --plain", 2, "DOCKER_HOST")),
    "model": _for_ours("model", Case("model --target ours --check --plain", 2, "DOCKER_HOST")),
    "cluster": _for_ours("cluster", Case("cluster --target ours --check --plain", 2, "DOCKER_HOST")),
    "release": _for_ours("release", Case("release --target ours --check --plain", 2, "DOCKER_HOST")),
    "verify": _for_ours("verify", Case("verify --target ours", 1, "nothing was released to target ours")),
    "play": [
        *_for_theirs("play look.yml --plain"),
        Case("play look.yml --plain", 2, UNPINNED, asks=True),
        Case("play look.yml --plain --target pinned", 0, "failed=0", asks=True),
        Case("play look.yml --plain --target ours", 1, "there is no kubeconfig"),
    ],
    "talk": [
        *_for_theirs("talk hello"),
        Case("talk hello --target pinned", 1, "myrasa", asks=True),
        Case("talk hello --target ours", 1, "127.0.0.1:1"),
    ],
    "deploy": [
        *_for_theirs("deploy --yes --plain"),
        Case("deploy --yes", 2, "where to?"),
        Case("deploy --yes --version latest --target pinned", 2, "is no version of a chart"),
        Case("deploy --yes --plain --context kind", 2, UNPINNED, asks=True),
        Case("deploy --check --plain --target kind", 2, UNPINNED, asks=True),
        Case("deploy --yes --target ours", 2, "throw-away cluster of ours"),
    ],
    "rollback": [
        *_for_theirs("rollback --yes --plain"),
        Case("rollback --yes --plain --target kind", 2, UNPINNED, asks=True),
        Case("rollback --list --target pinned", 0, "has no note of a deploy", asks=True),
        Case("rollback --yes --target ours", 2, "throw-away cluster of ours"),
    ],
    "status": [
        *_for_theirs("status"),
        Case("status --target pinned", 2, "holds no release", asks=True),
        Case("status --target ours", 1, "there is no kubeconfig"),
    ],
    "drift": [
        *_for_theirs("drift"),
        Case("drift --target pinned", 2, "holds no release", asks=True),
        Case("drift --target ours", 1, "there is no kubeconfig"),
    ],
    "down": _for_ours("down", Case("down --target ours --check --plain", 1, "DOCKER_HOST")),
    "doctor": _for_ours("doctor"),
    "summary": [Case("summary", 2, "no run left a report")],
    "doc": [Case("doc helm", 0, "kubernetes.core.helm")],
    "test": [Case("test", 2, OF_OURS, program=TEST)],
    "bench.e2e": [Case("bench.e2e", 2, OF_OURS)],
    "bench.engine": _for_ours("bench.engine"),
    "bench.gateway": _for_ours("bench.gateway", Case("bench.gateway --target ours", 1, "there is no kubeconfig")),
    "cache.show": [Case("cache.show", 0, "botyard")],
    "cache.clean": [Case("cache.clean", 0, "removed")],
    "github.comment": [Case("github.comment .", 2, "GITHUB_TOKEN")],
    "github.release": [Case("github.release .", 2, "GITHUB_TOKEN")],
    "github.charts": [Case("github.charts .", 2, "GITHUB_TOKEN")],
    "publish.python": [Case("publish.python", 2, "the time of this commit is not known")],
    "publish.sbom": [Case("publish.sbom", 2, "the time of this commit is not known")],
    "publish.packages": [Case("publish.packages", 2, "where will the archives lie")],
    "publish.charts": [
        Case("publish.charts --plain", 2, "where to?"),
        Case("publish.charts --plain --target pinned", 2, "names no registry"),
    ],
    "target.list": [Case("target.list", 0, "not pinned")],
    "target.show": [Case("target.show", 0, "context: there")],
    "target.check": [
        *_for_theirs("target.check"),
        Case("target.check", 2, UNPINNED, asks=True),
        Case("target.check --target pinned", 0, "the pinned cluster", asks=True),
        Case("target.check --target ours", 1, "there is no kubeconfig"),
    ],
    "target.login": [
        Case("target.login azure", 2, "log in: az login"),
        Case("target.login pinned", 2, "where Azure has its cluster"),
    ],
    "target.pin": [
        *_for_theirs("target.pin"),
        Case("target.pin --target pinned", 0, "pinned to this cluster already", asks=True),
    ],
    "target.inventory": [Case("target.inventory", 0, "ansible_connection: local")],
    "target.rbac": [Case("target.rbac", 0, "kind: Role")],
}
ALL = [case for cases in CASES.values() for case in cases]


@dataclass(frozen=True)
class Done:
    """How a command ended, who knocked at the recorder, and what the cluster was asked that its target names."""

    code: int
    out: str
    knocks: list[str]
    asked: list[str]


class Yard:
    """A checkout whose targets lead to one cluster, and homes in it: one for each command, as two run at a time."""

    def __init__(self, folder: Path, there: poison.Cluster) -> None:
        self.folder, self.there = folder, there
        self.root = folder / "checkout"
        poison.copy_of_this(self.root)
        poison.write_targets(self.root, there)
        (self.root / "look.yml").write_text(PLAY)

    def run(self, name: str, command: list[str]) -> Done:
        home = self.folder / name
        home.mkdir()
        with poison.recorder() as (port, knocks):
            env = poison.environment(home, port, self.there)
            done = subprocess.run(
                command, cwd=self.root, env=env, capture_output=True, text=True, timeout=120, check=False
            )
        return Done(done.returncode, done.stdout + done.stderr, knocks, self.there.asked[name])


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    folder = tmp_path_factory.mktemp("poisoned")
    with poison.cluster(folder) as there:
        yield Yard(folder, there)


@pytest.fixture(scope="module")
def done(yard: Yard) -> Iterator[dict[Case, Future[Done]]]:
    """All of them, two at a time; each test waits for its own."""
    with ThreadPoolExecutor(max_workers=2) as two:
        yield {case: two.submit(yard.run, f"home-{number}", case.command) for number, case in enumerate(ALL)}


def test_every_task_is_tried() -> None:
    """A new task is to be written into CASES, with how it ends where everything ambient is poisoned."""
    assert set(menu().task_names) == {name for name, cases in CASES.items() if cases}


@pytest.mark.parametrize("case", ALL, ids=[case.argv for case in ALL])
def test_nobody_knocks_where_only_the_ambient_context_leads(case: Case, done: dict[Case, Future[Done]]) -> None:
    found = done[case].result()
    assert not found.knocks, f"{case.argv} asked {found.knocks}: {found.out}"
    assert (found.code, case.says in found.out, "Traceback" in found.out) == (case.code, True, False), found.out
    assert bool(found.asked) == case.asks, found.asked


@pytest.mark.parametrize("config", ["poison", ".kube/config"])
def test_the_recorder_hears_who_does_use_it(config: str, yard: Yard) -> None:
    """Directly, and as a proxy that is asked for a cluster."""
    program = f"""
import kubernetes, os
os.environ["KUBECONFIG"] = os.environ["HOME"] + "/{config}"
kubernetes.config.load_kube_config()
kubernetes.client.CoreV1Api().list_namespace()
"""
    found = yard.run(f"uses-{config.rpartition('/')[2]}", [sys.executable, "-c", program])
    assert (found.code and f"CONNECT {poison.ELSEWHERE}" in found.knocks) or "GET /api/v1/namespaces" in found.knocks
    assert not found.asked


def test_helm_asks_the_named_cluster_alone(yard: Yard) -> None:
    helm = next(iter(platformdirs.user_cache_path("botyard").glob("tools/helm/*/helm")), None)
    if helm is None:
        pytest.skip("there is no helm; invoke e2e builds one")
    program = f"""
from pathlib import Path
from botyard.tools.helm import Helm
home = Path.home()
helm = Helm(Path({str(helm)!r}), home / "helm", home / "named", "there")
print(helm.status("myrasa", "shop"))
"""
    found = yard.run("helm", [sys.executable, "-c", program])
    assert found.code == 0 and found.out.strip() == "None" and not found.knocks, (found.out, found.knocks)
    assert any("/namespaces/shop/secrets" in path for path in found.asked), found.asked
