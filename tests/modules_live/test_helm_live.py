"""``kubernetes.core.helm`` with a real helm (4, and 3 by ``binary_path``) on the real cluster."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kit import LIVE, Kit, Ran
from rows import a_chart

from botyard.host import toolbox
from botyard.tools.helm import Helm
from botyard.tools.helm_record import recorded

RELEASE = """
- kubernetes.core.helm:
    name: "{{ name }}"
    namespace: "{{ where | default(ns) }}"
    chart_ref: "{{ work }}/chart"
    binary_path: "{{ binary }}"
    values_files: "{{ files | default([]) }}"
    release_values: "{{ values | default({}) }}"
    create_namespace: "{{ create | default(false) }}"
    reuse_values: "{{ reuse | default(false) }}"
    reset_values: "{{ not (reuse | default(false)) }}"
    wait: "{{ seconds | default(0) > 0 }}"
    wait_timeout: "{{ seconds | default(60) }}s"
"""
HELM_4 = ""  # binary_path of our own; what no flag differs in is tested with it alone
NO_SUCH_IMAGE = f"localhost:{LIVE.ports.registry}/botyard/nothing:1"


def helm_of(kit: Kit, binary: str) -> Helm:
    program = Path(binary) if binary else toolbox.tool(kit.paths(LIVE), "helm")
    return Helm(program, kit.state / "helm", kit.state / "kubeconfig", LIVE.context)


def release(kit: Kit, work: Path, binary: str, name: str, **variables: Any) -> Ran:
    options = {key: variables.pop(key) for key in ("check", "diff") if key in variables}
    return kit.play(RELEASE, work=str(work), binary=binary, name=name, **options, **variables)


def changed(ran: Ran) -> Ran:
    assert ran.status == "changed", ran.out
    return ran


def test_values_are_merged_as_helm_merges_them(kit: Kit, work: Path, binary: str) -> None:
    """Later files win, maps are merged, lists replaced, null deletes a key; release_values come last."""
    a_chart(kit, work)
    (work / "one.yaml").write_text("nested: {kept: 2, added: one}\nlist: [9]\nseconds: null\n")
    (work / "two.yaml").write_text("nested: {added: two, dropped: null}\nlist: [8, 7]\nsize: 0640\n")
    files = [str(work / "one.yaml"), str(work / "two.yaml")]
    values = {"colour": None, "nested": {"added": "three"}, "list": []}
    changed(release(kit, work, binary, "merged", files=files, values=values))
    assert release(kit, work, binary, "merged", files=files, values=values).status == "ok"
    live = kit.kube.get("v1", "ConfigMap", "merged", kit.variables["ns"])
    assert live is not None
    seen = json.loads(live["data"]["values"])
    wanted = {"nested": {"kept": 2, "added": "three"}, "list": [], "size": 0o640, "replicas": 1, "nodeSelector": {}}
    assert seen == wanted
    (work / "last.json").write_text(json.dumps(values))
    flags = [word for file in [*files, str(work / "last.json")] for word in ("--values", file)]
    rendered = helm_of(kit, binary).call("template", "merged", work / "chart", *flags)
    assert f"values: {json.dumps(live['data']['values'])}" in rendered
    # The same without one of the files: what it gave is gone from the release.
    changed(release(kit, work, binary, "merged", files=files[1:], values=values))
    live = kit.kube.get("v1", "ConfigMap", "merged", kit.variables["ns"])
    assert live is not None and json.loads(live["data"]["values"])["seconds"] == 3600


def test_reused_values_stay_and_reset_ones_go(kit: Kit, work: Path) -> None:
    a_chart(kit, work)
    changed(release(kit, work, HELM_4, "reused", values={"size": "big", "colour": "red"}))
    changed(release(kit, work, HELM_4, "reused", values={"colour": "blue"}, reuse=True))
    assert release(kit, work, HELM_4, "reused", values={"colour": "blue"}, reuse=True).status == "ok"
    live = helm_of(kit, HELM_4).status("reused", kit.variables["ns"])
    assert live is not None and live.values == {"size": "big", "colour": "blue"}
    changed(release(kit, work, HELM_4, "reused", values={"colour": "blue"}))
    live = helm_of(kit, HELM_4).status("reused", kit.variables["ns"])
    assert live is not None and live.values == {"colour": "blue"}


def test_another_chart_version_alone_is_a_new_revision_that_restarts_no_pod(kit: Kit, work: Path) -> None:
    a_chart(kit, work)
    values = {"image": kit.variables["image"]}
    changed(release(kit, work, HELM_4, "bumped", values=values, seconds=60))
    pods = _pods(kit, "bumped")
    a_chart(kit, work, "0.2.0")
    checked = changed(release(kit, work, HELM_4, "bumped", values=values, seconds=60, check=True, diff=True))
    assert checked.msg == "its chart is tiny-0.1.0" and "+tiny-0.2.0" in checked.out
    assert "its chart is tiny-0.1.0" in changed(release(kit, work, HELM_4, "bumped", values=values, seconds=60)).msg
    assert release(kit, work, HELM_4, "bumped", values=values, seconds=60).status == "ok"
    helm = helm_of(kit, HELM_4)
    live = recorded(kit.kube, "bumped", kit.variables["ns"])
    assert live is not None and live.chart == "tiny-0.2.0"
    assert len(helm.history("bumped", kit.variables["ns"])) == 2
    assert _pods(kit, "bumped") == pods != []
    helm.uninstall("bumped", kit.variables["ns"])


def test_a_namespace_is_made_where_that_is_asked_for(kit: Kit, work: Path) -> None:
    a_chart(kit, work)
    where = kit.variables["made_ns"]
    before = kit.quiet_world()
    changed(release(kit, work, HELM_4, "made", where=where, create=True, check=True))
    assert kit.world() == before
    changed(release(kit, work, HELM_4, "made", where=where, create=True))
    assert release(kit, work, HELM_4, "made", where=where, create=True).status == "ok"
    helm_of(kit, HELM_4).uninstall("made", where)
    assert (
        kit.play("- kubernetes.core.k8s: {state: absent, kind: Namespace, name: '{{ made_ns }}', wait: true}").status
        == "changed"
    )


def test_drift_is_seen_where_the_last_look_is_remembered(kit: Kit, work: Path) -> None:
    """A release found as wanted is not rendered again, and what changed by hand since then is seen all the same."""
    a_chart(kit, work)
    ns = kit.variables["ns"]
    calls, spy = work / "calls", work / "spying-helm"
    spy.write_text(f'#!/bin/sh\necho "$1" >> {calls}\nexec {helm_of(kit, HELM_4).binary} "$@"\n')
    spy.chmod(0o755)

    def again() -> tuple[Ran, int]:
        calls.write_text("")
        ran = release(kit, work, str(spy), "remembered", values={"image": kit.variables["image"]}, seconds=60)
        return ran, len(calls.read_text().split())

    def by_hand(api_version: str, kind: str, body: dict[str, Any]) -> None:
        kit.kube.dynamic.resources.get(api_version=api_version, kind=kind).patch(
            name="remembered", namespace=ns, body=body, content_type="application/merge-patch+json"
        )

    changed(again()[0])
    drifts: list[tuple[str, Callable[[], object]]] = [
        ("Deployment", lambda: by_hand("apps/v1", "Deployment", {"spec": {"replicas": 2}})),
        ("ConfigMap", lambda: by_hand("v1", "ConfigMap", {"data": {"values": "mine"}})),
        ("ConfigMap", lambda: kit.kube.delete("v1", "ConfigMap", "remembered", ns)),
    ]
    for kind, drift in drifts:
        looked, asked = again()
        assert (looked.status, asked > 0) == ("ok", True), looked.out
        known, asked = again()
        assert (known.status, asked) == ("ok", 0), known.out
        drift()
        ran, _ = again()
        assert f"the cluster differs from it: {kind}/remembered" in changed(ran).msg
    helm_of(kit, HELM_4).uninstall("remembered", ns)


def test_what_was_changed_by_hand_goes_back(kit: Kit, work: Path, binary: str) -> None:
    a_chart(kit, work)
    ns = kit.variables["ns"]
    values = {"image": kit.variables["image"]}
    changed(release(kit, work, binary, "drifted", values=values, seconds=60))
    kit.kube.dynamic.resources.get(api_version="apps/v1", kind="Deployment").patch(
        name="drifted", namespace=ns, body={"spec": {"replicas": 2}}, content_type="application/merge-patch+json"
    )
    kit.kube.delete("v1", "ConfigMap", "drifted", ns)
    ran = changed(release(kit, work, binary, "drifted", values=values, seconds=60))
    assert "the cluster differs from it: ConfigMap/drifted, Deployment/drifted" in ran.msg
    live = kit.kube.get("apps/v1", "Deployment", "drifted", ns)
    assert live is not None and live["spec"]["replicas"] == 1
    assert kit.kube.get("v1", "ConfigMap", "drifted", ns) is not None
    assert release(kit, work, binary, "drifted", values=values, seconds=60).status == "ok"
    helm_of(kit, binary).uninstall("drifted", ns)


def test_the_two_helms_take_turns_on_one_release(kit: Kit, work: Path) -> None:
    """What one has applied by patches the other takes over by the server, and back; a key that is gone is gone."""
    a_chart(kit, work)
    template = work / "chart" / "templates" / "keys.yaml"
    ns = kit.variables["ns"]
    for number, binary in enumerate([kit.helm_3(), "", kit.helm_3(), ""], start=1):
        template.write_text(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: turns-keys}}\ndata: {{key{number}: x, always: here}}\n"
        )
        changed(release(kit, work, binary, "turns"))
        live = kit.kube.get("v1", "ConfigMap", "turns-keys", ns)
        assert live is not None and live["data"] == {f"key{number}": "x", "always": "here"}
        for other in ("", kit.helm_3()):
            assert release(kit, work, other, "turns").status == "ok"


def test_the_wait_line_names_an_image_that_cannot_be_pulled(kit: Kit, work: Path) -> None:
    a_chart(kit, work)
    ran = release(kit, work, HELM_4, "unpulled", values={"image": NO_SUCH_IMAGE}, seconds=12)
    assert ran.exit_code == 1
    lines = [line for line in ran.out.splitlines() if "unpulled: 0 of 1 pods Ready; unpulled-" in line]
    assert any("main: ErrImagePull" in line or "main: ImagePullBackOff" in line for line in lines), ran.out
    evidence = kit.state / "diagnostics" / "unpulled"
    assert NO_SUCH_IMAGE in (evidence / "events.txt").read_text()
    # It is left as it is, with its pods, and the next run with an image that is there makes it good.
    live = helm_of(kit, HELM_4).status("unpulled", kit.variables["ns"])
    assert live is not None and live.status == "failed" and _pods(kit, "unpulled")
    ran = changed(release(kit, work, HELM_4, "unpulled", values={"image": kit.variables["image"]}, seconds=60))
    assert "its last revision is failed" in ran.msg
    helm_of(kit, HELM_4).uninstall("unpulled", kit.variables["ns"])


def test_the_wait_line_names_what_no_node_can_take(kit: Kit, work: Path) -> None:
    a_chart(kit, work)
    values = {"image": kit.variables["image"], "nodeSelector": {"nowhere": "at-all"}}
    ran = release(kit, work, HELM_4, "homeless", values=values, seconds=8)
    assert ran.exit_code == 1
    assert "0 of 1 pods Ready; homeless-" in ran.out
    assert (
        "Unschedulable: 0/4 nodes are available: " in ran.out and "didn't match Pod's node affinity/selector" in ran.out
    )
    helm_of(kit, HELM_4).uninstall("homeless", kit.variables["ns"])


def test_helm_killed_in_an_upgrade_is_recovered(kit: Kit, work: Path, binary: str) -> None:
    a_chart(kit, work)
    ns, good = kit.variables["ns"], {"image": kit.variables["image"]}
    changed(release(kit, work, binary, "killed", values=good, seconds=60))
    ran = _killed(
        kit, "killed", lambda: release(kit, work, binary, "killed", values={"image": NO_SUCH_IMAGE}, seconds=90)
    )
    assert ran.exit_code == 1
    helm = helm_of(kit, binary)
    assert (live := helm.status("killed", ns)) is not None and live.status == "pending-upgrade"
    assert changed(release(kit, work, binary, "killed", values=good, check=True)).msg.endswith("pending-upgrade")
    assert (live := helm.status("killed", ns)) is not None and live.status == "pending-upgrade", (
        "check mode recovers nothing"
    )
    ran = changed(release(kit, work, binary, "killed", values={**good, "size": "mended"}, seconds=60))
    assert "killed goes back to revision 1 first" in ran.out
    evidence = kit.state / "diagnostics" / "killed-was-pending-upgrade"
    assert NO_SUCH_IMAGE in (evidence / "events.txt").read_text(), "evidence of before the roll back"
    assert [h["status"] for h in helm.history("killed", ns)][-1] == "deployed"
    assert (live := helm.status("killed", ns)) is not None and live.values["size"] == "mended"
    assert release(kit, work, binary, "killed", values={**good, "size": "mended"}, seconds=60).status == "ok"
    helm.uninstall("killed", ns)


def test_helm_killed_in_the_first_install_is_recovered(kit: Kit, work: Path) -> None:
    a_chart(kit, work)
    ns = kit.variables["ns"]
    _killed(
        kit, "stillborn", lambda: release(kit, work, HELM_4, "stillborn", values={"image": NO_SUCH_IMAGE}, seconds=90)
    )
    helm = helm_of(kit, HELM_4)
    assert (live := helm.status("stillborn", ns)) is not None and live.status == "pending-install"
    ran = changed(release(kit, work, HELM_4, "stillborn", values={"image": kit.variables["image"]}, seconds=60))
    assert "stillborn has no good revision: uninstalling it" in ran.out
    assert (kit.state / "diagnostics" / "stillborn-was-pending-install" / "events.txt").is_file()
    assert release(kit, work, HELM_4, "stillborn", values={"image": kit.variables["image"]}, seconds=60).status == "ok"
    helm.uninstall("stillborn", ns)


def _killed(kit: Kit, name: str, run: Callable[[], Ran]) -> Ran:
    """Runs it and kills its helm with signal 9 once pods of the release are there."""
    done: list[int] = []

    def kill() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not done:
            if any("waiting" in json.dumps(pod.get("status", {})) for pod in _pods_of(kit, name)):
                for pid in _helms(name):
                    os.kill(pid, signal.SIGKILL)
                    done.append(pid)
            time.sleep(0.2)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        ran = run()
    finally:
        killer.join()
    assert done, "no helm was there to kill"
    return ran


def _helms(name: str) -> list[int]:
    """Processes of a helm that is at work on that release for real."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if words[1:3] == [b"upgrade", name.encode()] and b"--dry-run=server" not in words:
            found.append(int(entry.name))
    return found


def _pods_of(kit: Kit, name: str) -> list[dict[str, Any]]:
    return kit.kube.list("v1", "Pod", kit.variables["ns"], labels=f"app.kubernetes.io/instance={name}")


def _pods(kit: Kit, name: str) -> list[str]:
    return sorted(pod["metadata"]["uid"] for pod in _pods_of(kit, name))


def test_the_helm_of_the_matrix_is_the_one_that_its_name_says(kit: Kit, binary: str) -> None:
    assert helm_of(kit, binary).version[0] == (3 if binary else 4)
