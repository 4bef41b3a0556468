"""A second, small release of the same bot in a namespace of its own, for checks that break what the first one needs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from botyard.tools.helm import Chart, Helm
from botyard.verify.helm_record import HelmRecord, helm_record
from botyard.verify.released import RASA, Released
from botyard.wait import wait_until

SMALL = {"requests": {"cpu": "50m", "memory": "400Mi"}, "limits": {"memory": "2Gi"}}


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
    second = replace(released, target=released.target.model_copy(update={"namespace": namespace}))
    _remove(second)  # what a run that was killed left
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
    released.kube.apply(body)
    try:
        file = folder / f"{namespace}.json"
        file.write_text(json.dumps({**_small(released, first), **values}))  # JSON is YAML
        helm.upgrade(RASA, namespace, Chart(f"botyard/{first.chart}", first.version), [file], wait_s=240)
        yield second
    except BaseException:
        on_failure(second)
        raise
    finally:
        _remove(second)


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


def _remove(second: Released) -> None:
    second.kube.delete("v1", "Namespace", second.namespace)
    wait_until(
        f"namespace {second.namespace} to go",
        lambda: (second.kube.get("v1", "Namespace", second.namespace) is None, "still there"),
        120,
        interval_s=0.5,
    )
