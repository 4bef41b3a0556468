"""The gateway before Rasa's pods: who gets what, its limits, and that it may come and go as pods do."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests
from losses import lost_nothing

from botyard.verify.conversations import TOKEN, Conversation, new_token
from botyard.verify.put_back import put_back, roll, scale, settled
from botyard.verify.released import GATEWAY, RASA, RASA_CONTAINER, RASA_PORT, READY_PATH, Pod, Released
from botyard.verify.rest import REST_PATH
from botyard.verify.traffic import Traffic
from botyard.verify.websocket import converse
from botyard.wait import wait_until

METRICS_PORT = 8404
CALM_S = 2.0
# A second HAProxy in the same pod, of the same configuration, in whose queue two may wait.
SECOND_PORT = 15005
SECOND = r"""
sed -e 's/queue(messages) ge [0-9]*/queue(messages) ge 2/' -e 's/bind :5005/bind :15005/' \
  -e 's/bind :8404/bind :18404/' -e 's#/tmp/haproxy.sock#/tmp/second.sock#' /etc/gateway/haproxy.cfg > /tmp/second.cfg
timeout 20 haproxy -db -f /tmp/second.cfg & echo $! > /tmp/second.pid
wait
"""
# A second HAProxy that learns of no pod, as nobody answers where it asks for names.
BLIND = SECOND.replace("sed ", "sed -e 's/parse-resolv-conf/nameserver nobody 127.0.0.1:9/' ")
# Sends many messages at once, from inside the cluster: (status, Retry-After) of each.
MANY = r"""
import concurrent.futures, json, sys, urllib.error, urllib.request
def say(number):
    body = json.dumps({"sender": "check-full-%d" % number, "message": sys.argv[2]}).encode()
    try:
        with urllib.request.urlopen(sys.argv[1], body, timeout=15) as reply:
            return [reply.status if json.load(reply) else 0, None]
    except urllib.error.HTTPError as error:
        return [error.code, error.headers.get("Retry-After")]
    except OSError as error:
        return [-1, str(error)]
with concurrent.futures.ThreadPoolExecutor(24) as pool:
    print("many:" + json.dumps(list(pool.map(say, range(24)))))
"""


@pytest.fixture(autouse=True)
def _needs_one(released: Released) -> None:
    if not released.has_gateway:
        pytest.skip("the bot was released without a gateway")


@pytest.fixture
def gateways(released: Released) -> list[Pod]:
    """The gateway's pods that are not on their way out."""
    return [pod for pod in released.pods_of(GATEWAY) if not pod.leaving]


def metrics(released: Released, pod: Pod) -> str:
    """What a gateway pod tells Prometheus."""
    status, text = released.kube.pod_http(pod.name, released.namespace, METRICS_PORT, "GET", "/metrics")
    assert status == 200, text[:200]
    return text


def served(text: str) -> dict[str, float]:
    """Messages that each server of the queue has had."""
    return {
        name: float(count)
        for name, count in re.findall(
            r'^haproxy_server_sessions_total\{proxy="messages",server="(\w+)"\} (\d+)', text, re.MULTILINE
        )
    }


@pytest.mark.readonly
def test_the_bots_address_leads_to_gateways_on_different_nodes(released: Released, gateways: list[Pod]) -> None:
    """The Service's ready endpoints are the gateway's pods, two at least, and no two share a node."""
    assert released.ready_behind(RASA) == {pod.ip for pod in gateways if pod.ready}
    assert len({pod.node for pod in gateways}) == len(gateways) >= 2, [(p.name, p.node) for p in gateways]


