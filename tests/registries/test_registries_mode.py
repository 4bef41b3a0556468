"""``sources: registries`` end to end: images from a mirror, tools from a download server, checksums and digests held.

Upstream itself cannot be reached from everywhere, so a registry and an HTTP server on this machine stand in for it
(stand_ins.py). Needs a machine on which `invoke e2e` in packages mode has run; run by `invoke test --all`. The tests
build on each other, in this order.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from stand_ins import CLUSTER, MARK, PROGRAMS, Place

from botyard.contracts import LABEL_CLUSTER
from botyard.process import Completed
from botyard.tools import docker
from botyard.tools.download import sha256_of
from botyard.tools.kind import LABEL as KIND_LABEL

WRONG = "0" * 63 + "1"


def e2e(place: Place) -> Completed:
    return place.checkout.invoke("e2e", "--target", "mirror", "--skip-tags", "disruptive", "--plain")


def newest_run(place: Place) -> Path:
    return max((place.checkout.state / "runs").iterdir())


def report(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((newest_run(place) / "report.json").read_text())
    return found


def failed_once(place: Place, done: Completed, *words: str) -> None:
    """Exit code 1, and one failed task whose message has these words and no traceback."""
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    failed = [task for task in report(place)["tasks"] if task["status"] == "failed"]
    assert len(failed) == 1, failed
    for word in words:
        assert word in failed[0]["msg"], failed[0]["msg"]
    assert failed[0]["cure"]


def test_the_copy_runs_its_own_code(place: Place) -> None:
    shown = place.checkout.python("-c", "import botyard; print(botyard.__file__)")
    assert Path(shown.stdout.strip()) == place.checkout.root / "botyard/__init__.py"


@pytest.mark.parametrize("target", ["mirror", "mirror-auto"])
def test_doctor_asks_for_neither_go_nor_debootstrap(place: Place, target: str) -> None:
    done = place.checkout.invoke("doctor", "--target", target)
    assert done.returncode == 0
    sources = next(line for line in done.stdout.splitlines() if " sources " in line)
    assert "registries" in sources
    assert "you must" not in done.stdout and "debootstrap" not in done.stdout


def test_a_wrong_digest_is_refused(place: Place) -> None:
    place.checkout.lock({**place.mirror.digests, "library/debian": f"sha256:{WRONG}"}, place.downloads.sha256)
    done = place.checkout.invoke("cluster", "--target", "mirror", "--plain")
    place.checkout.lock(place.mirror.digests, place.downloads.sha256)
    failed_once(place, done, f"{place.mirror.address}/library/debian@sha256:{WRONG}", "manifest unknown")


def test_a_wrong_checksum_is_refused(place: Place) -> None:
    place.checkout.lock(place.mirror.digests, {**place.downloads.sha256, "kind": WRONG})
    done = place.checkout.invoke("cluster", "--target", "mirror", "--plain")
    place.checkout.lock(place.mirror.digests, place.downloads.sha256)
    failed_once(place, done, WRONG, place.downloads.sha256["kind"], f"{place.downloads.base}/github.com/")
    kept = [file for file in (place.checkout.cache / "botyard/tools").rglob("*") if file.is_file()]
    assert not [file for file in kept if file.name != ".lock"], "what came with a wrong checksum was kept"


def test_e2e_ends_green_from_the_mirror_and_the_download_server(place: Place) -> None:
    place.downloads.asked.clear()
    done = e2e(place)
    assert done.returncode == 0
    suite = ElementTree.parse(newest_run(place) / "pytest-readonly.xml").getroot().find("testsuite")  # noqa: S314
    assert suite is not None
    counts = {name: int(suite.get(name, "-1")) for name in ("tests", "failures", "errors")}
    assert counts["tests"] >= 25 and not counts["failures"] and not counts["errors"], counts
    warnings = [line for task in report(place)["tasks"] for line in task["warnings"]]
    assert any("nodes cannot reach it" in line for line in warnings), warnings


def test_every_tool_came_from_the_download_server(place: Place) -> None:
    asked = place.downloads.asked
    for host in ("github.com/kubernetes-sigs/kind", "dl.k8s.io/release", "get.helm.sh/helm-"):
        assert any(path.startswith(f"/{host}") for path in asked), asked
    assert any(path.endswith(".tar.gz.sha256sum") for path in asked), "helm's checksum is the published one"
    used = json.loads((place.checkout.state / "tools.json").read_text())
    assert set(used) == set(PROGRAMS)
    for program in PROGRAMS:
        assert Path(used[program]).is_relative_to(place.checkout.cache)
    for program in ("kind", "kubectl"):
        assert sha256_of(Path(used[program])) == place.downloads.sha256[program]


def test_nothing_was_built_from_packages(place: Place) -> None:
    calls = place.checkout.forbidden.read_text() if place.checkout.forbidden.exists() else ""
    assert calls == ""
    cache = place.checkout.cache / "botyard"
    assert not {entry.name for entry in cache.iterdir()} & {"base", "node"}
    tools = {entry.name for entry in (cache / "tools").iterdir() if entry.is_dir()}
    assert tools == {f"{program}-downloaded" for program in PROGRAMS}


def test_base_and_node_image_came_from_the_mirror(place: Place) -> None:
    log = place.mirror.asked()
    for repository, digest in place.mirror.digests.items():
        assert any(f"/v2/{repository}/manifests/{digest}" in line for line in log), log
        image = docker.image(place.mirror.ref(repository))
        assert image is not None and place.mirror.ref(repository) in image.attrs["RepoDigests"]
    assert any("GET /v2/kindest/node/blobs/sha256:" in line for line in log), "the marked node image was not fetched"


def test_the_nodes_run_the_image_of_the_mirror(place: Place) -> None:
    nodes = docker.containers(f"{KIND_LABEL}={CLUSTER}")
    assert len(nodes) == 3
    for node in nodes:
        assert node.image is not None and node.image.labels.get(MARK) == place.mirror.mark
        listed = docker.exec_in(str(node.name), ["ls", "/etc/containerd/certs.d"]).stdout.split()
        assert len(listed) == 1 and listed[0].startswith("localhost:"), "a node was sent to its own localhost"


def test_a_second_run_fetches_and_changes_nothing(place: Place) -> None:
    place.downloads.asked.clear()
    pulled = len(place.mirror.asked())
    assert e2e(place).returncode == 0
    assert report(place)["counts"]["changed"] == 0
    assert place.downloads.asked == []
    assert len(place.mirror.asked()) == pulled


def test_down_leaves_nothing(place: Place) -> None:
    assert place.checkout.invoke("down", "--target", "mirror", "--plain").returncode == 0
    label = f"label={LABEL_CLUSTER}={CLUSTER}"
    for listing in (["ps", "--all"], ["network", "ls"], ["volume", "ls"]):
        assert docker.cli(*listing, "--quiet", "--filter", label).stdout == "", listing
    assert docker.containers(f"{KIND_LABEL}={CLUSTER}") == []
