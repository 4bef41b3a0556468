"""`invoke deploy --check --diff` as the plan of a pull request runs it: on a machine that has built nothing yet.

With the real helm (so it stands among the tests of the charts, which run once there is one), an engine without images,
and an API server that plays a cluster and a registry, both empty.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fresh_machine
import platformdirs
import pytest
import yaml
from unit.commands import poison

from botyard.report.plan import plan


@dataclass(frozen=True)
class Looked:
    """How it ended, what it printed and noted, and who was told to change something."""

    code: int
    out: str
    report: dict[str, Any]
    told_to: list[str]


class Machine:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.denies = False  # the registry, everyone

    def answers(self, path: str) -> tuple[int, dict[str, Any] | bytes]:
        if path.startswith("/v2/") and self.denies:
            return 403, {"errors": [{"code": "DENIED"}]}
        return fresh_machine.answers(path)

    def look(self, name: str, *words: str, engine: bool = True, **target: Any) -> Looked:
        folder = self.folder / name
        home, root = folder / "home", folder / "checkout"
        home.mkdir(parents=True)
        with poison.cluster(folder, self.answers) as there, fresh_machine.docker_engine() as (host, told_to):
            poison.copy_of_this(root)
            aks = {
                "driver": "aks", "context": "there", "kubeconfig": "~/named", "namespace": "shop",
                "pin": {"ca_sha256": there.ca_sha256, "kube_system_uid": poison.UID},
                "registry": {"address": f"127.0.0.1:{there.port}/bots", "ca": str(there.ca)}, **target,
            }  # fmt: skip
            (root / "values/targets.yml").write_text(yaml.safe_dump({"targets": {"aks": aks}}))
            env = poison.environment(home, 1, there)
            env |= {"DOCKER_HOST": host} if engine else {}
            tools = platformdirs.user_cache_path("botyard") / "tools"
            (home / ".cache/botyard").mkdir(parents=True)
            (home / ".cache/botyard/tools").symlink_to(tools)  # as if they had been downloaded
            argv = [sys.executable, "-m", "invoke", "deploy", "--target", "aks", "--check", "--diff", "--plain", *words]
            done = subprocess.run(argv, cwd=root, env=env, capture_output=True, text=True, timeout=120, check=False)
            asked = there.asked[home.name] + there.asked[""]
            told_to += [one for one in asked if not one.startswith("GET ") and "selfsubject" not in one]
        notes = sorted(root.glob(".botyard/aks/runs/*/report.json"))
        report = json.loads(notes[-1].read_text()) if notes else {}
        return Looked(done.returncode, done.stdout + done.stderr, report, told_to)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if not any(platformdirs.user_cache_path("botyard").glob("tools/helm/*/helm")):
        pytest.skip("there is no helm yet: invoke e2e --tags cluster")
    yield Machine(tmp_path_factory.mktemp("fresh"))


def test_all_is_looked_at_and_nothing_is_changed(machine: Machine) -> None:
    found = machine.look("empty")
    assert (found.code, found.told_to) == (0, []), found.out
    by_name = {task["name"]: task for task in found.report["tasks"]}
    assert by_name["Build and push"]["msg"].startswith("would be built: rasa, action-server")
    assert by_name["Secret with tokens and passwords, made once"]["msg"].startswith("Secret botyard-rasa would be made")
    changes = "\n".join(one["after"] for one in by_name["Helm install myrasa"]["diff"])
    assert f"bots/botyard/rasa@sha256:{'0' * 64}" in changes and "/models/tea-untrained.tar.gz" in changes
    # What stands for what nobody knows yet is told, at the end and in the comment on the pull request.
    told = "sha256:0000... stands for the digests of images that the deploy will push, and tea-untrained.tar.gz for its"
    assert told in found.out.partition("PLAY RECAP")[2] and told in plan(found.report)


def test_a_model_in_a_store_is_looked_at_too(machine: Machine) -> None:
    found = machine.look("store", "--skip-tags", "verify", model_store={"url": "az://models/tea"})
    assert (found.code, found.told_to) == (0, []), found.out
    assert "https://not-uploaded.invalid/tea-untrained.tar.gz" in found.out


def test_a_machine_without_an_engine_says_so_first(machine: Machine) -> None:
    found = machine.look("no-engine", engine=False)
    assert (found.code, found.told_to) == (2, []), found.out
    assert "no Docker engine answers" in found.out and "cure: start that engine" in found.out


def test_a_registry_that_denies_is_told_before_anything_is_built(machine: Machine) -> None:
    machine.denies = True
    try:
        found = machine.look("denied")
    finally:
        machine.denies = False
    assert (found.code, found.told_to) == (2, []), found.out
    assert "denies GET in bots/botyard/rasa to nobody in particular" in found.out and "role AcrPush" in found.out


def test_what_fails_in_a_look_is_no_deploy_that_failed(machine: Machine) -> None:
    """The chart refuses it; nothing was released, and nothing is said to serve again."""
    (machine.folder / "bad.yaml").write_text("service: {type: NodePort, port: many}\n")
    found = machine.look("refused", "--values", str(machine.folder / "bad.yaml"))
    assert (found.code, found.told_to) == (2, []), found.out
    assert "cannot render these values" in found.out and "serves again" not in found.out
