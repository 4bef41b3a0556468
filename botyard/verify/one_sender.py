"""Many messages of one sender at once, over all Rasa pods, sent from inside a pod: so each pod is asked directly.

When messages come at the same time over several pods, nobody can say which came first. So the sender's lock is held
while they come, one after the other: each has drawn its ticket before the next is sent. Then the lock is let go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botyard.contracts import BotyardError
from botyard.verify.inside_pod import run_inside
from botyard.verify.released import RASA_PORT, Pod, Released
from botyard.verify.rest import REST_PATH

OUR_LOCKS = "botyard_locks.RedisLocks"

# What Rasa itself needs, and the chart's lock store beside it; Python 3.8 and later.
PROGRAM = r"""
import asyncio, http.client, json, os, sys, time, urllib.parse
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
import redis, yaml
ask = json.loads(sys.argv[1])
options = (yaml.safe_load(os.path.expandvars(open("/app/endpoints.yml").read())) or {}).get("lock_store") or {}
kind = options.pop("type", None)

def http_call(method, pod, path, body=None):
    connection = http.client.HTTPConnection(pod, ask["port"], timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return {"status": response.status, "body": response.read().decode("utf-8", "replace")}
    except (OSError, http.client.HTTPException) as error:
        return {"status": 0, "body": "%s: %s" % (type(error).__name__, error)}
    finally:
        connection.close()

def say(pod, sender, number):
    body = {"sender": sender, "message": ask["message"], "metadata": {"number": number}}
    begun = time.monotonic()
    found = http_call("POST", pod, ask["path"], json.dumps(body))
    return dict(found, number=number, sender=sender, seconds=time.monotonic() - begun)

def events(sender):
    token = urllib.parse.quote(open("/run/botyard/rasa-token").read().strip())
    found = http_call("GET", ask["pods"][0], "/conversations/%s/tracker?token=%s" % (sender, token))
    told = [e for e in json.loads(found["body"]).get("events", []) if e["event"] in ("user", "bot")]
    return [e["metadata"].get("number", -1) if e["event"] == "user" else "bot" for e in told]

async def main():
    from botyard_locks import RedisLocks
    pool = ThreadPoolExecutor(ask["messages"] + 2)
    send = lambda *what: asyncio.get_running_loop().run_in_executor(pool, say, *what)
    pods, held, free = ask["pods"], ask["sender"] + "-held", ask["sender"] + "-free"
    queue = redis.StrictRedis(options["url"], int(options["port"]), int(options["db"]), options["password"])
    key = "%s:lock:{%s}" % (options.get("key_prefix", "botyard"), held)

    async def standing(many):
        deadline = time.monotonic() + 20
        while queue.zcard(key) < many:
            if time.monotonic() > deadline:
                sys.exit("only %d of %d messages stand in the queue" % (queue.zcard(key), many))
            await asyncio.sleep(0.002)

    async with RedisLocks(SimpleNamespace(url=options.pop("url"), kwargs=options)).lock(held):
        sent = []
        for number in range(ask["messages"]):
            sent.append(send(pods[number % len(pods)], held, number))
            await standing(number + 2)
        others = [await send(pod, ask["sender"] + "-other", number) for number, pod in enumerate(pods)]
        early = sum(one.done() for one in sent)
    let_go = time.monotonic()
    in_order = await asyncio.gather(*sent)
    seconds = time.monotonic() - let_go
    at_once = await asyncio.gather(*[send(pods[n % len(pods)], free, n) for n in range(ask["messages"])])
    return {"held": {"replies": in_order, "events": events(held), "early": early, "seconds": seconds},
            "free": {"replies": at_once, "events": events(free)}, "others": others}

answer = asyncio.run(main()) if kind == ask["kind"] else {"lock_store": kind}
print(ask["marker"] + json.dumps(answer))
"""


@dataclass(frozen=True)
class Answer:
    """What came back for one message: HTTP status (0: nothing) and body, and after how many seconds."""

    number: int
    sender: str
    status: int
    body: str
    seconds: float


@dataclass(frozen=True)
class Talk:
    """What one sender had back, and what its conversation holds: numbers of messages, and ``bot`` for each reply."""

    replies: list[Answer]
    events: list[int | str]

    @property
    def numbers(self) -> list[int]:
        """The messages in the order in which they were handled."""
        return [event for event in self.events if isinstance(event, int)]

    @property
    def mixed(self) -> list[int]:
        """Messages that another followed before their reply was there."""
        pairs = zip(self.events, [*self.events[1:], -1], strict=True)
        return [event for event, after in pairs if isinstance(event, int) and after != "bot"]


@dataclass(frozen=True)
class Crowd:
    """What was seen.

    Args:
        held: messages that came one after the other while the sender's lock was held.
        early: how many of those were answered before it was let go; ``seconds`` it took them all afterwards.
        free: messages of another sender, all at once.
        others: messages of a third one, sent while the first one's lock was held, one to each pod.
    """

    held: Talk
    early: int
    seconds: float
    free: Talk
    others: list[Answer]


def crowd(released: Released, pods: list[Pod], sender: str, message: str, messages: int) -> Crowd:
    """Sends that many messages twice, as told above.

    Raises:
        BotyardError: the release does not use the chart's lock store, or the program did not run to its end.
    """
    ask: dict[str, Any] = {
        "pods": [pod.ip for pod in pods], "port": RASA_PORT, "path": REST_PATH, "sender": sender,
        "message": message, "messages": messages, "kind": OUR_LOCKS,
    }  # fmt: skip
    found = run_inside(released, pods[0], PROGRAM, ask, 120)
    if "lock_store" in found:
        raise BotyardError(f"the lock store is {found['lock_store']}, not {OUR_LOCKS}", "look at endpoints.lockStore")
    return Crowd(
        held=_talk(found["held"]),
        early=found["held"]["early"],
        seconds=found["held"]["seconds"],
        free=_talk(found["free"]),
        others=[Answer(**one) for one in found["others"]],
    )


def _talk(found: dict[str, Any]) -> Talk:
    return Talk([Answer(**one) for one in found["replies"]], found["events"])
