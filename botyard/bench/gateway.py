"""The chart's gateway beside a plain Service, on the target's real cluster, before the same three uneven pods."""

from __future__ import annotations

import contextlib
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botyard.bench.figure import Figure
from botyard.contracts import BotyardError, Paths
from botyard.host.toolbox import tool
from botyard.release.desired import load_documents
from botyard.release.guard import require_mark
from botyard.targets import Target
from botyard.tools.helm import Helm
from botyard.tools.helm_record import recorded
from botyard.tools.kube import Kube
from botyard.verify.put_back import rollout_state
from botyard.wait import wait_until

NAMESPACE = "botyard-bench-gateway"
RELEASE = "bench"
LABEL = {"botyard/bench": "gateway"}
PODS_MS = {"one": 200, "two": 200, "slow": 600}  # how long a message keeps each busy
COUNT, SPREAD_S, ROUNDS = 100, 1.0, 3
PLAIN, GATEWAY = "plain", RELEASE
Apply = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Burst:
    """What came of one burst; waits in order."""

    lost: int
    makespan_s: float
    waits_s: list[float]

    @property
    def p99_s(self) -> float:
        return self.waits_s[min(len(self.waits_s) - 1, round(0.99 * len(self.waits_s)))]


def figures(target: Target, paths: Paths, progress: Callable[[str], None]) -> Iterator[Figure]:
    """Measures one figure after the other in a namespace of its own, which is removed again.

    Raises:
        BotyardError: the cluster is not ours, nothing with a gateway is released to it, or a message was lost.
    """
    kube = Kube(paths.state / "kubeconfig", target.context)
    require_mark(kube, target.cluster)
    live = recorded(kube, "myrasa", target.namespace)
    gateway = ((live.values if live else {}).get("gateway") or {}).get("image")
    if live is None or not gateway:
        raise BotyardError(f"nothing with a gateway is released to {target.name}", "run: invoke release")
    images = {"image": live.values["image"], "gateway": {"enabled": True, "image": gateway}}
    with _namespace(kube, progress):
        _install(kube, _rendered(Helm(tool(paths, "helm"), paths.state / "helm"), paths.root, images))
        _ready(kube, progress)
        for message, uneven in (("busy", True), ("wait", False)):
            plain, ours = _in_turn(kube, message, progress)
            yield from (_uneven if uneven else _waiting)(plain, ours)


def _uneven(plain: list[Burst], ours: list[Burst]) -> Iterator[Figure]:
    what = f"burst of {COUNT} in {SPREAD_S:.0f} s, pods of {'/'.join(map(str, PODS_MS.values()))} ms"
    least_s = COUNT / sum(1000 / ms for ms in PODS_MS.values())
    span = statistics.median(burst.makespan_s for burst in ours)
    yield Figure(f"(l) {what}: makespan, gateway / plain Service", span, _makespan(plain), 0.7, _all(plain, ours))
    yield Figure("(m) the same: p99, gateway / plain Service", _p99(ours), _p99(plain), 0.7)
    yield Figure("(n) the same: median reply, gateway / plain Service", _median(ours), _median(plain), 1.0)
    yield Figure("(o) the same: makespan, gateway / least that these pods can do", span, least_s, 1.25)


def _waiting(plain: list[Burst], ours: list[Burst]) -> Iterator[Figure]:
    what = f"burst of {COUNT} in {SPREAD_S:.0f} s, an action that waits a second"
    yield Figure(
        f"(p) {what}: makespan, gateway / plain Service", _makespan(ours), _makespan(plain), 1.1, _all(plain, ours)
    )  # fmt: skip
    yield Figure("(q) the same: p99, gateway / plain Service", _p99(ours), _p99(plain), None)
    yield Figure("(r) the same: median reply, gateway / plain Service", _median(ours), _median(plain), None)


def _makespan(bursts: list[Burst]) -> float:
    return statistics.median(burst.makespan_s for burst in bursts)


def _p99(bursts: list[Burst]) -> float:
    return statistics.median(burst.p99_s for burst in bursts)


def _median(bursts: list[Burst]) -> float:
    return statistics.median(statistics.median(burst.waits_s) for burst in bursts)


def _all(plain: list[Burst], ours: list[Burst]) -> str:
    def spans(bursts: list[Burst]) -> str:
        return " ".join(f"{burst.makespan_s:.1f}" for burst in bursts)

    return f"rounds: {spans(ours)} / {spans(plain)}"


def _in_turn(kube: Kube, message: str, progress: Callable[[str], None]) -> tuple[list[Burst], list[Burst]]:
    found: dict[str, list[Burst]] = {PLAIN: [], GATEWAY: []}
    for number in range(1, ROUNDS + 1):
        for service, bursts in found.items():
            argv = ["python3", "/bench/burst.py", service, "5005", str(COUNT), str(SPREAD_S), message]
            _, printed = kube.exec("client", NAMESPACE, argv, timeout_s=200)
            bursts.append(read_burst(printed))
            progress(f"round {number}: {message}: {service}: makespan {bursts[-1].makespan_s:.2f} s")
    return found[PLAIN], found[GATEWAY]


def read_burst(printed: str) -> Burst:
    """What burst.py printed.

    Raises:
        BotyardError: it did not come to its end, or a message got no reply.
    """
    line = next((line for line in printed.splitlines() if line.startswith("burst:")), None)
    if line is None:
        raise BotyardError(f"the client in the cluster ended early: {printed[-300:]}")
    burst = Burst(**json.loads(line.removeprefix("burst:")))
    if burst.lost:
        raise BotyardError(f"{burst.lost} of {COUNT} messages got no reply")
    return burst


