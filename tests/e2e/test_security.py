"""What nobody may do or see: tokens, users, secrets, accounts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
import requests

from botyard.verify.released import Pod, Released
from botyard.verify.rest import status

pytestmark = pytest.mark.readonly
USER = 1001


def test_status_without_a_token_is_refused(released: Released) -> None:
    """Nobody reads /status without the token."""
    assert status(released.base_url)[0] == 401


def test_status_with_a_wrong_token_is_refused(released: Released) -> None:
    """A wrong token is as bad as none."""
    assert status(released.base_url, "wrong")[0] == 401


def test_status_with_the_right_token_is_answered(released: Released) -> None:
    """The token of the Secret opens /status, so the two refusals above are no accident."""
    code, _ = status(released.base_url, released.secret["rasa-token"])  # in the assert a failure would show the token
    assert code == 200


def test_a_forged_admin_token_is_refused(released: Released) -> None:
    """A JWT signed with the official chart's default secret (the word UNSET) opens nothing."""

    def part(content: dict[str, Any]) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "typ": "JWT"}) + b"." + part({"user": {"username": "admin", "role": "admin"}})
    mark = base64.urlsafe_b64encode(hmac.new(b"UNSET", signed, hashlib.sha256).digest()).rstrip(b"=")
    forged = {"Authorization": f"Bearer {(signed + b'.' + mark).decode()}"}
    response = requests.get(f"{released.base_url}/status", headers=forged, timeout=10)
    assert response.status_code in (401, 403), response.text[:200]


def test_images_run_by_digest(all_pods: list[Pod]) -> None:
    """Every container, init containers too, names its image by digest: what was tested is what runs."""
    loose = [
        f"{pod.name}: {container['image']}"
        for pod in all_pods
        for group in ("initContainers", "containers")
        for container in pod.body["spec"].get(group) or []
        if "@sha256:" not in container["image"]
    ]
    assert all_pods and not loose, loose


def test_running_images_are_the_released_ones(released: Released, rasa_pods: list[Pod], action_pods: list[Pod]) -> None:
    """The digests that the nodes report are those that release.json noted."""
    wanted = json.dumps(released.release["images"])
    for pod in [*rasa_pods, *action_pods]:
        for state in pod.body["status"]["containerStatuses"]:
            digest = state["image"].rpartition("@")[2] if "@" in state["image"] else state["imageID"].rpartition("@")[2]
            assert digest in wanted, f"{pod.name} runs {state['imageID']}"


def test_processes_run_as_user_1001(inside: dict[str, dict[str, Any]]) -> None:
    """All processes in Rasa's pods have uid and gid 1001, seen from inside."""
    for pod, found in inside.items():
        assert found["uid"] == USER
        assert found["processes"], pod
        assert {(p["uid"], p["gid"]) for p in found["processes"]} == {(USER, USER)}, pod


def test_every_pod_must_run_as_non_root(released: Released, all_pods: list[Pod]) -> None:
    """Kubernetes itself refuses root: the namespace enforces Pod Security `restricted`, every pod has uid 1001."""
    namespace = released.kube.get("v1", "Namespace", released.namespace)
    assert namespace is not None
    assert (namespace["metadata"].get("labels") or {}).get("pod-security.kubernetes.io/enforce") == "restricted"
    for pod in all_pods:
        for container in pod.body["spec"]["containers"]:
            told = {**(pod.body["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}
            assert told.get("runAsNonRoot") is True, f"{pod.name} {container['name']}"
            assert told.get("runAsUser") == USER, f"{pod.name} {container['name']}"
            assert told.get("allowPrivilegeEscalation") is False, f"{pod.name} {container['name']}"
            assert not told.get("privileged"), f"{pod.name} {container['name']}"


def test_no_account_token_is_mounted(all_pods: list[Pod], inside: dict[str, dict[str, Any]]) -> None:
    """A taken-over bot holds no key to the cluster: no ServiceAccount token in any pod."""
    for pod in all_pods:
        sources = [
            source
            for volume in pod.body["spec"].get("volumes") or []
            for source in (volume.get("projected") or {}).get("sources") or []
        ]
        assert not [source for source in sources if "serviceAccountToken" in source], pod.name
    assert not [pod for pod, found in inside.items() if found["account_token"]]


def test_no_secret_value_can_be_read_where_it_must_not(released: Released, all_pods: list[Pod]) -> None:
    """No value of the Secret stands in a pod's specification, a ConfigMap or an event."""
    places = {f"pod {pod.name}": pod.body for pod in all_pods}
    for kind in ("ConfigMap", "Event"):
        for item in released.kube.list("v1", kind, released.namespace):
            places[f"{kind} {item['metadata']['name']}"] = item
    for where, body in places.items():
        text = json.dumps(body, default=str)
        for key, value in released.secret.items():
            # Compared apart from the assert: pytest would print both sides, the secret too.
            short, shown = len(value) < 16, value in text
            assert not short, f"{key} is too short to be a secret"
            assert not shown, f"{where} shows {key}"


def test_no_secret_value_is_in_a_process_list(released: Released, inside: dict[str, dict[str, Any]]) -> None:
    """``ps`` inside a Rasa pod shows no token and no password."""
    for pod, found in inside.items():
        commands = [process["command"] for process in found["processes"]]
        seen = any("rasa" in command or "launcher" in command for command in commands)
        assert seen, f"{pod}: Rasa was not seen"
        for key, value in released.secret.items():
            shown = any(value in command for command in commands)
            assert not shown, f"{pod} shows {key}"


def test_redis_asks_for_a_password(inside: dict[str, dict[str, Any]]) -> None:
    """Whoever reaches Redis without the password gets nothing."""
    for pod, found in inside.items():
        assert found["tracker"].get("open") is False, f"{pod}: {found['tracker']}"
