"""Every pod serves the model that was published, and anybody in the cluster can fetch it again."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from botyard.verify.helm_record import HelmRecord
from botyard.verify.released import RASA_PORT, READY_PATH, Pod, Released
from botyard.verify.rest import status

pytestmark = pytest.mark.readonly


def test_every_pod_reports_the_published_model(released: Released, rasa_pods: list[Pod]) -> None:
    """Each Rasa pod, asked by itself without a token, names the published model file; all name one model id."""

    def ask(pod: Pod) -> dict[str, Any]:
        code, body = released.kube.pod_http(pod.name, released.namespace, RASA_PORT, "GET", READY_PATH)
        assert code == 200, f"{pod.name}: {code}: {body[:200]}"
        found: dict[str, Any] = json.loads(body)
        return found

    with ThreadPoolExecutor(len(rasa_pods)) as pool:
        answers = list(pool.map(ask, rasa_pods))
    assert {answer["model_file"] for answer in answers} == {released.release["model"]}
    assert len({answer["model_id"] for answer in answers}) == 1
    assert [answer["pod"] for answer in answers] == [pod.name for pod in rasa_pods]


def test_status_names_the_published_model(released: Released) -> None:
    """Rasa's own /status agrees about the model file."""
    code, body = status(released.base_url, released.secret["rasa-token"])
    assert code == 200
    assert str(body["model_file"]).endswith(released.release["model"])


def test_model_url_with_a_query_gives_the_right_bytes(
    released: Released, rasa_record: HelmRecord, inside: dict[str, dict[str, Any]]
) -> None:
    """From inside each pod the URL of the release, query string included, gives a file with the published checksum."""
    if not released.release["model_url"]:
        pytest.skip("the model comes in an image, which the kubelet checks by digest")
    url = rasa_record.value("applicationSettings.initialModel")
    if not (released.target.ours or urlsplit(url).query):
        pytest.skip("pods of this target fetch it by an address without a query string")
    assert urlsplit(url).query, f"{url} has no query string, so nothing is proven about one"
    for pod, found in inside.items():
        assert found["model"].get("sha256") == released.release["model_sha256"], f"{pod}: {found['model']}"


def test_release_asks_for_the_checksum(released: Released, rasa_record: HelmRecord) -> None:
    """The release carries the model's checksum, or its image's digest: no pod can serve other bytes."""
    if not released.release["model_url"]:
        assert rasa_record.value("applicationSettings.initialModelImage.digest").startswith("sha256:")
        return
    assert rasa_record.value("applicationSettings.initialModelSha256") == released.release["model_sha256"]


def test_model_is_named_by_its_content(released: Released) -> None:
    """The file name holds the first part of its checksum or content key: a new model never hides behind an old name."""
    name = str(released.release["model"])
    assert name.endswith(".tar.gz")
    assert any(
        len(part) >= 8 and set(part) <= set("0123456789abcdef") for part in name[:-7].replace("-", ".").split(".")
    )
