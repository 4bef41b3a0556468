"""What the checks of a released bot share: the bot, its pods seen once, and the evidence of failures.

Input: BOTYARD_TARGET (a name of values/targets.yml), BOTYARD_STATE (that cluster's state folder), BOTYARD_RUN_DIR
(where evidence goes). Without them: target kind and .botyard/<cluster>, so that plain pytest works too.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError

from botyard.contracts import BadInput, BotyardError, Paths
from botyard.host.toolbox import tool
from botyard.release.diagnostics import collect
from botyard.release.guard import require_mark
from botyard.targets import load_target
from botyard.tools.helm import Helm
from botyard.verify.conversations import Conversation, load_conversations, pick
from botyard.verify.helm_record import HelmRecord, helm_record
from botyard.verify.inside_pod import NOBODY, look_around, webhook_call
from botyard.verify.released import ACTION_PORT, ACTIONS, RASA, Pod, Released, open_released
from botyard.verify.rest import say
from botyard.verify.traffic import Traffic

ROOT = Path(__file__).parents[2]
TARGET = os.environ.get("BOTYARD_TARGET", "kind")
MOST_EVIDENCE = 6  # one broken thing fails many checks; each look at the cluster costs seconds
SHOWN_LINES = 25
SHOWN = pytest.StashKey[dict[str, str]]()


def _state() -> Path:
    given = os.environ.get("BOTYARD_STATE")
    return Path(given) if given else ROOT / ".botyard" / load_target(ROOT, TARGET).cluster


def _end(file: Path) -> str:
    return "\n".join(file.read_text().splitlines()[-SHOWN_LINES:])


class Evidence:
    """Looks at the cluster when a check fails, before anything is put back, once a check."""

    def __init__(self, released: Released | None) -> None:
        self.released = released
        self.current: pytest.Item | None = None
        self.taken = 0
        state = _state()
        self.folder = Path(os.environ.get("BOTYARD_RUN_DIR") or state / "checks") / "diagnostics"

    def take(self) -> None:
        """Collects for the check that runs now."""
        item = self.current
        if item is None or self.released is None or SHOWN in item.stash or self.taken >= MOST_EVIDENCE:
            return
        self.taken += 1
        folder = self.folder / re.sub(r"[^\w.-]+", "_", item.name)
        try:
            held_back = collect(self.released.kube, self.released.namespace, folder)
        except (ApiException, DynamicApiError, urllib3.exceptions.HTTPError, OSError) as error:
            item.stash[SHOWN] = {"diagnostics": f"the cluster does not answer: {error}"}
            return
        shown = {"pods that are not ready": held_back or "none", "events (end)": _end(folder / "events.txt")}
        for log in sorted(folder.glob("*.log")):
            if "ERROR" in (text := log.read_text()) or log.name.partition(".")[0] in held_back:
                shown[f"{log.name} (end)"] = "\n".join(text.splitlines()[-SHOWN_LINES:])
        item.stash[SHOWN] = {**shown, "all of it": str(folder)}


EVIDENCE = pytest.StashKey[Evidence]()
BEGAN = pytest.StashKey[datetime]()


def pytest_configure(config: pytest.Config) -> None:
    """Notes when the checks began, and the mark of the check that comes last."""
    config.stash[BEGAN] = datetime.now(UTC)
    config.addinivalue_line("markers", "last: runs after all others, as it reads what they left in the logs")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One check for each conversation of the released bot."""
    if "conversation" in metafunc.fixturenames:
        found: list[Conversation] = []
        note = _state() / "release.json"
        if note.is_file():
            try:
                found = load_conversations(Path(json.loads(note.read_text())["bot_dir"]))
            except BadInput as error:
                raise pytest.UsageError(str(error)) from error
        metafunc.parametrize("conversation", found, ids=[c.name for c in found])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each check carries exactly one of the two marks; the one that reads the logs of all the others comes last."""
    for item in items:
        marks = {mark.name for mark in item.iter_markers()} & {"readonly", "disruptive"}
        if len(marks) != 1:
            raise pytest.UsageError(f"{item.nodeid} needs exactly one of the marks readonly and disruptive")
    items.sort(key=lambda item: bool(item.get_closest_marker("last")))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds what the cluster looked like to the report of a failed check."""
    report = yield
    evidence = item.config.stash.get(EVIDENCE, None)
    if report.failed and evidence is not None:
        evidence.take()
    if report.failed:
        for title, text in item.stash.get(SHOWN, {}).items():
            report.sections.append((title, text))
    return report


@pytest.fixture(scope="session")
def released(pytestconfig: pytest.Config) -> Released:
    """The bot under test."""
    try:
        found = open_released(ROOT, TARGET, _state())
    except BotyardError as error:
        pytest.exit(str(error), returncode=1)
    if not found.kube.answers():
        pytest.exit(f"the cluster of target {TARGET} does not answer\n  cure: run invoke e2e", returncode=1)
    pytestconfig.stash[EVIDENCE] = Evidence(found)
    return found


@pytest.fixture(scope="session")
def _may_disrupt(released: Released) -> None:
    require_mark(released.kube, released.target.cluster)


@pytest.fixture(autouse=True)
def _guard(request: pytest.FixtureRequest, released: Released) -> Iterator[None]:
    """Tells the evidence which check runs; a disruptive one needs a cluster that carries our mark."""
    evidence = request.config.stash[EVIDENCE]
    evidence.current = request.node
    if request.node.get_closest_marker("disruptive"):
        request.getfixturevalue("_may_disrupt")
    yield
    # Left in place: a failing teardown of a later fixture still belongs to this check.


