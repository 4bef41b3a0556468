"""Looks around from inside a Rasa pod: one small program, sent to the pod's own Python, answers many questions at once.

An exec costs a quarter of a second; so each pod is asked once and the checks share the answers.
"""

from __future__ import annotations

import json
from typing import Any

from botyard.contracts import BotyardError
from botyard.verify.released import RASA_CONTAINER, Pod, Released

MARKER = "botyard-inside:"
NOBODY = "action_that_nobody_wrote"  # harms no bot; the server refuses it by name and logs that as an error

# Standard library only (and the redis client that Rasa itself needs), Python 3.8 and later.
PROGRAM = r"""
import glob, hashlib, json, os, sys, time, urllib.error, urllib.request
ask = json.loads(sys.argv[1])

def http(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    begun = time.time()
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            found = {"status": response.status, "body": response.read().decode("utf-8", "replace")}
    except urllib.error.HTTPError as error:
        found = {"status": error.code, "body": error.read().decode("utf-8", "replace")}
    except Exception as error:
        found = {"status": 0, "body": "%s: %s" % (type(error).__name__, error)}
    found["seconds"] = round(time.time() - begun, 3)
    return found

def processes():
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        pid = path.split("/")[2]
        if int(pid) == os.getpid():
            continue
        try:
            line = open(path, "rb").read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
            ids = [l.split() for l in open("/proc/%s/status" % pid) if l.startswith(("Uid:", "Gid:"))]
        except OSError:
            continue
        found.append({"pid": int(pid), "command": line, "uid": int(ids[0][1]), "gid": int(ids[1][1])})
    return found

def tracker_keys():
    import yaml, redis
    store = (yaml.safe_load(open(ask["endpoints"])) or {}).get("tracker_store") or {}
    env = lambda value: os.path.expandvars(str(value)) if value is not None else None
    password = env(store.get("password"))
    found = {"type": store.get("type"), "url": env(store.get("url")), "keys": []}
    if store.get("type") == "redis":
        place = {"host": env(store.get("url")), "port": int(env(store.get("port")) or 6379), "socket_timeout": 10}
        client = redis.StrictRedis(db=int(env(store.get("db")) or 0), password=password, **place)
        found["keys"] = [key.decode() for key in client.scan_iter("*" + ask["sender"] + "*", count=1000)]
        try:
            redis.StrictRedis(**place).ping()
            found["open"] = True
        except redis.exceptions.AuthenticationError:
            found["open"] = False
    return found

def model():
    digest, size = hashlib.sha256(), 0
    with urllib.request.urlopen(ask["model_url"], timeout=30) as response:
        for part in iter(lambda: response.read(1 << 16), b""):
            digest.update(part)
            size += len(part)
    return {"sha256": digest.hexdigest(), "bytes": size}

def attempt(work):
    try:
        return work()
    except Exception as error:
        return {"error": "%s: %s" % (type(error).__name__, error)}

answer = {
    "webhooks": [http(ask["service"], ask["call"]) for _ in range(ask["tries"])],
    "pods": {url: http(url, ask["call"]) for url in ask["pod_urls"]},
    "processes": processes(),
    "uid": os.getuid(),
    "account_token": os.path.exists("/var/run/secrets/kubernetes.io/serviceaccount/token"),
    "tracker": attempt(tracker_keys),
    "model": attempt(model) if ask["model_url"] else {},
}
print(ask["marker"] + json.dumps(answer))
"""


def webhook_call(action: str, sender: str) -> dict[str, Any]:
    """What Rasa sends an action server to run ``action``, as small as the server takes it."""
    return {
        "next_action": action,
        "sender_id": sender,
        "version": "3.6.21",
        "domain": {"responses": {}, "slots": {}, "intents": [], "entities": [], "actions": [action], "forms": {}},
        "tracker": {
            "sender_id": sender,
            "slots": {},
            "latest_message": {"text": "hello", "intent": {"name": "greet", "confidence": 1.0}, "entities": []},
            "latest_event_time": 0.0,
            "followup_action": None,
            "paused": False,
            "events": [],
            "latest_input_channel": "rest",
            "active_loop": {},
            "latest_action_name": "action_listen",
        },
    }


def answered(call: dict[str, Any], action: str) -> bool:
    """Whether an action server did what it must with that call: run the action, or refuse NOBODY by name."""
    if action == NOBODY:
        return bool(call["status"] == 404 and NOBODY in call["body"])
    return bool(call["status"] == 200 and json.loads(call["body"])["responses"])


def look_around(released: Released, pod: Pod, ask: dict[str, Any], timeout_s: float = 60) -> dict[str, Any]:
    """Runs the program in one Rasa pod and returns its answers; raises as ``run_inside`` does."""
    return run_inside(released, pod, PROGRAM, ask, timeout_s)


def run_inside(released: Released, pod: Pod, program: str, ask: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    """Runs a program in a Rasa pod's own Python; returns what it printed as JSON behind ``ask["marker"]``.

    Raises:
        BotyardError: it did not run to its end; has the end of what it printed.
    """
    argv = ["python3", "-c", program, json.dumps({**ask, "marker": MARKER})]
    code, printed = released.kube.exec(pod.name, released.namespace, argv, RASA_CONTAINER, timeout_s)
    for line in printed.splitlines():
        if line.startswith(MARKER):
            answer: dict[str, Any] = json.loads(line[len(MARKER) :])
            return answer
    raise BotyardError(f"the program inside pod {pod.name} ended with exit code {code}: {printed[-400:]}")
