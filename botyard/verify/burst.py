"""Many people at once at one pod, from inside the cluster: no Service, no gateway, nobody else shares the load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botyard.verify.inside_pod import run_inside
from botyard.verify.released import RASA_PORT, READY_PATH, Pod, Released
from botyard.verify.rest import REST_PATH, LostReply, judge

# Standard library only, Python 3.8 and later. All speak at the same moment.
PROGRAM = r"""
import json, sys, threading, time, urllib.error, urllib.request
ask = json.loads(sys.argv[1])
began, answers, probes, lock = time.time(), [], [], threading.Lock()
start, over = threading.Barrier(ask["people"]), threading.Event()

def http(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=ask["timeout_s"]) as response:
            return response.status, response.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")
    except Exception as error:
        return 0, "%s: %s" % (type(error).__name__, error)

def talk(number):
    sender = "%s-%d" % (ask["name"], number)
    start.wait()
    at = time.time()
    status, body = http(ask["rest"], {"sender": sender, "message": ask["message"]})
    with lock:
        answers.append([sender, status, body[:300] if status != 200 else body, round(time.time() - at, 2)])

def probe():
    while not over.wait(1):
        at = time.time()
        status, _ = http(ask["ready"])
        probes.append([status, round(time.time() - at, 2)])

threading.Thread(target=probe, daemon=True).start()
people = [threading.Thread(target=talk, args=(number,)) for number in range(ask["people"])]
for one in people:
    one.start()
for one in people:
    one.join()
over.set()
print(ask["marker"] + json.dumps({"seconds": round(time.time() - began, 1), "answers": answers, "probes": probes}))
"""


@dataclass(frozen=True)
class Burst:
    """What a burst came to.

    Args:
        seconds: from the first message to the last answer.
        waits_s: of each message.
        lost: one line for each message without an answer that a person could read.
        probes_s: how long the pod took to answer its readiness path, asked a second after each answer meanwhile.
    """

    seconds: float
    waits_s: list[float]
    lost: list[str]
    probes_s: list[float]

    def line(self) -> str:
        """One line for a person."""
        return (
            f"{len(self.waits_s)} messages in {self.seconds:.1f} s, {len(self.lost)} lost, slowest answer "
            f"{max(self.waits_s):.1f} s, slowest readiness {max(self.probes_s, default=0):.1f} s"
        )


def burst(
    released: Released,
    source: Pod,
    at: Pod,
    message: str,
    name: str,
    *,
    people: int = 100,
    timeout_s: float = 120,
) -> Burst:
    """Sends from one Rasa pod to another.

    Args:
        name: begins each sender's name.
        people: who say the message at the same moment.
        timeout_s: how long each waits for the answer.

    Raises:
        BotyardError: the program did not run to its end.
    """
    base = f"http://{at.ip}:{RASA_PORT}"
    ask: dict[str, Any] = {
        "people": people, "timeout_s": timeout_s, "message": message, "name": name,
        "rest": base + REST_PATH, "ready": base + READY_PATH,
    }  # fmt: skip
    return judged(run_inside(released, source, PROGRAM, ask, 2 * timeout_s))


def judged(found: dict[str, Any]) -> Burst:
    """Counts what the program saw."""
    lost = []
    for sender, status, body, took_s in found["answers"]:
        try:
            judge(status, body, sender)
        except LostReply as error:
            lost.append(f"{sender} after {took_s} s: {error.message}")
    waits = [took_s for *_, took_s in found["answers"]]
    return Burst(found["seconds"], waits, lost, [took_s for _, took_s in found["probes"]])
