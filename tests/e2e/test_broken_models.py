"""A model that cannot be had or is none: the new pod never becomes ready, the old pods serve on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from botyard.tools import docker
from botyard.tools.helm import Helm
from botyard.verify.conversations import Conversation, play
from botyard.verify.faulty import Stuck, as_made_by, model_url, not_a_model, upgrade_model, wait_stuck
from botyard.verify.helm_record import helm_record
from botyard.verify.put_back import rolled_back
from botyard.verify.released import RASA, Released

pytestmark = pytest.mark.disruptive
DEPOT_MODELS = "/srv/depot/models"

Try = Callable[[str, str], Stuck]
Publish = Callable[[str, bytes], str]


@pytest.fixture
def try_model(
    released: Released,
    helm: Helm,
    tmp_path: Path,
    greeting: Conversation,
    speak: Callable[[str, str], str],
    take_evidence: Callable[[], None],
) -> Try:
    """Releases another model URL and checksum, sees the new pod stuck and the bot serving on, and rolls back."""

    def attempt(url: str, sha256: str) -> Stuck:
        version = helm_record(released, RASA).version
        with rolled_back(released, helm, RASA, on_failure=take_evidence):
            old = released.rasa_pods()
            upgrade_model(released, helm, tmp_path, url, sha256, version)
            stuck = wait_stuck(released, old)
            for _ in range(6):
                play(greeting, speak)
        assert {pod.name for pod in released.rasa_pods()} == {pod.name for pod in old}, "old pods were replaced"
        return stuck

    return attempt


@pytest.fixture
def published(released: Released) -> Iterator[Publish]:
    """Puts a file beside the models for the length of a check; gives its URL as pods see it."""
    depot = docker.container(f"{released.target.cluster}-depot")
    assert depot is not None, "there is no depot"
    put: list[str] = []

    def publish(name: str, data: bytes) -> str:
        docker.put_file(depot, DEPOT_MODELS, name, data)
        put.append(f"{DEPOT_MODELS}/{name}")
        return f"{model_url(released).rsplit('/', 1)[0]}/{name}?raw=true"

    yield publish
    docker.exec_in(str(depot.name), ["rm", "-f", *put])


def test_a_wrong_model_url_leaves_the_old_pods_serving(released: Released, try_model: Try) -> None:
    """404 at the model's URL: the new pod says so and stays unready."""
    url = f"{model_url(released).rsplit('/', 1)[0]}/nobody-published-this.tar.gz?raw=true"
    assert "404" in try_model(url, "").reason


def test_no_model_leaves_the_old_pods_serving(try_model: Try) -> None:
    """Without any model Rasa may run or end, but the pod never becomes ready."""
    assert try_model("", "").reason


def test_a_wrong_checksum_leaves_the_old_pods_serving(released: Released, try_model: Try) -> None:
    """Other bytes than the release asks for are refused before Rasa starts."""
    reason = try_model(model_url(released), "0" * 64).reason
    assert "sha256" in reason.lower() or "checksum" in reason.lower(), reason


def test_a_web_page_leaves_the_old_pods_serving(published: Publish, try_model: Try) -> None:
    """HTML where a model should be, as a forge gives it that wants ?raw=true or a login."""
    page = b"<!doctype html><title>Sign in</title>"
    reason = try_model(published("checks-a-page.html", page), hashlib.sha256(page).hexdigest()).reason
    assert "no model (gzip) but text/html" in reason, reason


def test_a_file_that_is_no_model_leaves_the_old_pods_serving(published: Publish, try_model: Try) -> None:
    """The right checksum of an archive that is no model: Rasa would start with it and answer nothing."""
    data, sha256 = not_a_model()
    reason = try_model(published("checks-not-a-model.tar.gz", data), sha256).reason
    assert "no model of Rasa 3" in reason, reason


def test_a_model_of_an_older_rasa_leaves_the_old_pods_serving(
    released: Released, published: Publish, try_model: Try
) -> None:
    """The very model that is served, but by its own word of an older Rasa: the pod says by which, and what is taken."""
    served = requests.get(str(released.release["model_url"]), timeout=30).content
    data, sha256 = as_made_by(served, "3.5.17")
    reason = try_model(published("checks-older.tar.gz", data), sha256).reason
    assert "made by Rasa 3.5.17" in reason and "train it with this image" in reason, reason