@pytest.mark.readonly
def test_messages_reach_every_rasa_pod_through_each_gateway(
    released: Released, gateways: list[Pod], rasa_pods: list[Pod], greeting: Conversation
) -> None:
    """Of a few messages that one gateway is given, each Rasa pod has at least one.

    Several at a time: of one after the other all go to the same pod while another holds a message that waits, as an
    interrupted check may have left it.
    """

    def say(gateway: Pod, number: int) -> tuple[int, str]:
        message = {"sender": f"check-gateway-{number}", "message": greeting.turns[0].say}
        return released.kube.pod_http(gateway.name, released.namespace, RASA_PORT, "POST", REST_PATH, message)

    for gateway in gateways:
        before = served(metrics(released, gateway))
        with ThreadPoolExecutor(2 * len(rasa_pods)) as pool:
            for status, body in pool.map(functools.partial(say, gateway), range(6 * len(rasa_pods))):
                assert status == 200 and json.loads(body), f"{gateway.name}: {status} {body[:200]}"
        after = served(metrics(released, gateway))
        used = [name for name, count in after.items() if count > before.get(name, 0)]
        assert len(used) == len(rasa_pods), f"{gateway.name} used {used}"


@pytest.mark.readonly
def test_what_is_no_message_goes_through_as_well(released: Released, rasa_pods: list[Pod]) -> None:
    """The token-free readiness is answered by one Rasa pod after the other; a wrong path is Rasa's own 404."""
    asked = (requests.get(f"{released.base_url}{READY_PATH}", timeout=10).json() for _ in range(20))
    assert {answer["pod"] for answer in asked} == {pod.name for pod in rasa_pods}
    assert "Hello from Rasa" in requests.get(released.base_url, timeout=10).text
    assert requests.get(f"{released.base_url}/no-such-path", timeout=10).status_code == 404


@pytest.mark.readonly
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_chat_widget_talks_by(released: Released, memory: Conversation, transport: str) -> None:
    """A conversation by that transport, four times, as there are more pods than one."""
    for _ in range(4):
        token = new_token()
        said = [turn.say.replace(TOKEN, token) for turn in memory.turns]
        heard = converse(released.base_url, said, f"check-{token}", transports=[transport])
        for turn, answer in zip(memory.turns, heard, strict=True):
            assert re.search(turn.expect.replace(TOKEN, token), "\n".join(answer), re.DOTALL), answer


def poll(base_url: str) -> str:
    """One socket.io session by long-polling, each request by a connection of its own; gives its id."""
    url = f"{base_url}/socket.io/?EIO=4&transport=polling"
    opened = requests.get(url, timeout=10)
    assert opened.status_code == 200 and opened.text.startswith("0{"), opened.text[:200]
    session = str(json.loads(opened.text[1:])["sid"])
    for body in ("40", None, "41", None):  # connect, the answer, disconnect, the answer
        place = f"{url}&sid={session}"
        reply = requests.post(place, body, timeout=10) if body else requests.get(place, timeout=10)
        assert reply.status_code == 200, f"session {session}: {reply.status_code} {reply.text[:200]}"
        if body == "41":
            break
    return session


def marks(pods: list[Pod]) -> set[str]:
    """What session ids of those pods begin with."""
    return {f"p{zlib.crc32(pod.ip.encode()):08x}" for pod in pods}


@pytest.mark.readonly
def test_a_polling_session_stays_on_its_pod(released: Released, rasa_pods: list[Pod]) -> None:
    """Sessions begin on every pod, and each request of one finds its pod again, whichever gateway it meets.

    A new one goes to the pod with the fewest connections: to the other one while a session of the check before ends.
    """
    begun: set[str] = set()

    def probe() -> tuple[bool, str]:
        begun.update(poll(released.base_url).partition("-")[0] for _ in range(2 * len(rasa_pods)))
        return begun >= marks(rasa_pods), f"begun on {', '.join(sorted(begun))}"

    wait_until("sessions on every pod", probe, 30, interval_s=0.2)
    assert begun == marks(rasa_pods)


@pytest.mark.readonly
def test_a_session_of_a_pod_that_is_gone_is_told_so(released: Released) -> None:
    """A widget whose pod is gone gets Rasa's own 400, upon which it connects anew."""
    gone = f"p{zlib.crc32(b'192.0.2.1'):08x}-nobody"
    url = f"{released.base_url}/socket.io/?EIO=4&transport=polling&sid={gone}"
    assert requests.get(url, timeout=10).status_code == 400


