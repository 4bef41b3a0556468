"""A model that cannot be had or is none: the new pod never becomes ready, the old pods serve on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from botyard.tools import docker
from botyard.tools.helm import Helm
from botyard.verify.conversations import Conversation, play
from botyard.verify.faulty import Stuck, model_url, not_a_model, upgrade_model, wait_stuck
from botyard.verify.helm_record import helm_record
from botyard.verify.put_back import rolled_back
from botyard.verify.released import RASA, Released

pytestmark = pytest.mark.disruptive
DEPOT_MODELS = "/srv/depot/models"
JUNK = "checks-not-a-model.tar.gz"

Try = Callable[[str, str], Stuck]


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
def junk_model(released: Released) -> Iterator[tuple[str, str]]:
    """URL (as pods see it) and checksum of a published tar.gz that is no model."""
    depot = docker.container(f"{released.target.cluster}-depot")
    assert depot is not None, "there is no depot"
    data, sha256 = not_a_model()
    docker.put_file(depot, DEPOT_MODELS, JUNK, data)
    yield f"{model_url(released).rsplit('/', 1)[0]}/{JUNK}?raw=true", sha256
    docker.exec_in(str(depot.name), ["rm", "-f", f"{DEPOT_MODELS}/{JUNK}"])


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


def test_a_file_that_is_no_model_leaves_the_old_pods_serving(junk_model: tuple[str, str], try_model: Try) -> None:
    """The right checksum of a file that is no model: Rasa cannot load it, and the pod is not ready."""
    assert try_model(*junk_model).reason
