"""What minikube is asked for, and what is made ready for it; both doors (its command line, Docker) are strict fakes."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import LABEL_KEY, BadInput, BotyardError, CommandError, Context, Paths
from botyard.host import cluster_spec, minikube_cluster, minikube_image, services, toolbox
from botyard.host.cluster_spec import ClusterSpec
from botyard.host.minikube_cluster import MinikubeDriver
from botyard.modules import minikube_cluster as module
from botyard.modules import node_image as node_image_module
from botyard.process import Completed
from botyard.targets import Target
from botyard.tools import docker, minikube

from .conftest import Engine, FakeContainer, FakeImage

ROOT = Path(__file__).parents[3]
NETWORK = {"Subnet": "172.30.0.0/16", "Gateway": "172.30.0.1", "IPRange": "172.30.128.0/17"}


@dataclass
class Program:
    """In place of minikube: notes what it is asked for, and writes what it would write; any other call fails."""

    home: Path
    calls: list[list[str]] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    ports_when_added: list[Any] = field(default_factory=list)
    fails: bool = False

    @property
    def config(self) -> Path:
        return self.home / ".minikube/profiles/shop/config.json"

    def run(self, argv: Any, *, env: dict[str, str], timeout_s: float, on_line: Any) -> Completed:
        words = [str(word) for word in argv]
        self.calls.append(words)
        self.env = env
        if self.fails:
            raise CommandError(words, 80, "", "no")
        if words[:2] == ["/mk", "start"]:
            self.config.parent.mkdir(parents=True, exist_ok=True)
            self.config.write_text(json.dumps({"Name": "shop", "ExposedPorts": [words[words.index("--ports") + 1]]}))
            Path(env["KUBECONFIG"]).write_text("")
        elif words[:3] == ["/mk", "node", "add"]:
            self.ports_when_added.append(json.loads(self.config.read_text())["ExposedPorts"])
        elif words[:2] == ["/mk", "update-context"]:
            Path(env["KUBECONFIG"]).write_text("")
        else:
            pytest.fail(f"unexpected: {words}")
        return Completed(words, 0, "", "", 0.0)


class Kube:
    def __init__(self) -> None:
        self.applied: list[dict[str, Any]] = []

    def apply(self, body: dict[str, Any]) -> None:
        self.applied.append(body)


@pytest.fixture
def target() -> Target:
    return Target(name="minikube", driver="minikube", cluster="shop", workers=2)


@pytest.fixture
def spec(target: Target) -> ClusterSpec:
    return cluster_spec.spec_of(target, "k")


@pytest.fixture
def driver(tmp_path: Path) -> MinikubeDriver:
    manifests = ROOT / "dockerfiles/node/manifests"
    return MinikubeDriver(tmp_path / "kubeconfig", lambda: Path("/mk"), "v1.34.4", manifests)


@pytest.fixture
def program(engine: Engine, driver: MinikubeDriver, monkeypatch: pytest.MonkeyPatch) -> Program:
    one = Program(driver.home)
    monkeypatch.setattr(minikube, "run", one.run)
    engine.networks["shop-net"]["IPAM"] = {"Config": [NETWORK]}
    engine.allowed = [("volume", "create")]
    return one


@pytest.fixture
def kube(monkeypatch: pytest.MonkeyPatch) -> Kube:
    one = Kube()
    monkeypatch.setattr(MinikubeDriver, "kube", lambda self, cluster: one)
    return one


def test_made_on_our_network_with_our_image_and_nothing_of_its_own(
    driver: MinikubeDriver, spec: ClusterSpec, program: Program, kube: Kube
) -> None:
    driver.create(spec, "botyard/minikube-node:v1.34.4", print)
    first, *more = program.calls
    told = " ".join(first)
    for part in (
        "--profile shop --driver docker --container-runtime containerd",
        "--base-image botyard/minikube-node:v1.34.4 --kubernetes-version v1.34.4 --network shop-net",
        f"--cni {driver.home / 'pod-network.yaml'}",
        "--ports 127.0.0.1:5005:30505",
        "--preload=false --cache-images=false --install-addons=false",
    ):
        assert part in told
    assert more == [["/mk", "node", "add", "--profile", "shop", "--worker"]] * spec.workers
    assert program.ports_when_added == [[]] * spec.workers, "each worker would be given the port that is taken"
    assert (driver.kubeconfig.stat().st_mode & 0o777) == 0o600


def test_home_and_kubeconfig_are_ours_and_the_users_settings_are_not_heard(
    driver: MinikubeDriver, spec: ClusterSpec, program: Program, kube: Kube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINIKUBE_HOME", "/users")
    monkeypatch.setenv("MINIKUBE_STATIC_IP", "10.0.0.1")
    driver.create(spec, "i", print)
    assert program.env["MINIKUBE_HOME"] == str(driver.home)
    assert program.env["KUBECONFIG"] == str(driver.kubeconfig)
    assert program.env["MINIKUBE_STATIC_IP"] == ""


def test_the_nodes_volumes_carry_our_label_before_minikube_makes_them(
    engine: Engine, driver: MinikubeDriver, spec: ClusterSpec, program: Program, kube: Kube
) -> None:
    driver.create(spec, "i", print)
    made = [words[-1] for words in engine.ran if words[:4] == ("volume", "create", "--label", "botyard.cluster=shop")]
    assert made == ["shop", "shop-m02", "shop-m03"]


def test_storage_comes_with_it_and_the_control_plane_is_for_no_bot(
    driver: MinikubeDriver, spec: ClusterSpec, program: Program, kube: Kube
) -> None:
    driver.create(spec, "i", print)
    assert any(body["kind"] == "StorageClass" for body in kube.applied)
    node = kube.applied[-1]
    assert (node["kind"], node["metadata"]["name"]) == ("Node", "shop")
    assert node["spec"]["taints"] == [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]


def test_the_pod_network_is_filled_in_for_the_address_that_minikube_will_ask_for(
    driver: MinikubeDriver, spec: ClusterSpec, program: Program, kube: Kube
) -> None:
    driver.create(spec, "i", print)
    text = (driver.home / "pod-network.yaml").read_text()
    assert "172.30.0.2:8443" in text and "10.244.0.0/16" in text and "{{" not in text


def test_a_network_that_is_gone_is_told(engine: Engine) -> None:
    engine.networks.clear()
    with pytest.raises(BotyardError, match="no Docker network shop-net"):
        minikube_cluster.control_plane_address("shop-net")


def test_what_fails_is_told_as_it_is(driver: MinikubeDriver, spec: ClusterSpec, program: Program) -> None:
    program.fails = True
    with pytest.raises(CommandError):
        driver.create(spec, "i", print)


def test_stopped_nodes_are_started_and_find_the_control_plane_again(
    engine: Engine, driver: MinikubeDriver, spec: ClusterSpec, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.all = [FakeContainer(name, {"created_by.minikube.sigs.k8s.io": "true"}) for name in ("shop", "shop-m02")]
    engine.allowed = [("start", "shop-m02")]
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(docker, "exec_in", lambda node, argv: told.append((node, *argv)))
    program.config.parent.mkdir(parents=True)
    program.config.write_text("{}")
    driver.come_back(spec, ["shop-m02"], print)
    assert engine.ran == [("start", "shop-m02")]
    alias = "172.30.0.2 control-plane.minikube.internal"
    assert [(one[0], one[-1]) for one in told] == [("shop", alias), ("shop-m02", alias)]
    assert program.calls == [["/mk", "update-context", "--profile", "shop"]]


def test_the_alias_is_added_once(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    script = minikube_cluster.ADD_ALIAS.replace("/etc/hosts", str(hosts))
    for _ in range(2):
        subprocess.run(["sh", "-c", script, "sh", "172.30.0.2 control-plane"], check=True)
    assert hosts.read_text() == "127.0.0.1 localhost\n172.30.0.2 control-plane\n"


def test_a_cluster_that_another_checkout_made_is_not_made_anew(
    engine: Engine, driver: MinikubeDriver, spec: ClusterSpec, program: Program
) -> None:
    with pytest.raises(BadInput, match="made by another checkout"):
        driver.come_back(spec, [], print)
    assert engine.ran == [] and program.calls == []


def test_clearing_takes_our_volumes_and_its_home_alone(engine: Engine, driver: MinikubeDriver) -> None:
    engine.volumes = {
        "shop": {"Labels": {"botyard.cluster": "shop"}},
        "shop-m02": {"Labels": {"created_by.minikube.sigs.k8s.io": "true"}},
        "shop-m10": {"Labels": {"botyard.cluster": "shop"}},
    }
    engine.allowed = [("volume", "rm")]
    driver.home.mkdir()
    driver.clear("shop")
    assert engine.ran == [("volume", "rm", "shop"), ("volume", "rm", "shop-m10")]
    assert not driver.home.exists()


def test_its_steps_are_passed_on_as_words() -> None:
    told: list[str] = []
    line = minikube.steps(told.append)
    line(json.dumps({"type": "io.k8s.sigs.minikube.step", "data": {"message": "Creating docker container ...\n"}}))
    line(json.dumps({"type": "io.k8s.sigs.minikube.download.progress", "data": {"message": "12"}}))
    line("E1125 14:52:46.555386   32127 docker.go:256] Failed to disable")
    line("")
    assert told == ["minikube: creating docker container"]


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        (["--data-dir=/a b", "--proxy-refresh-interval=70000", "--name=x"], ["--data-dir=/a b", "--name=x"]),
        (["--name=*"], ["--name=*"]),
    ],
)
def test_etcd_is_given_all_flags_but_the_one_that_is_gone(given: list[str], passed_on: list[str]) -> None:
    script = (ROOT / "dockerfiles/minikube/etcd.sh").read_text()
    script = script.replace("exec /usr/local/bin/etcd-server", "exec printf '%s\\n'")
    done = subprocess.run(["sh", "-c", script, "etcd", *given], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == passed_on


def network_made(engine: Engine, monkeypatch: pytest.MonkeyPatch, *, fixed_nodes: bool) -> list[tuple[str, ...]]:
    engine.networks.clear()
    engine.allowed = [("network", "create"), ("network", "rm", "shop-net")]
    cli = docker.cli

    def act(*words: Any, **more: Any) -> Any:
        done = cli(*words, **more)
        engine.networks.clear()
        if words[1] == "create":
            engine.networks["shop-net"] = {"IPAM": {"Config": [{"Subnet": "172.30.0.0/16"}]}}
        return done

    monkeypatch.setattr(docker, "cli", act)
    assert services.ensure_network("shop-net", "shop", fixed_nodes=fixed_nodes)
    return engine.ran


def test_of_the_network_the_lower_half_is_kept_for_the_nodes(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    first, away, last = network_made(engine, monkeypatch, fixed_nodes=True)
    assert "--subnet" not in first and away == ("network", "rm", "shop-net")
    told = " ".join(last)
    assert "--subnet 172.30.0.0/16 --gateway 172.30.0.1 --ip-range 172.30.128.0/17 shop-net" in told
    assert "--label botyard.cluster=shop" in told


def test_kinds_network_is_made_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    (only,) = network_made(engine, monkeypatch, fixed_nodes=False)
    assert "--ip-range" not in only


@pytest.mark.parametrize("fixed_nodes", [True, False])
def test_a_network_of_another_drivers_cluster_is_refused(engine: Engine, fixed_nodes: bool) -> None:
    entry = {"Subnet": "172.30.0.0/16"} if fixed_nodes else NETWORK
    engine.networks["shop-net"]["IPAM"] = {"Config": [entry]}
    with pytest.raises(BadInput, match="made for a cluster of another driver"):
        services.ensure_network("shop-net", "shop", fixed_nodes=fixed_nodes)
    engine.networks["shop-net"]["IPAM"] = {"Config": [NETWORK if fixed_nodes else {"Subnet": "172.30.0.0/16"}]}
    assert not services.ensure_network("shop-net", "shop", fixed_nodes=fixed_nodes)


def context(target: Target, tmp_path: Path, *, check: bool = True) -> Context:
    paths = Paths(root=ROOT, state=tmp_path / "state", cache=tmp_path / "cache")
    return Context(paths=paths, target=target, check=check, diff=False)


def test_the_module_refuses_a_target_of_another_driver(engine: Engine, tmp_path: Path) -> None:
    kind = Target(name="kind", cluster="shop")
    with pytest.raises(BadInput, match=r"of driver kind, not minikube"):
        module.run(module.Args(image="i"), context(kind, tmp_path))


def test_check_mode_says_that_it_would_be_made(engine: Engine, target: Target, tmp_path: Path) -> None:
    found = module.run(module.Args(image="i"), context(target, tmp_path))
    assert found.changed and "making it" in found.msg
    assert engine.ran == [] and not (tmp_path / "state").exists()


def test_its_image_is_made_on_top_of_kinds_and_known_by_it(tmp_path: Path) -> None:
    key = minikube_image.key(ROOT / "dockerfiles", "a", "v1.34.4")
    assert key == minikube_image.key(ROOT / "dockerfiles", "a", "v1.34.4")
    assert key != minikube_image.key(ROOT / "dockerfiles", "b", "v1.34.4")
    assert key != minikube_image.key(ROOT / "dockerfiles", "a", "v1.34.5")


def test_the_node_image_of_a_minikube_target_is_minikubes(
    engine: Engine, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(toolbox, "ensure", lambda paths, target, names, *_, **__: asked.extend(names) or [])
    engine.images["base"] = FakeImage("sha256:b")
    found = node_image_module.run(node_image_module.Args(base="base"), context(target, tmp_path))
    assert (found.changed, found.data["ref"]) == (True, "botyard/minikube-node:v1.34.4")
    assert "crictl" in asked
    asked.clear()
    kind = Target(name="kind", cluster="shop", sources=target.sources)
    found = node_image_module.run(node_image_module.Args(base="base"), context(kind, tmp_path))
    assert found.data["ref"] == "botyard/node:v1.34.4"
    assert "crictl" not in asked


def test_its_image_is_up_to_date_by_its_label(engine: Engine) -> None:
    engine.images["botyard/minikube-node:v1.34.4"] = FakeImage("sha256:1", {LABEL_KEY: "k"})
    assert minikube_image.observe("v1.34.4", "k")
    assert not minikube_image.observe("v1.34.4", "other")


def test_nodes_are_told_by_the_profile_and_the_control_plane_comes_first(
    engine: Engine, driver: MinikubeDriver
) -> None:
    label = {"created_by.minikube.sigs.k8s.io": "true"}
    names = ("shop-m10", "shop-m02", "shop", "shop-m02-x", "ashop", "shop-other")
    engine.all = [FakeContainer(name, label) for name in names] + [FakeContainer("shop-m03", {})]
    assert [one.name for one in driver.nodes("shop")] == ["shop", "shop-m02", "shop-m10"]
