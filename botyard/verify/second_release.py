"""A second, small release of the same bot in a namespace of its own, for checks that break what the first one needs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs

from botyard.tools.helm import Chart, Helm
from botyard.tools.kube import Kube
from botyard.verify.helm_record import HelmRecord, helm_record
from botyard.verify.released import RASA, Released
from botyard.wait import wait_until

SMALL = {"requests": {"cpu": "50m", "memory": "400Mi"}, "limits": {"memory": "2Gi"}}


@contextlib.contextmanager
def own_namespace(kube: Kube, name: str, timeout_s: float = 120) -> Iterator[None]:
    """A namespace that is made anew, with the strictest Pod Security, and taken away with all in it.

    Args:
        timeout_s: for what a killed run left in it, or this one leaves, to go.

    Raises:
        TimedOut: it does not go.
    """
    _remove(kube, name, timeout_s)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    try:
        yield
    finally:
        _remove(kube, name, timeout_s)


@contextlib.contextmanager
def second_release(
    released: Released,
    helm: Helm,
    namespace: str,
    values: dict[str, Any],
    folder: Path,
    on_failure: Callable[[Released], None] = lambda _: None,
) -> Iterator[Released]:
    """Installs it with one pod of Rasa, waits until it is ready, and takes the whole namespace away afterwards.

    Image, model and channels are those of the first release, as are its action servers.

    Args:
        values: added to those; they win.
        on_failure: called before the namespace is taken away, to keep evidence.

    Raises:
        TimedOut: the namespace of an earlier run, or of this one, does not go.
    """
    first = helm_record(released, RASA)
    second = replace(released, target=structs.replace(released.target, namespace=namespace))
    with own_namespace(released.kube, namespace):
        try:
            file = folder / f"{namespace}.json"
            file.write_text(json.dumps({**_small(released, first), **values}))  # JSON is YAML
            helm.upgrade(RASA, namespace, Chart(f"botyard/{first.chart}", first.version), [file], wait_s=240)
            yield second
        except BaseException:
            on_failure(second)
            raise


def _small(released: Released, first: HelmRecord) -> dict[str, Any]:
    action = str(first.value("rasa-action-server.external.url") or "")
    return {
        "image": first.value("image"),
        "applicationSettings": first.value("applicationSettings"),
        "resources": SMALL,
        "preStopSeconds": 0,  # nobody's traffic is lost when its pods go
        "terminationGracePeriodSeconds": 10,
        "rasa-action-server": {
            "external": {
                "enabled": bool(action),
                "url": action.replace("//rasa-action-server/", f"//rasa-action-server.{released.namespace}/"),
            }
        },
    }


def _remove(kube: Kube, namespace: str, timeout_s: float) -> None:
    kube.delete("v1", "Namespace", namespace)
    wait_until(
        f"namespace {namespace} to go",
        lambda: (kube.get("v1", "Namespace", namespace) is None, "still there"),
        timeout_s,
        interval_s=0.5,
    )
