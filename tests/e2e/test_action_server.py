"""The action server, asked the way Rasa asks it."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from botyard.verify.inside_pod import NOBODY, answered, webhook_call
from botyard.verify.released import ACTION_PORT, Pod, Released

pytestmark = pytest.mark.readonly


def test_webhook_answers_by_service_name_from_every_rasa_pod(
    inside: dict[str, dict[str, Any]], one_action: str
) -> None:
    """From inside each Rasa pod http://rasa-action-server/webhook answers, every time."""
    for pod, found in inside.items():
        bad = [call for call in found["webhooks"] if not answered(call, one_action)]
        assert found["webhooks"] and not bad, f"{pod}: {bad}"


def test_every_action_pod_answers_every_rasa_pod(
    inside: dict[str, dict[str, Any]], action_pods: list[Pod], one_action: str
) -> None:
    """Each action pod, called by its own address from inside each Rasa pod, answers: no pair is cut off."""
    for pod, found in inside.items():
        assert len(found["pods"]) == len(action_pods)
        bad = {url: call for url, call in found["pods"].items() if not answered(call, one_action)}
        assert not bad, f"from {pod}: {bad}"


def test_action_pods_offer_every_action_of_the_domain(
    released: Released, offered_actions: dict[str, list[str]]
) -> None:
    """What the trained domain calls is what the action pods have, so no action of the bot can be missing."""
    file = released.bot_dir / "domain.yml"
    if not file.is_file():
        pytest.skip("this bot's domain is not in domain.yml")
    wanted = {str(name) for name in YAML(typ="safe", pure=True).load(file).get("actions") or []}
    wanted = {name for name in wanted if not name.startswith("utter_")}
    for pod, names in offered_actions.items():
        assert wanted <= set(names), f"{pod} lacks {sorted(wanted - set(names))}"


def test_an_unknown_action_is_refused_by_name(released: Released, action_pods: list[Pod]) -> None:
    """An action that does not exist gives 404 with its name, not an empty success."""
    call = webhook_call(NOBODY, "check-unknown")
    for pod in action_pods:
        status, body = released.kube.pod_http(pod.name, released.namespace, ACTION_PORT, "POST", "/webhook", call)
        assert status == 404, f"{pod.name}: {status}: {body[:200]}"
        assert NOBODY in body
