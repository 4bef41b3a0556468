"""Bots unlike the demo bot, released for real: neural networks in the pipeline, and a spaCy model as a wheel.

Needs a machine on which `invoke e2e` works (see the README); run by `invoke test --all`. The demo bot is released again
at the end.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from slow_lane import ROOT, invoke

FIXTURES = ROOT / "tests" / "fixtures"


@pytest.fixture(scope="module", autouse=True)
def demo_bot_afterwards() -> Iterator[None]:
    yield
    invoke("release")


@pytest.fixture
def bot(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a bot in tests/fixtures/bots, as it gets files of its own."""
    return Path(shutil.copytree(FIXTURES / "bots" / request.param, tmp_path / request.param))


@pytest.mark.parametrize("bot", ["neural"], indirect=True)
def test_neural_networks_train_serve_and_answer(bot: Path) -> None:
    """DIET, ResponseSelector and TED are trained in the image, loaded by every pod, and answer over REST."""
    invoke("e2e", "--bot", str(bot), "--skip-tags", "disruptive")


@pytest.mark.parametrize("bot", ["spacy"], indirect=True)
def test_a_spacy_model_is_installed_by_path_and_hash(bot: Path) -> None:
    """A model's wheel is built into the image and used in a pipeline; one with other bytes is refused."""
    invoke("images", "--bot", str(bot))  # spaCy itself, which makes the model's wheel
    wheels = bot / "wheels"
    wheels.mkdir()
    wheels.chmod(0o777)
    subprocess.run(["docker", "run", "--rm", "--user", str(os.getuid()), "--volume", f"{wheels}:/out",
                    "--volume", f"{FIXTURES}:/in:ro", "--entrypoint", "python", "botyard/rasa:latest",
                    "/in/spacy_blank_zh.py", "/out"], check=True, timeout=300)  # fmt: skip
    wheel = next(wheels.glob("*.whl"))
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() in (wheels / "requirements.txt").read_text()
    invoke("e2e", "--bot", str(bot), "--skip-tags", "disruptive")

    wheel.write_bytes(wheel.read_bytes() + b"tampered")
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in invoke("images", "--bot", str(bot), wanted=1)
