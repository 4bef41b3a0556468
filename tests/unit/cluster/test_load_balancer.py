"""The load balancer of kind clusters, at its two doors: the program ip, and the API server."""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FILE = Path(__file__).parents[3] / "dockerfiles" / "load-balancer" / "load_balancer.py"
NETWORK = ipaddress.IPv4Network("172.18.0.0/16")


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("load_balancer", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


lb = _loaded()


def address(text: str) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(text)


def item(name: str, *, has: str = "", created: str = "2026-01-01T00:00:00Z", **spec: Any) -> dict[str, Any]:
    """A Service as the API server shows it."""
    return {
        "metadata": {
            "namespace": "shop",
            "name": name,
            "uid": name,
            "creationTimestamp": created,
            "resourceVersion": "7",
        },
        "spec": {"type": "LoadBalancer", **spec},
        "status": {"loadBalancer": {"ingress": [{"ip": has}]} if has else {}},
    }


def given(
    *items: dict[str, Any], network: ipaddress.IPv4Network = NETWORK, busy: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Name -> address, or the reason why there is none."""
    services = [found for one in items if (found := lb.ours(one)) is not None]
    found = lb.assign(services, network, lambda a: str(a) in busy)
    return {uid: reason if given is None else str(given) for uid, (given, reason) in found.items()}


def test_two_services_get_two_addresses_from_the_upper_end() -> None:
    assert given(item("a"), item("b")) == {"a": "172.18.255.254", "b": "172.18.255.253"}


def test_an_address_that_was_given_is_kept_and_one_given_back_is_free_again() -> None:
    assert given(item("new"), item("old", has="172.18.255.254")) == {"old": "172.18.255.254", "new": "172.18.255.253"}
    assert given(item("new")) == {"new": "172.18.255.254"}


def test_an_address_that_somebody_else_answers_for_is_passed_over() -> None:
    assert given(item("a"), busy=("172.18.255.254",)) == {"a": "172.18.255.253"}


def test_one_address_in_two_services_stays_with_the_older() -> None:
    old, new = (item(n, has="172.18.255.254", created=f"2026-01-0{i}T00:00:00Z") for i, n in ((1, "old"), (2, "new")))
    assert given(new, old) == {"old": "172.18.255.254", "new": "172.18.255.253"}


def test_an_address_of_another_range_is_replaced() -> None:
    assert given(item("a", has="10.0.0.9")) == {"a": "172.18.255.254"}


def test_load_balancer_ip_is_honoured_or_the_reason_said() -> None:
    assert given(item("a", loadBalancerIP="172.18.200.1")) == {"a": "172.18.200.1"}
    assert given(item("a", has="172.18.255.254", loadBalancerIP="172.18.200.1")) == {"a": "172.18.200.1"}
    for wrong in ("172.18.0.1", "172.18.255.255", "10.0.0.1", "here"):
        assert "no address to give" in given(item("a", loadBalancerIP=wrong))["a"]
    taken = given(item("a", has="172.18.200.1"), item("b", loadBalancerIP="172.18.200.1"))
    assert taken["b"] == "spec.loadBalancerIP 172.18.200.1 belongs to Service shop/a"
    assert "another machine" in given(item("a", loadBalancerIP="172.18.200.1"), busy=("172.18.200.1",))["a"]


@pytest.mark.parametrize(
    ("cidr", "first", "count"),
    [
        ("172.18.0.0/16", "172.18.255.254", 50),
        ("10.89.7.0/24", "10.89.7.254", 50),
        ("10.89.7.0/28", "10.89.7.14", 7),
        ("10.89.7.0/30", "10.89.7.2", 1),
    ],
)
def test_the_pool_is_the_upper_end_of_any_range(cidr: str, first: str, count: int) -> None:
    network = ipaddress.IPv4Network(cidr)
    pool = lb.pool(network)
    assert (str(pool[0]), len(pool)) == (first, count)
    assert network.network_address + 1 not in pool


def test_no_free_address_is_said() -> None:
    small = ipaddress.IPv4Network("10.89.7.0/30")
    assert given(item("a"), item("b"), network=small) == {
        "a": "10.89.7.2",
        "b": "all 1 addresses of 10.89.7.0/30 are taken",
    }


def test_other_services_are_left_alone() -> None:
    leaving = item("a")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    others = (item("a", type="ClusterIP"), item("a", loadBalancerClass="example.com/other"), leaving)
    assert [lb.ours(other) for other in others] == [None, None, None]
    assert lb.ours(item("a", loadBalancerClass=lb.CLASS)) is not None


class Interface:
    """The program ip, as far as it is used."""

    def __init__(self, own: str = "172.18.0.5", bits: int = 16) -> None:
        self.own, self.bits = own, bits
        self.ours: set[str] = set()
        self.calls: list[list[str]] = []

    def run(self, argv: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append(argv[1:])
        if argv[1] == "-json":
            rows = [{"local": self.own, "prefixlen": self.bits, "label": "eth0"}]
            rows += [{"local": one, "prefixlen": 32, "label": "eth0:lb"} for one in sorted(self.ours)]
            return subprocess.CompletedProcess(argv, 0, json.dumps([{"addr_info": rows}]), "")
        change = self.ours.add if argv[2] == "replace" else self.ours.discard
        change(argv[3].removesuffix("/32"))
        return subprocess.CompletedProcess(argv, 0, "", "")


@pytest.fixture
def eth0(monkeypatch: pytest.MonkeyPatch) -> Interface:
    found = Interface()
    monkeypatch.setattr(lb.subprocess, "run", found.run)
    monkeypatch.setattr(lb, "answers", lambda _address: False)
    return found


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(lb, "announce", lambda a: found.append(str(a)))
    return found


def test_addresses_live_short_and_are_renewed(eth0: Interface, announced: list[str]) -> None:
    mine = {address("172.18.255.254")}
    lb.hold(mine, set())
    lb.hold(mine, mine)
    add = ["address", "replace", "172.18.255.254/32", "dev", "eth0", "label", "eth0:lb"]
    assert eth0.calls == [[*add, "valid_lft", "30", "preferred_lft", "30"]] * 2
    assert announced == ["172.18.255.254"]
    assert lb.RENEW_S * 3 < lb.LIFETIME_S


def test_what_nobody_wants_is_taken_off(eth0: Interface, announced: list[str]) -> None:
    eth0.ours = {"172.18.255.254", "172.18.255.253"}
    lb.hold({address("172.18.255.253")}, {address(a) for a in eth0.ours})
    assert eth0.ours == {"172.18.255.253"} and not announced


class Api:
    """A cluster's Services; ``fails`` calls in a row are refused."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = list(items)
        self.fails = 0
        self.rounds = 0
        self.told: list[tuple[str, str, str]] = []

    def services(self) -> tuple[list[dict[str, Any]], str]:
        if self.fails:
            self.fails -= 1
            raise OSError("no route to host")
        return self.items, "9"

    def tell(self, service: Any, given: Any, reason: str) -> None:
        self.told.append((service.name, str(given or ""), reason))
        for one in self.items:
            if one["metadata"]["name"] == service.name:
                one["status"] = {"loadBalancer": {"ingress": [{"ip": str(given)}] if given else []}}
                one["status"]["conditions"] = [{"type": lb.CONDITION, "message": reason}] if reason else []

    def wait(self, _version: str, _seconds: int) -> None:
        self.rounds -= 1
        if self.rounds <= 0:
            raise KeyboardInterrupt


def serve(api: Api, rounds: int) -> None:
    api.rounds = rounds
    with pytest.raises(KeyboardInterrupt):
        lb.serve(api)


def test_the_status_is_written_once(eth0: Interface, announced: list[str]) -> None:
    api = Api(item("a"), item("b", loadBalancerIP="10.0.0.1"))
    serve(api, rounds=3)
    reason = "spec.loadBalancerIP 10.0.0.1 is no address to give in 172.18.0.0/16"
    assert api.told == [("a", "172.18.255.254", ""), ("b", "", reason)]
    assert eth0.ours == {"172.18.255.254"} and announced == ["172.18.255.254"]


def test_a_restarted_controller_and_a_new_node_go_on_with_what_the_services_say(
    eth0: Interface, announced: list[str]
) -> None:
    serve(Api(item("a"), item("b", has="172.18.255.254")), rounds=1)
    assert eth0.ours == {"172.18.255.254", "172.18.255.253"}
    eth0.ours.clear()  # the node's network is new: it was restarted, or it is another node
    serve(Api(item("a", has="172.18.255.253"), item("b", has="172.18.255.254")), rounds=1)
    assert eth0.ours == {"172.18.255.254", "172.18.255.253"} and len(announced) == 4


def test_an_address_goes_with_its_service(eth0: Interface, announced: list[str]) -> None:
    api = Api(item("a"))
    serve(api, rounds=1)
    api.items.clear()
    serve(api, rounds=1)
    assert eth0.ours == set()


def test_a_silent_api_server_costs_no_address(
    eth0: Interface, announced: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lb.time, "sleep", lambda _seconds: None)
    api = Api(item("a", has="172.18.255.254"))
    eth0.ours = {"172.18.255.254"}
    api.fails = 3
    serve(api, rounds=1)
    renewed = [call for call in eth0.calls if call[:3] == ["address", "replace", "172.18.255.254/32"]]
    assert len(renewed) == 4 and not [call for call in eth0.calls if "del" in call]
    assert capsys.readouterr().out.splitlines() == ["OSError: no route to host", "the API server answers again"]


def test_an_arp_probe_names_no_sender_and_an_announcement_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lb.Path, "read_text", lambda _self: "02:42:ac:12:00:05\n")
    probe = lb._arp(ipaddress.IPv4Address(0), address("172.18.255.254"))
    assert probe[:14].hex() == "ffffffffffff0242ac1200050806"
    assert probe[28:32] == bytes(4) and probe[38:42] == bytes([172, 18, 255, 254])
    assert lb._arp(address("10.0.0.9"), address("10.0.0.9"))[28:32] == bytes([10, 0, 0, 9])
