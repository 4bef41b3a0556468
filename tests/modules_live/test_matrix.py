"""The idempotence matrix on the real cluster: create, modify and delete, each four times; --check writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit import ALONE, LIVE, Kit, Ran
from matrix import difference, four_times, one_task
from msgspec import structs
from rows import HELMS, K8S, NO_SERVICES, OURS, REGISTRY, Row


def through(kit: Kit, row: Row, work: Path, binary: str = "") -> None:
    for stage in row.stages:
        stage.before(kit, work)

        def play(check: bool, task: str = one_task(stage.task)) -> Ran:
            return kit.play(task, check=check, diff=True, target=row.target, work=str(work), binary=binary)

        four_times(f"{row.name}, {stage.name}", play, kit.world, kit.quiet_world)


@pytest.mark.parametrize("row", [*K8S, *HELMS[1:], *OURS], ids=lambda row: row.name)
def test_matrix(kit: Kit, row: Row, work: Path) -> None:
    through(kit, row, work)


def test_matrix_of_helm(kit: Kit, work: Path, binary: str) -> None:
    through(kit, HELMS[0], work, binary)


# What would disturb the live cluster is only asked for in check mode: (task, what it must say).
LIVE_ROWS = {
    "docker_engine": ("botyard.core.docker_engine: {state: started}", "ok"),
    "tool": ("botyard.core.tool: {names: [kind, kubernetes, helm]}", "ok"),
    "base_image": ("botyard.core.base_image: {name: 'debian:bookworm-slim'}", "ok"),
    "node_image": ("botyard.core.node_image: {base: 'debian:bookworm-slim'}", "ok"),
    "registry": (REGISTRY, "ok"),
    "registry away": ("botyard.core.registry: {state: absent}", "changed"),
    "depot": ("botyard.core.depot: {image: 'botyard/depot:latest'}", "ok"),
    "depot away": ("botyard.core.depot: {state: absent}", "changed"),
    "kind_cluster": ("botyard.core.kind_cluster: {image: '{{ node_image }}'}", "ok"),
    "kind_cluster away": ("botyard.core.kind_cluster: {state: absent}", "changed"),
    "secret": ("botyard.core.secret: {name: botyard-rasa, namespace: rasa, generate: [rasa-token]}", "ok"),
    "rasa_model": ("botyard.core.rasa_model: {bot: '{{ root }}/bots/tea', image: 'botyard/rasa:latest'}", "ok"),
    "diagnostics": ("botyard.core.diagnostics: {namespace: rasa, dest: '{{ work }}/evidence'}", "ok"),
    "guard": ("botyard.core.guard: {mark: true}", "ok"),
}


@pytest.mark.parametrize("name", list(LIVE_ROWS))
def test_check_mode_on_what_is_live(kit: Kit, name: str) -> None:
    task, wanted = LIVE_ROWS[name]
    before = kit.quiet_world()
    ran = kit.play(one_task(task), check=True, diff=True)
    assert (ran.status, ran.exit_code) == (wanted, 0), ran.out
    assert (now := kit.world()) == before, difference(before, now)


def test_a_cluster_of_another_size_is_refused_or_made_anew_where_that_is_asked_for(kit: Kit) -> None:
    """In check mode: the modify row of kind_cluster, which would take the live one away."""
    smaller = structs.replace(LIVE, workers=LIVE.workers - 1)
    task = "- botyard.core.kind_cluster: {{image: '{{{{ node_image }}}}', recreate: {}}}\n"
    before = kit.quiet_world()
    refused = kit.play(task.format("false"), check=True, target=smaller)
    assert refused.exit_code == 2 and "was made from another spec: workers" in refused.out
    asked = kit.play(task.format("true"), check=True, diff=True, target=smaller)
    assert asked.status == "changed" and "workers" in asked.out
    assert (now := kit.world()) == before, difference(before, now)


SEEN = """
- kubernetes.core.k8s:
    namespace: "{{ ns }}"
    definition: {apiVersion: v1, kind: ConfigMap, metadata: {name: seen}}
"""


def test_a_world_that_is_written_to_looks_different(kit: Kit, work: Path) -> None:
    """The comparison itself: it sees an object, a file, a container and more come."""
    kit.play(NO_SERVICES, target=ALONE)
    before = kit.quiet_world()
    (kit.state / "seen").write_text("x")
    kit.play(SEEN)
    kit.play(one_task(REGISTRY), target=ALONE)
    told = difference(before, kit.world())
    assert f"file {kit.state / 'seen'}" in told and "ConfigMap matrix-modules/seen" in told
    for word in ("container /matrix-alone-registry", "network matrix-alone-net", "volume matrix-alone-registry-images"):
        assert word in told
    (kit.state / "seen").unlink()
    kit.play("- botyard.core.registry: {state: absent}", target=ALONE)
    kit.play("- kubernetes.core.k8s: {state: absent, kind: ConfigMap, name: seen, namespace: '{{ ns }}'}")
    assert difference(before, kit.quiet_world()) == ""