@pytest.mark.readonly
def test_metrics_tell_of_the_queue(released: Released, gateways: list[Pod], rasa_pods: list[Pod]) -> None:
    """Each gateway pod serves what docs/how-to/gateway.md names."""
    for gateway in gateways:
        text = metrics(released, gateway)
        assert f'haproxy_backend_active_servers{{proxy="messages"}} {len(rasa_pods)}\n' in text
        for name in ("current_queue", "max_queue_time_seconds", "queue_time_average_seconds"):
            assert f'haproxy_backend_{name}{{proxy="messages"}} ' in text, name
        assert 'haproxy_server_limit_sessions{proxy="messages"' in text


@pytest.mark.readonly
def test_a_body_that_is_too_large_is_refused(released: Released) -> None:
    """413 before the body is sent, and for a chunked one, whose size nobody tells; a smaller one is answered."""
    place = urlsplit(released.base_url).netloc
    for headers, body in (
        ({"Content-Length": str(1 << 24)}, b""),
        ({"Transfer-Encoding": "chunked"}, b"5000\r\n" + b"x" * 0x5000 + b"\r\n0\r\n\r\n"),
    ):
        line = http.client.HTTPConnection(place, timeout=20)
        line.putrequest("POST", REST_PATH)
        for name, value in headers.items():
            line.putheader(name, value)
        line.endheaders(body or None)
        reply = line.getresponse()
        assert (reply.status, json.loads(reply.read())["reason"]) == (413, "TooLarge"), headers
        line.close()
    small = json.dumps({"sender": "check-chunked", "message": "hello"}).encode()
    sent = requests.post(f"{released.base_url}{REST_PATH}", data=iter([small]), timeout=15)
    assert sent.status_code == 200 and sent.json()


@pytest.mark.readonly
def test_logs_have_no_queries_and_no_texts(released: Released, gateways: list[Pod]) -> None:
    """A token in a query and the text of a message are in no log line of the gateway."""
    secret, word = new_token(), new_token()
    requests.get(f"{released.base_url}/status?token={secret}", timeout=10)
    requests.post(f"{released.base_url}{REST_PATH}", json={"sender": "check-log", "message": word}, timeout=15)
    logs = [released.kube.logs(pod.name, released.namespace, "gateway", tail=200) for pod in gateways]
    assert any(" GET /status 401 " in log for log in logs), "the request was not logged at all"
    assert not any(secret in log or word in log for log in logs)


@contextlib.contextmanager
def second_haproxy(released: Released, gateway: Pod, script: str, *, asked: str) -> Iterator[None]:
    """Another HAProxy in the pod while the block runs, from when it answers ``asked`` on."""
    argv = ["bash", "-c", script]
    second = threading.Thread(
        target=released.kube.exec, args=(gateway.name, released.namespace, argv, "gateway"), daemon=True
    )
    second.start()

    def probe() -> tuple[bool, str]:
        status, _ = released.kube.pod_http(gateway.name, released.namespace, 18404, "GET", asked)
        return status == 200, f"{asked}: {status}"

    wait_until("the second HAProxy", probe, 15, interval_s=0.3)
    yield
    released.kube.exec(gateway.name, released.namespace, ["bash", "-c", "kill $(cat /tmp/second.pid)"], "gateway")
    second.join(30)


@pytest.mark.disruptive
def test_a_message_that_comes_before_a_pod_is_known_is_held(released: Released, gateways: list[Pod]) -> None:
    """A new HAProxy knows no pod for a moment: what comes then waits, for five seconds at most."""
    with second_haproxy(released, gateways[0], BLIND, asked="/alive"):
        begun = time.monotonic()
        status, body = released.kube.pod_http(
            gateways[0].name, released.namespace, SECOND_PORT, "POST", REST_PATH, {"sender": "check-held"}
        )
        waited = time.monotonic() - begun
    assert status == 503 and 4.5 < waited < 12, f"{status} after {waited:.1f} s: {body[:200]}"


