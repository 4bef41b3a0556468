"""What a run on a live cluster must leave alone, and what it must mend; run by `invoke test --all`."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from slow_lane import ROOT, invoke

from botyard.targets import load_target
from botyard.tools.kube import Kube

TARGET = load_target(ROOT, "kind")
STATE = ROOT / ".botyard" / TARGET.cluster
USERS_FILES = (".kube/config", ".docker/config.json", ".config/helm/repositories.yaml",
               ".config/helm/registry/config.json", ".local/share/helm/plugins/plugin.yaml", "elsewhere")  # fmt: skip
POISON = "this is nobody's configuration: {["
KINDS = [("v1", "ConfigMap"), ("v1", "Secret"), ("v1", "Service"), ("v1", "Namespace"), ("v1", "ServiceAccount"),
         ("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("v1", "Pod")]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _a_live_cluster() -> None:
    invoke("e2e", "--skip-tags", "disruptive")


def written_in_cluster() -> dict[str, str]:
    """Everything that a release is made of, with its resourceVersion."""
    kube = Kube(STATE / "kubeconfig", TARGET.context)
    found: dict[str, str] = {}
    for version, kind in KINDS:
        for body in kube.list(version, kind, None):
            meta: dict[str, Any] = body["metadata"]
            found[f"{kind} {meta.get('namespace')}/{meta['name']}"] = str(meta["resourceVersion"])
    return found


def written_here() -> dict[str, str]:
    """Every file of this checkout's state by its content, but for reports of runs and helm's cache of the API."""
    files = [file for file in STATE.rglob("*") if file.is_file()]
    files = [file for file in files if not {"runs", "cache"} & set(file.relative_to(STATE).parts)]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout


def everything() -> list[Any]:
    return [written_in_cluster(), written_here(), docker("images", "--no-trunc"), docker("ps", "--all", "--no-trunc",
            "--format", "{{.ID}} {{.State}}"), docker("volume", "ls"), docker("network", "ls")]  # fmt: skip


def test_check_mode_writes_nothing() -> None:
    before = everything()
    said = invoke("e2e", "--check", "--diff")
    assert "changed=0" in said
    assert everything() == before


def test_nothing_of_the_users_is_read_or_written(tmp_path: Path) -> None:
    """Files that would break every tool that reads them, in all the places where the user's own lie."""
    home = tmp_path / "home"
    for name in USERS_FILES:
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"credsStore": "nowhere"}) if name == ".docker/config.json" else POISON)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    elsewhere = str(home / "elsewhere")
    env = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(cache), "KUBECONFIG": elsewhere,
           "HELM_KUBECONTEXT": "nowhere", "HELM_NAMESPACE": "nobody", "HELM_DRIVER": "memory",
           "HELM_REPOSITORY_CONFIG": elsewhere, "HELM_REGISTRY_CONFIG": elsewhere}  # fmt: skip

    def seen() -> dict[str, bytes]:
        return {str(f): f.read_bytes() for f in home.rglob("*") if f.is_file()}

    before = seen()
    invoke("e2e", "--skip-tags", "disruptive", env=env)
    assert seen() == before


def test_a_cluster_of_ours_that_stays_broken_is_made_anew() -> None:
    node = f"{TARGET.cluster}-control-plane"
    docker("exec", node, "rm", "-rf", "/etc/kubernetes/pki", "/etc/kubernetes/manifests", "/var/lib/etcd")
    docker("restart", node)
    said = invoke("e2e", "--skip-tags", "disruptive")
    assert "it is ours and stays broken: making it anew" in said