@contextlib.contextmanager
def _namespace(kube: Kube, progress: Callable[[str], None]) -> Iterator[None]:
    found = kube.get("v1", "Namespace", NAMESPACE)
    if found is not None and not LABEL.items() <= (found["metadata"].get("labels") or {}).items():
        raise BotyardError(f"namespace {NAMESPACE} is there and not of this benchmark", "rename or remove it")
    if found is not None and found["metadata"].get("deletionTimestamp"):
        told = [c["message"] for c in found["status"].get("conditions") or [] if c["status"] == "True"]
        raise BotyardError(f"namespace {NAMESPACE} of an earlier run is still ending: {'; '.join(told) or 'wait'}")
    labels = {**LABEL, "pod-security.kubernetes.io/enforce": "restricted"}
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})

    def usable() -> tuple[bool, str]:  # no pod is taken before its account is there
        return kube.get("v1", "ServiceAccount", "default", NAMESPACE) is not None, "its account is not there yet"

    try:
        wait_until(f"namespace {NAMESPACE}", usable, 30, interval_s=0.2)
        yield
    finally:
        kube.delete("v1", "Namespace", NAMESPACE)

        def gone() -> tuple[bool, str]:
            return kube.get("v1", "Namespace", NAMESPACE) is None, "its pods are ending"

        wait_until(f"namespace {NAMESPACE} to go", gone, 180, progress=progress)


def _rendered(helm: Helm, root: Path, images: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the chart makes of the gateway and its Services, the program that asks for messages, and a plain Service."""

    def render(values: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(json.dumps({"fullnameOverride": RELEASE, **values}))
            file.flush()
            text = helm.call(
                "template", RELEASE, root / "charts" / "rasa", "--namespace", NAMESPACE, "--values", file.name
            )
        return {(body["kind"], body["metadata"]["name"]): body for body in load_documents(text)}

    ours = render(images)
    plain = render({"image": images["image"]})["Service", RELEASE]
    plain["metadata"]["name"] = PLAIN
    gateway = f"{RELEASE}-gateway"
    kept = [
        ("Service", RELEASE), ("Service", f"{RELEASE}-pods"), ("ConfigMap", gateway), ("Deployment", gateway),
        ("ConfigMap", f"{RELEASE}-botyard"),
    ]  # fmt: skip
    return [plain, *(ours[key] for key in kept), *_pods(ours["Deployment", RELEASE])]


def _pods(rasa: dict[str, Any]) -> list[dict[str, Any]]:
    """The stand-ins and the client, made from the chart's Rasa Deployment: its labels, image, user and address."""
    here = Path(__file__).parent
    data = {name: (here / name).read_text() for name in ("stand_in.py", "burst.py")}
    programs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "programs"}, "data": data}
    spec = rasa["spec"]["template"]["spec"]
    labels = rasa["spec"]["template"]["metadata"]["labels"]
    told = spec["containers"][0]

    def pod(name: str, argv: list[str], env: list[dict[str, Any]], labels: Mapping[str, str]) -> dict[str, Any]:
        container: dict[str, Any] = {
            "name": "bench", "image": told["image"], "command": ["python3", *argv], "env": env,
            "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
            "securityContext": told["securityContext"],
            "volumeMounts": [
                {"name": "programs", "mountPath": "/bench"}, {"name": "botyard", "mountPath": "/opt/botyard"},
            ],
        }  # fmt: skip
        if labels:
            container["ports"] = [{"name": "http", "containerPort": told["ports"][0]["containerPort"]}]
            # Opened by the kernel, so a busy stand-in stays in the Service, as Rasa does.
            container["readinessProbe"] = {"tcpSocket": {"port": "http"}, "periodSeconds": 1, "timeoutSeconds": 30}
        body = {
            "automountServiceAccountToken": False, "enableServiceLinks": False, "terminationGracePeriodSeconds": 0,
            "securityContext": spec["securityContext"], "containers": [container],
            "volumes": [
                {"name": "programs", "configMap": {"name": "programs"}},
                {"name": "botyard", "configMap": {"name": f"{RELEASE}-botyard"}},
            ],
        }  # fmt: skip
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": dict(labels)}, "spec": body}

    own = [{"name": "PYTHONPATH", "value": "/opt/botyard"}]
    own += [entry for entry in told["env"] if entry["name"].startswith(("BOTYARD_AGENT", "BOTYARD_MESSAGES"))]
    stand_ins = [
        pod(name, ["/bench/stand_in.py"], [*own, {"name": "BUSY_MS", "value": str(ms)}], labels)
        for name, ms in PODS_MS.items()
    ]
    return [programs, *stand_ins, pod("client", ["-c", "import time; time.sleep(3600)"], [], {})]


def _install(kube: Kube, objects: list[dict[str, Any]]) -> None:
    for body in objects:
        kube.apply(body, NAMESPACE)


def _ready(kube: Kube, progress: Callable[[str], None]) -> None:
    def probe() -> tuple[bool, str]:
        gateway = kube.get("apps/v1", "Deployment", f"{RELEASE}-gateway", NAMESPACE)
        pods = kube.list("v1", "Pod", NAMESPACE)
        waiting = [pod["metadata"]["name"] for pod in pods if not _is_ready(pod)]
        done = gateway is not None and rollout_state(gateway)[0] and len(pods) > len(PODS_MS) and not waiting
        return done, f"not ready: {', '.join(sorted(waiting))}"

    wait_until("the pods of the benchmark", probe, 180, progress=progress)


def _is_ready(pod: dict[str, Any]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or [])
