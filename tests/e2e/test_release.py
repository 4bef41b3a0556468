"""What Helm and the shared store hold, and what the logs say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
import requests

from botyard.tools.helm import load_yaml
from botyard.verify.helm_record import HelmRecord
from botyard.verify.inside_pod import NOBODY
from botyard.verify.logs import errors_of
from botyard.verify.released import Pod, Released

pytestmark = pytest.mark.readonly
# Other checks ask for what must be refused, and the servers log that as errors.
OUR_DOING = (NOBODY, "User is not authenticated")


def test_both_releases_are_deployed(rasa_record: HelmRecord, actions_record: HelmRecord) -> None:
    """Helm's newest revision of both releases is deployed: none failed, none pending, of our own charts."""
    for record, chart in ((rasa_record, "rasa"), (actions_record, "rasa-action-server")):
        assert record.status == "deployed", f"{record.name} revision {record.revision} is {record.status}"
        assert record.chart == chart


def test_repository_lists_the_released_charts(
    released: Released, rasa_record: HelmRecord, actions_record: HelmRecord
) -> None:
    """The Helm repository that was added lists both charts in the released versions, and their archives are there."""
    if not released.target.ours:
        pytest.skip("a deploy takes the charts from its checkout")
    document = load_yaml((released.state / "helm" / "config" / "repositories.yaml").read_bytes())
    url = next(item["url"] for item in document["repositories"] if item["name"] == "botyard").rstrip("/")
    index = load_yaml(requests.get(f"{url}/index.yaml", timeout=10).content)
    for record in (rasa_record, actions_record):
        entries = [e for e in index["entries"][record.chart] if e["version"] == record.version]
        assert entries, f"{record.chart} {record.version} is not in {url}/index.yaml"
        place = entries[0]["urls"][0]
        archive = requests.head(place if "://" in place else f"{url}/{place}", timeout=10)
        assert archive.status_code == 200


def test_redis_holds_the_conversation(inside: dict[str, dict[str, Any]], known_sender: str) -> None:
    """A conversation just held lies in the shared Redis, seen from every Rasa pod, so it outlives a pod."""
    for pod, found in inside.items():
        tracker = found["tracker"]
        assert tracker.get("type") == "redis", f"{pod}: {tracker}"
        assert [key for key in tracker["keys"] if known_sender in key], f"{pod}: {tracker}"


def test_no_container_was_killed_for_memory(all_pods: list[Pod]) -> None:
    """No container ran out of memory or waits to be started again."""
    for pod in all_pods:
        for state in pod.body["status"].get("containerStatuses") or []:
            ended = (state.get("lastState") or {}).get("terminated") or {}
            assert ended.get("reason") != "OOMKilled", f"{pod.name} {state['name']}"
            assert not (state.get("state") or {}).get("waiting"), f"{pod.name} {state['name']}: {state['state']}"


@pytest.mark.last
def test_no_error_in_the_logs(released: Released, all_pods: list[Pod], began: datetime) -> None:
    """No ERROR and no traceback while the pods started and while all the checks above ran."""
    with ThreadPoolExecutor(4) as pool:
        found = [line for lines in pool.map(lambda pod: errors_of(released, pod, began), all_pods) for line in lines]
    found = [line for line in found if not any(word in line for word in OUR_DOING)]
    assert not found, "\n".join(found[:20])
