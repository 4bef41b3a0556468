"""A cluster that exists, under wrong names and without rights: nothing is changed but where all is right."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from their_cluster import NAMESPACE, ROOT, Checkout

PLAY = """\
- name: One object
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: ConfigMap
      kubernetes.core.k8s:
        definition:
          apiVersion: v1
          kind: ConfigMap
          metadata: {name: written, namespace: targets-live}
          data: {by: play}
"""
HELM = """\
- name: A release
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Tools
      botyard.core.tool:
        names: [helm]

    - name: Install
      kubernetes.core.helm:
        release_name: least
        release_namespace: targets-live
        chart_ref: "{{ root }}/tests/targets_live/chart"
"""


def written(checkout: Checkout) -> bool:
    return checkout.kube.get("v1", "ConfigMap", "written", NAMESPACE) is not None


@pytest.fixture
def play(checkout: Checkout) -> Any:
    """Runs the playbook that writes one ConfigMap."""
    (checkout.root / "one.yml").write_text(PLAY)
    return lambda: checkout.invoke("play", "one.yml", "--target", "there", "--plain")


def pinned(checkout: Checkout, **other: str) -> None:
    """Pins the target as a user does; ``other`` then replaces a part of the pin."""
    checkout.target()
    done = checkout.invoke("target.pin", "--target", "there")
    assert done.code == 0, done.out
    if other:
        file = checkout.root / "values/targets.yml"
        document = yaml.safe_load(file.read_text())
        document["targets"]["there"]["pin"] |= other
        file.write_text(yaml.safe_dump(document))


def test_only_a_pinned_cluster_is_changed(checkout: Checkout, play: Any) -> None:
    checkout.admin()
    checkout.target()
    refused = play()
    assert refused.code == 2 and "is not pinned" in refused.out and not written(checkout)
    pinned(checkout)
    done = play()
    assert done.code == 0 and written(checkout), done.out
    checked = checkout.invoke("target.check", "--target", "there")
    assert checked.code == 0 and "the pinned cluster" in checked.out


def test_another_cluster_under_the_right_name_is_refused(checkout: Checkout, play: Any) -> None:
    checkout.admin()
    pinned(checkout, kube_system_uid="00000000-0000-0000-0000-000000000000", ca_sha256="0" * 64)
    refused = play()
    assert refused.code == 2 and "expected 00000000" in refused.out and "another cluster" in refused.out
    assert not written(checkout)
    again = checkout.invoke("target.pin", "--target", "there")
    assert again.code == 2 and "--replace" in again.out, "a pin is not replaced by the way"


def test_a_changed_authority_is_refused(checkout: Checkout, play: Any) -> None:
    checkout.admin()
    pinned(checkout, ca_sha256="0" * 64)
    refused = play()
    assert refused.code == 2 and "new authority" in refused.out and not written(checkout)


def test_a_server_with_another_authority_is_not_spoken_to(checkout: Checkout, play: Any) -> None:
    checkout.admin()
    pinned(checkout)
    checkout.ca = (ROOT / "tests/targets_live/stranger.crt").read_bytes()
    checkout.admin()
    refused = play()
    assert refused.code == 1 and "does not answer" in refused.out and not written(checkout)


def test_a_token_that_nobody_knows_is_told_with_its_cure(checkout: Checkout, play: Any) -> None:
    checkout.admin()
    pinned(checkout)
    checkout.reach({"token": "expired"})
    refused = play()
    assert refused.code == 1 and "log in again" in refused.out and not written(checkout)


def test_a_server_that_is_not_there_is_told_within_15_seconds(checkout: Checkout, play: Any) -> None:
    checkout.admin()
    pinned(checkout)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent:  # takes connections and never answers
        checkout.reach({"token": "x"}, f"https://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        refused = play()
        assert refused.code == 1 and "does not answer" in refused.out and "VPN" in refused.out
        assert time.monotonic() - began < 15


def test_the_printed_roles_are_enough_for_a_release(checkout: Checkout) -> None:
    checkout.admin()
    pinned(checkout)
    checkout.robot()
    checked = checkout.invoke("target.check", "--target", "there")
    assert checked.code == 0 and "23 of 23 rights" in checked.out, checked.out
    (checkout.root / "helm.yml").write_text(HELM)
    done = checkout.invoke("play", "helm.yml", "--target", "there", "--plain")
    assert done.code == 0 and "changed=1" in done.out, done.out
    again = checkout.invoke("play", "helm.yml", "--target", "there", "--plain")
    assert again.code == 0 and "changed=0" in again.out, again.out


def test_an_account_that_may_only_read_is_refused(checkout: Checkout, play: Any) -> None:
    checkout.admin()
    pinned(checkout)
    checkout.robot()
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
    about = {"name": "botyard-deploy", "namespace": NAMESPACE}
    reading = [{"apiGroups": ["", "apps"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]
    checkout.kube.apply({**role, "metadata": about, "rules": reading})
    checked = checkout.invoke("target.check", "--target", "there")
    assert checked.code == 1 and "missing: create, update, patch, delete secrets" in checked.out, checked.out
    refused = play()
    assert refused.code == 1 and "orbidden" in refused.out and not written(checkout), refused.out
    file = checkout.root / "values/targets.yml"
    document = yaml.safe_load(file.read_text())
    document["targets"]["there"]["registry"] = {"address": "localhost:9/bots"}
    file.write_text(yaml.safe_dump(document))
    told = checkout.invoke("deploy", "--target", "there", "--yes", "--plain")
    assert told.code == 2 and "create, update, patch, delete secrets" in told.out, told.out
    assert "invoke target.rbac --target there" in told.out and not written(checkout), told.out


def test_what_is_for_throw_away_clusters_is_refused(checkout: Checkout) -> None:
    checkout.admin()
    pinned(checkout)
    for name in ("e2e", "images", "model", "cluster", "release", "verify", "down", "doctor"):
        refused = checkout.invoke(name, "--target", "there")
        assert refused.code == 2 and "throw-away" in refused.out, f"{name}: {refused.out}"


class Recorder:
    """A server that notes who knocks and tells nobody anything."""

    def __init__(self) -> None:
        self.knocks: list[str] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, address = self.socket.accept()
            except OSError:
                return
            self.knocks.append(str(address))
            caller.close()


def test_the_ambient_context_is_never_used(checkout: Checkout, play: Any, tmp_path: Path) -> None:
    """With KUBECONFIG and ~/.kube/config leading elsewhere, nothing knocks there."""
    checkout.admin()
    pinned(checkout)
    recorder = Recorder()
    try:
        home = tmp_path / "home"
        (home / ".kube").mkdir(parents=True)
        address = f"http://127.0.0.1:{recorder.socket.getsockname()[1]}"
        poison = yaml.safe_load(checkout.config.read_text())
        poison["clusters"][0]["cluster"] = {"server": address}
        poison["current-context"] = "there"
        (home / ".kube/config").write_text(yaml.safe_dump(poison))
        env = {"KUBECONFIG": str(home / ".kube/config"), "HOME": str(home), "KUBERNETES_MASTER": address,
               "XDG_CACHE_HOME": str(Path.home() / ".cache")}  # fmt: skip
        (checkout.root / "helm.yml").write_text(HELM)
        for argv in (
            ["target.list"], ["target.show", "--target", "there"], ["target.check", "--target", "there"],
            ["target.pin", "--target", "there"], ["target.rbac", "--target", "there"],
            ["play", "one.yml", "--target", "there", "--plain"], ["play", "helm.yml", "--target", "there", "--plain"],
        ):  # fmt: skip
            done = checkout.invoke(*argv, **env)
            assert done.code == 0, f"{argv}: {done.out}"
        with socket.create_connection(recorder.socket.getsockname()):
            pass  # the recorder does hear
        for _ in range(50):
            if recorder.knocks:
                break
            time.sleep(0.1)
        assert len(recorder.knocks) == 1, recorder.knocks
    finally:
        recorder.socket.close()
