from __future__ import annotations

import dataclasses
import json
import tomllib
from pathlib import Path

from botyard.host import cluster_spec
from botyard.targets import Ports, Sources, Target


def test_kind_config_has_one_control_plane_with_the_rasa_port_and_the_targets_workers(target: Target) -> None:
    config = json.loads(cluster_spec.kind_config(cluster_spec.spec_of(target, "k"), Path("/patches")))
    assert [node["role"] for node in config["nodes"]] == ["control-plane", "worker", "worker"]
    assert config["nodes"][0]["extraPortMappings"] == [
        {"containerPort": 30505, "hostPort": 5005, "listenAddress": "127.0.0.1"}
    ]
    assert "/etc/containerd/certs.d" in config["containerdConfigPatches"][0]
    mounted = config["nodes"][0]["extraMounts"][0]
    assert mounted["hostPath"] == "/patches"
    assert f"directory: {mounted['containerPath']}\n" in config["nodes"][0]["kubeadmConfigPatches"][0]


def test_a_spec_equals_itself_after_being_stored(target: Target) -> None:
    spec = cluster_spec.spec_of(target, "k")
    assert cluster_spec.difference(spec.to_json(), spec) is None
    assert cluster_spec.changes(spec.to_json(), spec) == ""


def test_every_field_that_changes_is_named(target: Target) -> None:
    spec = cluster_spec.spec_of(target, "k")
    other = dataclasses.replace(spec, workers=3, rasa_port=6005)
    assert cluster_spec.changes(spec.to_json(), other) == "rasa_port 5005 -> 6005, workers 2 -> 3"
    diff = cluster_spec.difference(spec.to_json(), other)
    assert diff is not None and '"workers": 2' in diff.before and '"workers": 3' in diff.after


def test_a_stored_spec_that_means_nothing_differs(target: Target) -> None:
    spec = cluster_spec.spec_of(target, "k")
    for stored in ("", "not json", "[]"):
        assert cluster_spec.difference(stored, spec) is not None


def test_nodes_ask_the_registry_container_for_local_images(target: Target) -> None:
    files = cluster_spec.hosts_toml(cluster_spec.spec_of(target, "k"))
    assert list(files) == ["localhost:5001"]
    assert list(tomllib.loads(files["localhost:5001"])["host"]) == ["http://shop-registry:5000"]


def test_nodes_ask_the_mirror_for_upstreams_images() -> None:
    target = Target(
        name="kind", cluster="shop", ports=Ports(registry=6001), sources=Sources(mirror="mirror.example/docker")
    )
    files = cluster_spec.hosts_toml(cluster_spec.spec_of(target, "k"))
    assert set(files) == {"localhost:6001", "docker.io", "registry.k8s.io", "ghcr.io", "quay.io"}
    parsed = tomllib.loads(files["docker.io"])
    assert parsed["host"]["https://mirror.example/v2/docker"]["override_path"] is True


def test_nodes_are_not_sent_to_a_mirror_on_their_own_localhost() -> None:
    for address in ("localhost:5010", "127.0.0.1:5010/hub"):
        spec = cluster_spec.spec_of(Target(name="kind", cluster="shop", sources=Sources(mirror=address)), "k")
        assert spec.mirror == ""
        assert list(cluster_spec.hosts_toml(spec)) == ["localhost:5001"]


def test_the_configmap_of_kep_1755_names_the_registry(target: Target) -> None:
    body = cluster_spec.registry_hosting(cluster_spec.spec_of(target, "k"))
    assert body["metadata"] == {"name": "local-registry-hosting", "namespace": "kube-public"}
    assert 'host: "localhost:5001"' in str(body["data"])
