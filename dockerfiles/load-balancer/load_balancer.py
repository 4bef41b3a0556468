"""Gives Services of type LoadBalancer an address of the Docker network that the nodes of a kind cluster are on.

One pod does it, in its node's network. It takes free addresses from the network's upper end, adds them to the node's
interface, tells the neighbours, and writes them into the Services' status; kube-proxy serves them on every node. What
was given lies in the Services alone, so a new pod goes on where the last one ended.

An address is added for LIFETIME_S and renewed every few seconds: the kernel itself drops what nobody renews. So a lost
or frozen node keeps no address for long, and a restarted pod leaves no gap. Standard library only.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLASS = "botyard.local/load-balancer"  # a Service may name it; one that names no class is ours too
CONDITION = "botyard.local/Address"  # in a Service's status: why it has no address
INTERFACE = "eth0"
LABEL = f"{INTERFACE}:lb"  # how our addresses are told from the node's own
LIFETIME_S = 30
RENEW_S = 8
POOL = 50  # addresses at the upper end of the network; of a small network half
PROBE_S = 0.3
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

Address = ipaddress.IPv4Address
Network = ipaddress.IPv4Network


class Refused(Exception):
    """The API server refused, or answered what is no answer."""


@dataclass(frozen=True)
class Service:
    """What matters of one Service of type LoadBalancer.

    Args:
        asked: spec.loadBalancerIP, '' for none.
        has: the address in its status, '' for none.
        told: the message of our condition, '' for none.
    """

    namespace: str
    name: str
    uid: str
    created: str
    version: str
    asked: str
    has: str
    told: str
    others: tuple[Mapping[str, Any], ...] = ()

    @property
    def title(self) -> str:
        return f"{self.namespace}/{self.name}"


def ours(item: Mapping[str, Any]) -> Service | None:
    """A Service as the API shows it, where it is for us."""
    meta, spec, status = item["metadata"], item["spec"], item.get("status") or {}
    if spec.get("type") != "LoadBalancer" or spec.get("loadBalancerClass") not in (None, CLASS):
        return None
    if meta.get("deletionTimestamp"):
        return None
    ingress = (status.get("loadBalancer") or {}).get("ingress") or [{}]
    conditions = status.get("conditions") or []
    return Service(
        meta["namespace"], meta["name"], meta["uid"], meta["creationTimestamp"], meta["resourceVersion"],
        asked=spec.get("loadBalancerIP") or "",
        has=ingress[0].get("ip") or "",
        told=next((str(c.get("message")) for c in conditions if c.get("type") == CONDITION), ""),
        others=tuple(c for c in conditions if c.get("type") != CONDITION),
    )  # fmt: skip


def pool(network: Network) -> list[Address]:
    """The addresses that may be given, the highest first; never the network's, the gateway's or the broadcast."""
    hosts = max(0, network.num_addresses - 3)  # the lowest host is Docker's gateway
    size = min(POOL, (hosts + 1) // 2)
    top = int(network.broadcast_address) - 1
    return [Address(top - i) for i in range(size)]


def assign(
    services: Iterable[Service], network: Network, busy: Callable[[Address], bool]
) -> dict[str, tuple[Address | None, str]]:
    """Address (or None and the reason) by the Service's uid.

    Args:
        busy: whether somebody else in the network answers for an address; asked only of such as are given newly.
    """
    found: dict[str, tuple[Address | None, str]] = {}
    taken: dict[Address, Service] = {}
    new: list[Service] = []
    for service in sorted(services, key=lambda s: (s.created, s.uid)):
        has = _address(service.has)
        stays = has is not None and has in network and has not in taken and service.asked in ("", service.has)
        if has is not None and stays:
            taken[has] = service
            found[service.uid] = has, ""
        else:
            new.append(service)
    for service in new:
        found[service.uid] = _choose(service, network, taken, busy)
        if (address := found[service.uid][0]) is not None:
            taken[address] = service
    return found


def _choose(
    service: Service, network: Network, taken: Mapping[Address, Service], busy: Callable[[Address], bool]
) -> tuple[Address | None, str]:
    if not service.asked:
        free = (one for one in pool(network) if one not in taken and not busy(one))
        address = next(free, None)
        return address, "" if address else f"all {len(pool(network))} addresses of {network} are taken"
    asked = _address(service.asked)
    reserved = (network.network_address, network.network_address + 1, network.broadcast_address)
    if asked is None or asked not in network or asked in reserved:
        return None, f"spec.loadBalancerIP {service.asked} is no address to give in {network}"
    if asked in taken:
        return None, f"spec.loadBalancerIP {asked} belongs to Service {taken[asked].title}"
    if busy(asked):
        return None, f"spec.loadBalancerIP {asked} is taken by another machine or container"
    return asked, ""


def _address(text: str) -> Address | None:
    try:
        return Address(text)
    except ValueError:
        return None


# --- the node's interface


def ip(*argv: str) -> str:
    """Runs iproute2's ip."""
    done = subprocess.run(["ip", *argv], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout


def look() -> tuple[Network, set[Address]]:
    """The network of the interface, and which of our addresses are on it."""
    rows = json.loads(ip("-json", "-4", "address", "show", "dev", INTERFACE))[0]["addr_info"]
    own = next(row for row in rows if row.get("label") != LABEL)
    network = Network((own["local"], own["prefixlen"]), strict=False)
    return network, {Address(row["local"]) for row in rows if row.get("label") == LABEL}


def hold(wanted: set[Address], held: set[Address]) -> None:
    """Adds or renews what is wanted, drops what is not, tells the neighbours of what is new."""
    for address in sorted(held - wanted):
        with contextlib.suppress(subprocess.CalledProcessError):  # it ended by itself just now
            ip("address", "del", f"{address}/32", "dev", INTERFACE)
    lives = ("valid_lft", str(LIFETIME_S), "preferred_lft", str(LIFETIME_S))
    for address in sorted(wanted):
        ip("address", "replace", f"{address}/32", "dev", INTERFACE, "label", LABEL, *lives)
    for address in sorted(wanted - held):
        announce(address)


def _arp(sender: Address, target: Address) -> bytes:
    mac = bytes.fromhex(Path(f"/sys/class/net/{INTERFACE}/address").read_text().strip().replace(":", ""))
    head = b"\xff" * 6 + mac + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
    return head + mac + sender.packed + b"\0" * 6 + target.packed


def _arp_socket() -> socket.socket:
    found = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
    found.bind((INTERFACE, 0))
    return found


def announce(address: Address) -> None:
    """A gratuitous ARP: neighbours that knew the address at another node learn that it is here."""
    with _arp_socket() as line:
        line.send(_arp(address, address))


def answers(address: Address) -> bool:
    """Whether somebody else in the network has this address (an ARP probe, as in RFC 5227)."""
    with _arp_socket() as line:
        line.send(_arp(Address(0), address))
        until = time.monotonic() + PROBE_S
        while (left := until - time.monotonic()) > 0:
            line.settimeout(left)
            with contextlib.suppress(TimeoutError):
                frame = line.recv(64)
                if frame[20:22] == b"\0\x02" and frame[28:32] == address.packed:
                    return True
    return False


# --- the API server


class Api:
    """The few calls that are needed; the token is read anew each time, as the kubelet renews it."""

    def __init__(self) -> None:
        self._host = os.environ["KUBERNETES_SERVICE_HOST"]
        self._port = int(os.environ["KUBERNETES_SERVICE_PORT"])
        self._trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))

    def _call(self, method: str, path: str, body: Any = None, *, one_line: bool = False, timeout_s: float = 5) -> bytes:
        line = http.client.HTTPSConnection(self._host, self._port, timeout=timeout_s, context=self._trust)
        with contextlib.closing(line):
            headers = {"Authorization": f"Bearer {(ACCOUNT / 'token').read_text().strip()}"}
            if body is not None:
                headers["Content-Type"] = "application/merge-patch+json"
            line.request(method, path, None if body is None else json.dumps(body), headers)
            reply = line.getresponse()
            data = reply.readline() if one_line else reply.read()
        if reply.status != 200:
            raise Refused(f"{method} {path}: {reply.status} {data[:200].decode(errors='replace')}")
        return data

    def services(self) -> tuple[list[dict[str, Any]], str]:
        """All Services, and the version of that list."""
        found = json.loads(self._call("GET", "/api/v1/services"))
        return found["items"], found["metadata"]["resourceVersion"]

    def wait(self, version: str, seconds: int) -> None:
        """Returns as soon as any Service changes, at the latest after that many seconds."""
        path = f"/api/v1/services?watch=1&resourceVersion={version}&timeoutSeconds={seconds}"
        self._call("GET", path, one_line=True, timeout_s=seconds + 5)

    def tell(self, service: Service, address: Address | None, reason: str) -> None:
        """Writes a Service's status; refused where it changed since it was read."""
        conditions = list(service.others)
        if reason:
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            row = {"type": CONDITION, "status": "False", "reason": "NoAddress", "message": reason}
            conditions.append(row | {"lastTransitionTime": now})
        status = {"loadBalancer": {"ingress": [{"ip": str(address)}] if address else None}, "conditions": conditions}
        path = f"/api/v1/namespaces/{service.namespace}/services/{service.name}/status"
        self._call("PATCH", path, {"metadata": {"resourceVersion": service.version}, "status": status})


