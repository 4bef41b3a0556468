"""Services of type LoadBalancer have an address of their own in the nodes' network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from botyard.tools.kube import Kube
from botyard.verify.conversations import Conversation, play
from botyard.verify.released import RASA, RASA_PORT, Released
from botyard.verify.rest import LostReply, say
from botyard.wait import wait_until


def _address(kube: Kube, name: str, namespace: str) -> str:
    service = kube.get("v1", "Service", name, namespace) or {}
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [{}]
    return str(ingress[0].get("ip") or "")


def _given(kube: Kube, name: str, namespace: str) -> str:
    wait_until(f"an address for {name}", lambda: (bool(_address(kube, name, namespace)), "none yet"), 30)
    return _address(kube, name, namespace)


def _answered(address: str) -> tuple[bool, str]:
    try:
        return True, say(f"http://{address}:{RASA_PORT}", f"check-{os.urandom(4).hex()}", "hello").text
    except LostReply as error:  # kube-proxy takes a moment to learn of the address
        return False, error.message


@pytest.fixture(scope="module")
def address(released: Released) -> str:
    """The bot's, where it is to have one."""
    service = released.kube.get("v1", "Service", RASA, released.namespace) or {}
    if service.get("spec", {}).get("type") != "LoadBalancer":
        pytest.skip("the bot's Service is of another type")
    return _given(released.kube, RASA, released.namespace)


@pytest.fixture
def second(released: Released) -> Iterator[Callable[[], str]]:
    """Makes one more Service of the bot's port, which is gone afterwards; gives its name."""
    kube, made = released.kube, []

    def make() -> str:
        name = f"check-{os.urandom(4).hex()}"
        made.append(name)
        spec: dict[str, Any] = {
            "type": "LoadBalancer",
            "selector": kube.get("v1", "Service", RASA, released.namespace)["spec"]["selector"],  # type: ignore[index]
            "ports": [{"name": "http", "port": RASA_PORT, "targetPort": "http"}],
        }
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
        kube.apply(body, released.namespace)
        return name

    yield make
    for name in made:
        kube.delete("v1", "Service", name, released.namespace)


@pytest.mark.readonly
def test_the_bot_has_an_address_that_no_node_has(released: Released, address: str) -> None:
    """What its Service shows as address is no node's own, which node ports would answer for as well."""
    nodes = {a["address"] for n in released.kube.list("v1", "Node") for a in n["status"]["addresses"]}
    assert address not in nodes
    assert not released.kube.get("v1", "Service", RASA, released.namespace)["spec"].get("externalIPs")  # type: ignore[index]


@pytest.mark.readonly
def test_the_bot_answers_at_its_address(address: str, greeting: Conversation) -> None:
    """A conversation over the address and the Service's own port, from this machine."""
    play(greeting, lambda sender, message: say(f"http://{address}:{RASA_PORT}", sender, message).text)


@pytest.mark.disruptive
def test_a_second_service_of_the_same_port_has_another_address_which_is_free_again_after_it(
    released: Released, address: str, second: Callable[[], str]
) -> None:
    """Two Services of one port do not get in each other's way; the address of one that is gone is given again."""
    name = second()
    other = _given(released.kube, name, released.namespace)
    assert other != address
    wait_until(f"an answer from {other}", lambda: _answered(other), 15)
    released.kube.delete("v1", "Service", name, released.namespace)
    assert _given(released.kube, second(), released.namespace) == other
    assert _address(released.kube, RASA, released.namespace) == address
