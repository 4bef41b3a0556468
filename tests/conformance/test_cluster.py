"""The modules of kubernetes.core on a live cluster: both engines' own ones on the same playbooks; `invoke test --all`.

Each engine has a namespace and a Helm home of its own. Ours drives Helm 4, Ansible's modules a Helm 3 (they cannot do
with 4). Input: BOTYARD_STATE, the state folder of the cluster; without it that of this checkout.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conformance.compare import compare
from conformance.engines import Options, Ran, by_ansible, by_ours
from slow_lane import ROOT

from botyard.commands.session import paths_for
from botyard.contracts import Paths
from botyard.host.ansible_env import helm3
from botyard.release.guard import require_mark
from botyard.targets import load_target
from botyard.tools.kube import Kube
from botyard.wait import wait_until

TARGET = load_target(ROOT, "kind")
STATE = Path(os.environ.get("BOTYARD_STATE") or ROOT / ".botyard" / TARGET.cluster)
BOOKS = Path(__file__).parent / "cluster"
NAMESPACES = {"ansible": "conformance-ansible", "ours": "conformance-botyard"}
# What the server writes into an object, and which is another for each of the two.
WRITTEN = {"uid", "resourceVersion", "creationTimestamp", "managedFields", "annotations"}


@pytest.fixture(scope="module")
def kube() -> Iterator[Kube]:
    """The cluster, with an empty namespace for each engine that is gone afterwards."""
    if not (STATE / "kubeconfig").is_file():
        pytest.fail("there is no cluster; run: invoke e2e")
    kube = Kube(STATE / "kubeconfig", TARGET.context)
    require_mark(kube, TARGET.cluster)
    for name in NAMESPACES.values():
        kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield kube
    for name in NAMESPACES.values():
        kube.delete("v1", "Namespace", name, None)
    for name in NAMESPACES.values():
        wait_until(
            f"the end of {name}", lambda name=name: (kube.get("v1", "Namespace", name, None) is None, "there"), 120
        )


@pytest.fixture(scope="module")
def runs(kube: Kube, real_ansible: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Runs a playbook by both; gives what each made of it, freed from what must differ."""
    folder = tmp_path_factory.mktemp("cluster")
    books = folder / "books"
    shutil.copytree(BOOKS, books)
    # A state folder of our own: same cluster and programs, but a Helm home that forgets.
    state = folder / "state"
    state.mkdir()
    for name in ("kubeconfig", "tools.json"):
        shutil.copy2(STATE / name, state / name)
    paths = Paths(root=ROOT, state=state, cache=paths_for(TARGET.cluster).cache)
    helm = helm3(paths, print)
    environment = {
        "K8S_AUTH_CONTEXT": TARGET.context,
        "K8S_AUTH_KUBECONFIG": str(STATE / "kubeconfig"),
        "PATH": f"{helm}{os.pathsep}{os.environ['PATH']}",
        **{f"HELM_{word}_HOME": str(folder / f"helm3-{word}") for word in ("CONFIG", "CACHE", "DATA")},
    }
    served = folder / "served"
    served.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(served))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    for words in (["package", books / "_chart", "-d", served], ["repo", "index", served, "--url", url]):
        subprocess.run([helm / "helm", *words], check=True, capture_output=True, env={**os.environ, **environment})

    def both(name: str) -> tuple[Ran, Ran]:
        told = [Options(extra_vars={"place": NAMESPACES[who], "url": url}) for who in ("ours", "ansible")]
        ours = by_ours(books / name, told[0], paths, TARGET)
        ansible = by_ansible(real_ansible, books / name, told[1], environment)
        return freed(ours, NAMESPACES["ours"]), freed(ansible, NAMESPACES["ansible"])

    yield both
    server.shutdown()
    server.server_close()


# What only one of the two tells of its work; docs/reference/playbooks.md names it.
ONLY_ONE = frozenset(
    "command method rc reason repo_name repo_url stderr stderr_lines stdout stdout_lines url".split()  # noqa: SIM905
)
ONLY_ANSIBLE_OF_STATUS = {"app_version", "chart", "updated", "values"}


def freed(ran: Ran, namespace: str) -> Ran:
    """Without the namespace's name, what the server writes into objects, and what only one engine tells."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(item) for item in value]
        if not isinstance(value, dict):
            return value
        gone: set[str] = WRITTEN if "name" in value and WRITTEN & set(value) else set()
        gone = gone | (ONLY_ONE if "changed" in value else ONLY_ANSIBLE_OF_STATUS if "revision" in value else set())
        return {key: plain(item) for key, item in value.items() if key not in gone}

    tasks, registered = json.loads(json.dumps([ran.tasks, ran.registered]).replace(namespace, "NAMESPACE"))
    for task in tasks:
        if task["result"]:  # else no_log hides it
            task["result"].setdefault("changed", False)
    ran.tasks, ran.registered = plain(tasks), plain(registered)
    return ran


@pytest.mark.parametrize("name", ["k8s.yml", "k8s_more.yml", "helm.yml", "helm_repository.yml"])
def test_both_engines_agree_on_the_cluster(runs: Any, name: str) -> None:
    ours, ansible = runs(name)
    assert ansible.tasks, ansible.said
    for mine, other in zip(ours.tasks, ansible.tasks, strict=True):
        for key in ("result", "status"):  # in check mode, and of what is taken away, Ansible's modules tell it too
            if key not in mine["result"] and mine["module"].startswith("kubernetes."):
                other["result"].pop(key, None)
    differences = compare(ours, ansible)
    assert not differences, "\n".join(map(str, differences)) + f"\nansible said: {ansible.said}"


def test_a_changed_flag_that_differs_would_be_seen() -> None:
    result = {"changed": True, "method": "create", "result": {"metadata": {"name": "a", "uid": "1"}}}
    task = {"name": "a", "module": "kubernetes.core.k8s", "handler": False, "status": "changed", "result": result}
    ours, ansible = (freed(Ran(True, tasks=[json.loads(json.dumps(task))]), "ns") for _ in range(2))
    assert compare(ours, ansible) == []
    ansible.tasks[0]["result"]["changed"] = False
    assert [one.place for one in compare(ours, ansible)] == ["1 a.changed"]