@pytest.fixture(scope="session")
def take_evidence(pytestconfig: pytest.Config, released: Released) -> Callable[[], None]:
    """Looks at the cluster now, for the check that runs."""
    return pytestconfig.stash[EVIDENCE].take


@pytest.fixture(scope="session")
def began(pytestconfig: pytest.Config) -> datetime:
    """When the checks began."""
    return pytestconfig.stash[BEGAN]


@pytest.fixture(scope="session")
def rasa_pods(released: Released) -> list[Pod]:
    """Rasa's pods as they were when the checks began; readonly checks only."""
    return released.rasa_pods()


@pytest.fixture(scope="session")
def action_pods(released: Released) -> list[Pod]:
    """The action server's pods as they were when the checks began; readonly checks only."""
    return released.action_pods()


@pytest.fixture(scope="session")
def all_pods(released: Released) -> list[Pod]:
    """Every pod of the namespace that is not on its way out."""
    found = [Pod.of(body) for body in released.kube.list("v1", "Pod", released.namespace)]
    return [pod for pod in found if not pod.leaving]


@pytest.fixture(scope="session")
def conversations(released: Released) -> list[Conversation]:
    """What the bot is expected to say."""
    return load_conversations(released.bot_dir)


@pytest.fixture(scope="session")
def greeting(conversations: list[Conversation]) -> Conversation:
    """The bot's greeting, or else its first conversation."""
    return pick(conversations, "greet") or conversations[0]


@pytest.fixture(scope="session")
def memory(conversations: list[Conversation]) -> Conversation:
    """A conversation in which the bot must remember what it was told."""
    for conversation in conversations:
        if conversation.remembers:
            return conversation
    pytest.skip("no conversation of this bot tells a {token} and expects it later")


@pytest.fixture(scope="session")
def speak(released: Released) -> Callable[[str, str], str]:
    """Says one thing over REST as that sender; gives the texts of the reply."""

    def over_rest(sender: str, message: str) -> str:
        return say(released.base_url, sender, message).text

    return over_rest


@pytest.fixture(scope="session")
def rasa_record(released: Released) -> HelmRecord:
    """Helm's record of myrasa."""
    return helm_record(released, RASA)


@pytest.fixture(scope="session")
def actions_record(released: Released) -> HelmRecord:
    """Helm's record of the action server."""
    return helm_record(released, ACTIONS)


@pytest.fixture(scope="session")
def known_sender(released: Released, greeting: Conversation) -> str:
    """Somebody who has talked to the bot, so that a tracker must lie in the store."""
    sender = f"check-known-{os.urandom(4).hex()}"
    say(released.base_url, sender, greeting.turns[0].say)
    return sender


@pytest.fixture(scope="session")
def offered_actions(released: Released, action_pods: list[Pod]) -> dict[str, list[str]]:
    """Which actions each action pod says that it has: pod name -> names."""
    found = {}
    for pod in action_pods:
        status, body = released.kube.pod_http(pod.name, released.namespace, ACTION_PORT, "GET", "/actions")
        assert status == 200, f"{pod.name}: GET /actions gave {status}: {body[:200]}"
        found[pod.name] = sorted(item["name"] for item in json.loads(body))
    return found


@pytest.fixture(scope="session")
def one_action(released: Released) -> str:
    """What action servers are asked to run: the demo bot's greeting.

    Of another bot it is an action that does not exist: it may have none, and nobody but its author knows which of its
    actions can be run alone and leave nothing behind. To be refused by name shows as well that the server answers.
    """
    return "action_greet" if released.release["bot"] == "tea" else NOBODY


@pytest.fixture(scope="session")
def inside(
    released: Released,
    rasa_pods: list[Pod],
    action_pods: list[Pod],
    rasa_record: HelmRecord,
    known_sender: str,
    one_action: str,
) -> dict[str, dict[str, Any]]:
    """What one look around from inside each Rasa pod found: pod name -> answers."""
    ask = {
        "service": f"http://{ACTIONS}/webhook",
        "pod_urls": [f"http://{pod.ip}:{ACTION_PORT}/webhook" for pod in action_pods],
        "call": webhook_call(one_action, known_sender),
        "tries": 6,
        "endpoints": "/app/endpoints.yml",
        "sender": known_sender,
        "model_url": rasa_record.value("applicationSettings.initialModel") or "",
    }
    with ThreadPoolExecutor(len(rasa_pods) or 1) as pool:
        answers = pool.map(lambda pod: look_around(released, pod, ask), rasa_pods)
        return dict(zip([pod.name for pod in rasa_pods], answers, strict=True))


@pytest.fixture(scope="session")
def helm(released: Released) -> Helm:
    """The helm that released the bot, with its own home."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "botyard"
    paths = Paths(root=ROOT, state=released.state, cache=cache)
    return Helm(tool(paths, "helm"), released.state / "helm", released.kube.kubeconfig, released.target.context)


@pytest.fixture(scope="session")
def traffic(released: Released, conversations: list[Conversation]) -> Callable[[], Traffic]:
    """Starts ten people who greet the bot, five messages a second in all."""
    greetings = [c.turns[0].say for c in conversations if c.name.startswith("greet")]
    return lambda: Traffic(released.base_url, greetings or [conversations[0].turns[0].say])