def once(api: Api, network: Network, held: set[Address]) -> tuple[set[Address], str]:
    """Gives every Service its address; returns those to hold, and the version of what was read.

    The address is there before its Service says so: who reads the status may call it at once.
    """
    items, version = api.services()
    services = [found for item in items if (found := ours(item)) is not None]
    given = assign(services, network, lambda address: address not in held and answers(address))
    wanted = {address for address, _ in given.values() if address is not None}
    hold(wanted, held)
    for service in services:
        address, reason = given[service.uid]
        if (str(address or ""), reason) != (service.has, service.told):
            try:
                api.tell(service, address, reason)
                say(f"{service.title}: {address or reason}")
            except Refused as error:  # changed or deleted meanwhile: the others do not wait for it
                say(str(error))
    return wanted, version


def say(line: str) -> None:
    """One line for the pod's log."""
    print(line, flush=True)


def serve(api: Api) -> None:
    """Never returns. While the API server is silent the addresses are kept."""
    wanted: set[Address] | None = None
    trouble = ""
    while True:
        network, held = look()
        try:
            wanted, version = once(api, network, held)
            if trouble:
                say("the API server answers again")
                trouble = ""
            api.wait(version, RENEW_S)
        except (OSError, http.client.HTTPException, ValueError, Refused) as error:
            if str(error) != trouble:
                trouble = str(error)
                say(f"{type(error).__name__}: {trouble}")
            hold(held if wanted is None else wanted, held)
            time.sleep(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(Api())