@pytest.mark.disruptive
def test_a_full_queue_says_when_to_come_again(
    released: Released, gateways: list[Pod], rasa_pods: list[Pod], greeting: Conversation
) -> None:
    """Of 24 messages at once some are answered, and those that find the queue full have 503 with Retry-After."""
    gateway = gateways[0]
    argv = ["python3", "-c", MANY, f"http://{gateway.ip}:{SECOND_PORT}{REST_PATH}", greeting.turns[0].say]
    with second_haproxy(released, gateway, SECOND, asked="/ready"):
        _, printed = released.kube.exec(rasa_pods[0].name, released.namespace, argv, RASA_CONTAINER)
    found = [line for line in printed.splitlines() if line.startswith("many:")]
    assert found, printed[-300:]
    answers = [tuple(answer) for answer in json.loads(found[0].removeprefix("many:"))]
    assert set(answers) == {(200, None), (503, "5")}, answers
    print(f"{answers.count((200, None))} answered, {answers.count((503, '5'))} told to come again")


@pytest.mark.disruptive
def test_a_deleted_gateway_pod_loses_no_reply(released: Released, traffic: Callable[[], Traffic]) -> None:
    """One gateway pod is deleted under traffic: it finishes what it has, and no message is lost or refused."""
    before = [pod.name for pod in released.pods_of(GATEWAY) if not pod.leaving]
    with traffic() as people:
        people.run_for(CALM_S)
        released.kube.delete("v1", "Pod", before[0], released.namespace)
        settled(released, GATEWAY, 120, gone_too=True)
        people.run_for(CALM_S)
    assert before[0] not in [pod.name for pod in released.pods_of(GATEWAY)]
    lost_nothing(people.tally)


@pytest.mark.disruptive
def test_a_rollout_of_the_gateway_loses_no_reply(
    released: Released, traffic: Callable[[], Traffic], take_evidence: Callable[[], None]
) -> None:
    """All gateway pods are replaced, and replaced back, under traffic."""
    before = {pod.name for pod in released.pods_of(GATEWAY)}
    with traffic() as people:
        with put_back(released, GATEWAY, on_failure=take_evidence):
            roll(released, GATEWAY, str(time.time()))
            settled(released, GATEWAY, 120)
            assert before.isdisjoint(pod.name for pod in released.pods_of(GATEWAY) if not pod.leaving)
        people.run_for(CALM_S)
    lost_nothing(people.tally)


@pytest.mark.disruptive
def test_a_reload_in_place_loses_no_reply(
    released: Released, gateways: list[Pod], traffic: Callable[[], Traffic]
) -> None:
    """SIGUSR2, three times on each pod under traffic: new workers take over, the pods stay, nothing is lost."""
    with traffic() as people:
        for _ in range(3):
            for pod in gateways:
                argv = ["bash", "-c", "kill -USR2 1"]
                code, printed = released.kube.exec(pod.name, released.namespace, argv, "gateway")
                assert code == 0, printed
                people.run_for(0.5)
        people.run_for(CALM_S)
    after = {pod.name: pod for pod in released.pods_of(GATEWAY)}
    for pod in gateways:
        (state,) = after[pod.name].body["status"]["containerStatuses"]
        assert state["restartCount"] == pod.body["status"]["containerStatuses"][0]["restartCount"]
        log = released.kube.logs(pod.name, released.namespace, "gateway")
        assert log.count("Former worker (") >= 3, "it was not reloaded"
        assert "runtime error" not in log
    lost_nothing(people.tally)


@pytest.fixture
def three(released: Released, take_evidence: Callable[[], None]) -> Iterator[list[Pod]]:
    """A Rasa pod on every worker, for a while."""
    with put_back(released, RASA, on_failure=take_evidence):
        scale(released, RASA, released.target.workers)
        settled(released, RASA, 120)
        yield released.rasa_pods()


@pytest.mark.disruptive
def test_sessions_stay_on_their_pods_with_one_more(released: Released, three: list[Pod], memory: Conversation) -> None:
    """With three replicas polling and websocket work as with two, and the third has sessions too."""
    seen: set[str] = set()

    def probe() -> tuple[bool, str]:
        seen.update(poll(released.base_url).partition("-")[0] for _ in range(6))
        return seen == marks(three), f"sessions on {len(seen)} of {len(three)} pods"

    wait_until("sessions on every pod", probe, 20, interval_s=0.5)
    for transport in ("polling", "websocket"):
        test_a_chat_widget_talks_by(released, memory, transport)
