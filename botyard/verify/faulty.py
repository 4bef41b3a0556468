"""Breaks a released model on purpose, and watches what the cluster makes of it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botyard.contracts import BotyardError
from botyard.tools.helm import Chart, Helm
from botyard.verify.helm_record import helm_record
from botyard.verify.put_back import rollout_state
from botyard.verify.released import RASA, RASA_CONTAINER, RASA_PORT, READY_PATH, Pod, Released
from botyard.wait import wait_until

FETCHER = "fetch-model"


@dataclass(frozen=True)
class Stuck:
    """A new pod that did not become ready, with the reason, and the pods that served on meanwhile."""

    pod: Pod
    reason: str
    serving: list[Pod]


def not_a_model() -> tuple[bytes, str]:
    """A proper tar.gz that holds no Rasa model, and its sha256."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        text = b"this is no model\n"
        info = tarfile.TarInfo("readme.txt")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    data = gzip.compress(sink.getvalue(), mtime=0)
    return data, hashlib.sha256(data).hexdigest()


def as_made_by(model: bytes, version: str) -> tuple[bytes, str]:
    """A model's archive as if a Rasa of that version had made it, and its sha256."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(model)) as old, tarfile.open(fileobj=sink, mode="w") as new:
        for member in old:
            file = old.extractfile(member)
            data = file.read() if file else b""
            if member.name == "metadata.json":
                data = json.dumps({**json.loads(data), "rasa_open_source_version": version}).encode()
                member.size = len(data)
            new.addfile(member, io.BytesIO(data) if file else None)
    data = gzip.compress(sink.getvalue(), mtime=0)
    return data, hashlib.sha256(data).hexdigest()


def upgrade_model(released: Released, helm: Helm, folder: Path, url: str, sha256: str, version: str) -> None:
    """``helm upgrade --reuse-values`` with another model URL and checksum; does not wait for pods.

    Args:
        folder: where the small values file is written.
        version: the chart's released version.
    """
    file = folder / "model.yaml"
    settings = {"initialModel": url, "initialModelSha256": sha256}
    file.write_text(json.dumps({"applicationSettings": settings}))  # JSON is YAML
    helm.upgrade(RASA, released.namespace, Chart("botyard/rasa", version), [file], reuse_values=True)


def why_refused(released: Released, pod: Pod) -> str:
    """What a pod says against its model: last words of the fetcher or of Rasa, or its 503; '' while there are none."""
    for state in (pod.body.get("status") or {}).get("initContainerStatuses") or []:
        for when in ("state", "lastState"):
            ended = (state.get(when) or {}).get("terminated") or {}
            if state["name"] == FETCHER and ended.get("exitCode"):
                return f"{FETCHER} ended with {ended['exitCode']}: {(ended.get('message') or '').strip()}"
        if state["name"] == FETCHER and (state.get("state") or {}).get("running"):
            # It tries again for half a minute; what it says about the first attempt is enough.
            log = released.kube.logs(pod.name, released.namespace, FETCHER, tail=5)
            tried = [line for line in log.splitlines() if ": attempt " in line]
            return tried[-1] if tried else ""
    running = False
    for state in (pod.body.get("status") or {}).get("containerStatuses") or []:
        if state["name"] == RASA_CONTAINER:
            if state.get("restartCount"):
                ended = (state.get("lastState") or {}).get("terminated") or {}
                return f"{RASA_CONTAINER} ended with {ended.get('exitCode')}: {(ended.get('message') or '').strip()}"
            running = bool((state.get("state") or {}).get("running"))
    if not running:
        return ""
    status, body = released.kube.pod_http(pod.name, released.namespace, RASA_PORT, "GET", READY_PATH)
    # The API server says 503 too where nothing listens yet; only Rasa's own answer names the pod.
    return f"Rasa answers {status}: {body[:200]}" if status == 503 and f'"pod":"{pod.name}"' in body else ""


def wait_stuck(
    released: Released, old: list[Pod], timeout_s: float = 90, refused: Callable[..., str] = why_refused
) -> Stuck:
    """Waits until a new pod says why it cannot serve.

    Raises:
        TimedOut: no new pod said anything.
        BotyardError: the new pod became ready, or an old one no longer is.
    """
    names = {pod.name for pod in old}
    found: dict[str, Any] = {}

    def probe() -> tuple[bool, str]:
        pods = released.rasa_pods()
        new = [pod for pod in pods if pod.name not in names]
        if any(pod.ready for pod in new):
            raise BotyardError(f"pod {new[0].name} is ready with a broken model")
        serving = [pod for pod in pods if pod.name in names and pod.ready]
        if {pod.name for pod in serving} != names:
            raise BotyardError(f"of the old pods only {[pod.name for pod in serving]} still serve")
        for pod in new:
            reason = refused(released, pod)
            if reason:
                found.update(pod=pod, reason=reason, serving=serving)
                return True, reason
        return False, "; ".join(f"{pod.name}: {pod.why_not_ready()}" for pod in new) or "no new pod yet"

    wait_until("a pod to refuse the broken model", probe, timeout_s)
    if rollout_state(released.deployment(RASA))[0]:
        raise BotyardError("the rollout of a broken model counts as done")
    return Stuck(**found)


def model_url(released: Released) -> str:
    """The released model's URL as pods see it, with its query."""
    return str(helm_record(released, RASA).value("applicationSettings.initialModel"))
