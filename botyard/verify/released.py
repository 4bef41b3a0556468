"""One released bot: where it listens, what was released, and its pods as the cluster shows them."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from botyard.contracts import BotyardError
from botyard.targets import Target, load_target
from botyard.tools.kube import Kube

RASA = "myrasa"  # Helm release, Deployment and Service
RASA_PODS = "myrasa-pods"  # the headless Service, where there is a gateway
GATEWAY = "myrasa-gateway"  # its Deployment
ACTIONS = "rasa-action-server"
RASA_CONTAINER = "rasa-oss"
ACTION_CONTAINER = "action-server"
RASA_PORT = 5005
ACTION_PORT = 5055
SECRET = "botyard-rasa"  # noqa: S105 - the Secret's name
READY_PATH = "/webhooks/botyard/ready"


@dataclass(frozen=True)
class Pod:
    """One pod as the API server showed it at one moment."""

    name: str
    node: str
    ip: str
    phase: str
    ready: bool
    leaving: bool
    body: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, body: dict[str, Any]) -> Pod:
        """Reads what matters out of the API server's mapping."""
        state = body.get("status") or {}
        conditions = {c["type"]: c["status"] for c in state.get("conditions") or []}
        return cls(
            name=body["metadata"]["name"],
            node=body["spec"].get("nodeName") or "",
            ip=state.get("podIP") or "",
            phase=state.get("phase") or "",
            ready=conditions.get("Ready") == "True",
            leaving=bool(body["metadata"].get("deletionTimestamp")),
            body=body,
        )

    def why_not_ready(self) -> str:
        """One line: what the scheduler or the containers say, '' for a Ready pod."""
        if self.ready:
            return ""
        state = self.body.get("status") or {}
        found = []
        for condition in state.get("conditions") or []:
            if condition["type"] == "PodScheduled" and condition["status"] != "True":
                found.append(f"{condition.get('reason')}: {condition.get('message')}")
        for group in ("initContainerStatuses", "containerStatuses"):
            for container in state.get(group) or []:
                for name, detail in (container.get("state") or {}).items():
                    if name != "running" and (detail or {}).get("reason") not in (None, "Completed", "PodInitializing"):
                        found.append(
                            f"{container['name']} {name}: {detail['reason']} {detail.get('message') or ''}".strip()
                        )
                if group == "containerStatuses" and (container.get("state") or {}).get("running"):
                    found.append(
                        f"{container['name']} runs and is not ready, {container.get('restartCount', 0)} restarts"
                    )
        return "; ".join(found) or self.phase


@dataclass(frozen=True)
class Released:
    """A bot on a target.

    Args:
        release: what release.json says: bot, bot_dir, model, model_sha256, model_url, images.
    """

    target: Target
    kube: Kube
    state: Path
    root: Path
    release: dict[str, Any]

    @property
    def namespace(self) -> str:
        return self.target.namespace

    @property
    def base_url(self) -> str:
        """Where the bot listens on this machine: the port that kind gives it, or one that is forwarded."""
        return os.environ.get("BOTYARD_BASE_URL") or f"http://127.0.0.1:{self.target.ports.rasa}"

    @property
    def bot_dir(self) -> Path:
        """The folder that the bot was released from."""
        return Path(str(self.release["bot_dir"]))

    @cached_property
    def secret(self) -> dict[str, str]:
        """The decoded Secret with tokens and passwords; never print it.

        Raises:
            BotyardError: there is none.
        """
        found = self.kube.get("v1", "Secret", SECRET, self.namespace)
        if found is None:
            raise BotyardError(f"there is no Secret {SECRET} in namespace {self.namespace}", "run invoke e2e")
        return {key: base64.b64decode(value).decode() for key, value in (found.get("data") or {}).items()}

    def pods(self, release: str, container: str) -> list[Pod]:
        """All pods of a Helm release that have that container, leaving ones included, by name."""
        found = self.kube.list("v1", "Pod", self.namespace, labels=f"app.kubernetes.io/instance={release}")
        return sorted(
            (Pod.of(body) for body in found if any(c["name"] == container for c in body["spec"]["containers"])),
            key=lambda pod: pod.name,
        )

    def pods_of(self, name: str) -> list[Pod]:
        """All pods that a Deployment's selector finds, leaving ones included, by name."""
        labels = self.deployment(name)["spec"]["selector"]["matchLabels"]
        found = self.kube.list(
            "v1", "Pod", self.namespace, labels=",".join(f"{key}={value}" for key, value in labels.items())
        )
        return sorted((Pod.of(body) for body in found), key=lambda pod: pod.name)

    def ready_behind(self, *services: str) -> set[str]:
        """Addresses of the ready endpoints of these Services."""
        slices = self.kube.list(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            self.namespace,
            labels=f"kubernetes.io/service-name in ({', '.join(services)})",
        )
        return {
            address
            for piece in slices
            for endpoint in piece.get("endpoints") or []
            if (endpoint.get("conditions") or {}).get("ready")
            for address in endpoint["addresses"]
        }

    @cached_property
    def has_gateway(self) -> bool:
        """Whether a gateway stands before Rasa's pods."""
        return self.kube.get("apps/v1", "Deployment", GATEWAY, self.namespace) is not None

    def rasa_pods(self) -> list[Pod]:
        """Rasa's pods that are not on their way out."""
        return [pod for pod in self.pods(RASA, RASA_CONTAINER) if not pod.leaving]

    def action_pods(self) -> list[Pod]:
        """The action server's pods that are not on their way out."""
        return [pod for pod in self.pods(ACTIONS, ACTION_CONTAINER) if not pod.leaving]

    def deployment(self, name: str) -> dict[str, Any]:
        """One Deployment.

        Raises:
            BotyardError: there is none.
        """
        found = self.kube.get("apps/v1", "Deployment", name, self.namespace)
        if found is None:
            raise BotyardError(f"there is no Deployment {name} in namespace {self.namespace}", "run invoke e2e")
        return found


def open_released(root: Path, target_name: str, state: Path | None = None) -> Released:
    """Finds the bot that was released from this checkout to a target.

    Raises:
        BadInput: unknown target.
        BotyardError: nothing was released there yet.
    """
    target = load_target(root, target_name)
    home = state or root / ".botyard" / target.cluster
    note = home / "release.json"
    if not note.is_file():
        flag = "" if target_name == "kind" else f" --target {target_name}"
        raise BotyardError(f"nothing was released to target {target_name} from this checkout", f"run invoke e2e{flag}")
    return Released(target, Kube(target.kubeconfig_in(home), target.context), home, root, json.loads(note.read_text()))
