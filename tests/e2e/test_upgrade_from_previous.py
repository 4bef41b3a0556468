"""The author's values with the previous charts, in a namespace of their own, upgraded to this checkout's both ways.

Only image names, the model's URL, the number of replicas and the kind of Service differ from what the author published.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from botyard.release import pods
from botyard.tools.helm import Chart, Helm
from botyard.tools.helm_record import recorded
from botyard.tools.kube import Kube
from botyard.verify.conversations import Conversation, new_token, play
from botyard.verify.helm_record import helm_record
from botyard.verify.released import ACTIONS, RASA, RASA_CONTAINER, RASA_PORT, Released
from botyard.verify.rest import REST_PATH, judge
from botyard.verify.second_release import own_namespace
from botyard.wait import wait_until

pytestmark = pytest.mark.disruptive
TESTS = Path(__file__).parents[1]
AUTHOR = TESTS / "unit" / "charts" / "author"
PREVIOUS = "0.2.0"
REDIS = f"{RASA}-redis"
# (release, chart, values file)
RELEASES = [(ACTIONS, "rasa-action-server", "action_values.yml"), (RASA, "rasa", "rasa_values.yml")]


@dataclass
class Author:
    """Somebody who runs both charts in a namespace of their own, by plain helm."""

    kube: Kube
    helm: Helm
    namespace: str
    folder: Path
    own: dict[str, dict[str, Any]]

    def upgrade(self, chart_of: Callable[[str], str], **flags: bool) -> None:
        """Installs or upgrades both releases, with the values where they are not reused, and waits for all pods."""
        for release, chart, values in RELEASES:
            own = self.folder / f"{release}.json"
            own.write_text(json.dumps(self.own[release]))
            files = [] if flags.get("reuse_values") else [AUTHOR / values, own]
            self.helm.upgrade(release, self.namespace, Chart(chart_of(chart)), files, **flags)
        self.ready()

    def back_to(self, revision: int) -> None:
        """Both releases as they were."""
        for release, *_ in RELEASES:
            self.helm.rollback(release, self.namespace, revision)
        self.ready()

    def ready(self) -> None:
        """Waits until the rollout of each Deployment and StatefulSet is over."""

        def probe() -> tuple[bool, str]:
            kinds = ("Deployment", "StatefulSet")
            bodies = [body for kind in kinds for body in self.kube.list("apps/v1", kind, self.namespace)]
            held = [why for body in bodies if (why := self._held(body))]
            return not held, "; ".join(held)

        wait_until(f"the releases in namespace {self.namespace}", probe, 150, interval_s=0.5)

    def _held(self, body: dict[str, Any]) -> str:
        why = pods.unfinished(body)
        return f"{why}; {pods.blocked(self.kube.list('v1', 'Pod', self.namespace))}" if why else ""

    def pods(self, name: str, container: str = "") -> list[dict[str, Any]]:
        """The pods whose name begins so (and that have that container), without those on their way out."""
        return [
            pod
            for pod in self.kube.list("v1", "Pod", self.namespace)
            if not pod["metadata"].get("deletionTimestamp")
            and pod["metadata"]["name"].startswith(name)
            and (not container or container in [one["name"] for one in pod["spec"]["containers"]])
        ]

    def redis(self) -> set[str]:
        """Which pods keep the conversations."""
        return {pod["metadata"]["uid"] for pod in self.pods(REDIS)}

    def charts(self) -> set[str]:
        """Name and version of what is released."""
        found = [recorded(self.kube, release, self.namespace) for release, *_ in RELEASES]
        return {release.chart for release in found if release is not None}

    def speak(self, sender: str, message: str) -> str:
        """Says one thing to the Rasa pod, through the API server."""
        pod = self.pods(RASA, RASA_CONTAINER)[0]["metadata"]["name"]
        said = {"sender": sender, "message": message}
        status, body = self.kube.pod_http(pod, self.namespace, RASA_PORT, "POST", REST_PATH, said, timeout_s=30)
        return judge(status, body, sender).text

    def secret(self) -> dict[str, str]:
        """What the chart made at random at its first install, still in base64."""
        found = self.kube.get("v1", "Secret", RASA, self.namespace)
        assert found is not None, f"the Secret {RASA} is gone"
        return dict(found["data"])


@pytest.fixture
def author(released: Released, helm: Helm, tmp_path: Path) -> Iterator[Author]:
    """A namespace of their own, which goes away with all in it."""
    namespace = f"{released.namespace}-previous"
    live = {name: helm_record(released, name) for name in (RASA, ACTIONS)}
    small = {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}}
    common = {"replicaCount": 1, "resources": small, "service": {"type": "ClusterIP"}}
    own = {
        ACTIONS: {**common, "image": live[ACTIONS].value("image")},
        RASA: {
            **common,
            "image": live[RASA].value("image"),
            "redis": {"image": live[RASA].value("redis.image")},
            "applicationSettings": {"initialModel": live[RASA].value("applicationSettings.initialModel")},
        },
    }
    with own_namespace(released.kube, namespace, timeout_s=90):
        yield Author(released.kube, helm, namespace, tmp_path, own)


def halves(conversation: Conversation) -> tuple[Conversation, Conversation]:
    """What is said before the upgrade, and after it: where the bot must remember, the cut lies in between."""
    if len(conversation.turns) == 1:
        return conversation, conversation
    return (
        replace(conversation, turns=conversation.turns[:1]),
        replace(conversation, turns=conversation.turns[1:]),
    )


def test_the_previous_chart_is_upgraded_with_reused_and_with_reset_values(
    author: Author, conversations: list[Conversation]
) -> None:
    """The bot answers after each upgrade, its Secret is the same, and the conversation goes on where Redis was kept."""
    first, second = halves(next((c for c in conversations if c.remembers), conversations[0]))
    author.upgrade(lambda chart: str(TESTS / "fixtures" / "charts" / f"{chart}-{PREVIOUS}.tgz"))
    secret = author.secret()
    previous = {f"{chart}-{PREVIOUS}" for _, chart, _ in RELEASES}
    for flags in ({"reuse_values": True, "reset_values": False}, {"reuse_values": False, "reset_values": True}):
        if flags["reset_values"]:
            author.back_to(1)
            assert author.secret() == secret
        sender, token = f"author-{new_token()}", new_token()
        play(first, author.speak, sender=sender, token=token)
        assert author.charts() == previous
        redis = author.redis()
        assert redis
        author.upgrade(lambda chart: str(TESTS.parent / "charts" / chart), **flags)
        assert author.secret() == secret, "the Secret was made anew"
        assert len(author.charts()) == 2 and not author.charts() & previous
        if author.redis() == redis:
            play(second, author.speak, sender=sender, token=token)
            print(f"{flags}: Redis was kept, the conversation went on")
        else:
            play(first, author.speak, sender=sender, token=token)
            print(f"{flags}: Redis was replaced; it keeps nothing without redis.persistence, so the bot starts anew")
