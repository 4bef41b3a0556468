from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from botyard.contracts import BotyardError, Context, Paths, Result
from botyard.modules import rasa_test
from botyard.process import Completed
from botyard.tools import docker

RIGHT = {
    "story_report.json": b'{"conversation_accuracy": {"correct": 1, "total": 1}}',
    "intent_report.json": b'{"weighted avg": {"support": 2}}',
    "failed_test_stories.yml": b"stories: []\n",
}
WRONG = {
    **RIGHT,
    "story_report.json": b'{"conversation_accuracy": {"correct": 0, "total": 1}}',
    "failed_test_stories.yml": b"- story: hi (tests/test_a.yml)\n  steps:\n  - intent: bye  # predicted: greet: hi\n",
}
STORIES = "stories:\n- story: hi\n  steps:\n  - user: hello\n    intent: greet\n"
SENTENCES = "nlu:\n- intent: greet\n  examples: |\n    - hi\n- intent: bye\n  examples: |\n    - so long\n"


@dataclass
class Engine:
    """Docker as far as testing uses it; any other command fails."""

    results: dict[str, bytes] = field(default_factory=lambda: dict(RIGHT))
    returncode: int = 0
    stops_at_first: bool = False
    interrupted: bool = False
    there: set[str] = field(default_factory=set)
    created: list[list[str]] = field(default_factory=list)
    received: list[str] = field(default_factory=list)

    def image(self, ref: str) -> Any:
        return SimpleNamespace(id="sha256:1") if ref == "rasa:1" else None

    def cli(self, *argv: Any, on_line: Any = None, **_options: Any) -> Completed:
        words = [str(a) for a in argv]
        if words[0] == "create":
            self.created.append(words)
            self.there.add(words[words.index("--name") + 1])
            return Completed(words, 0, "id\n", "", 0.1)
        assert words[:2] == ["start", "--attach"] and words[2] in self.there
        if self.interrupted:
            raise KeyboardInterrupt
        if self.stops_at_first and "--fail-on-prediction-errors" in self.created[-1]:
            on_line("WrongPredictionException: NLU model predicted a wrong intent")
            return Completed(words, 1, "", "", 0.1)
        on_line("Evaluating 1 stories")
        return Completed(words, self.returncode, "", "", 0.1)

    def container(self, name: str) -> Any:
        def remove(*, force: bool, v: bool) -> None:
            assert force and v
            self.there.discard(name)

        return SimpleNamespace(remove=remove) if name in self.there else None

    def put_tar(self, _container: Any, folder: str, tar: Any) -> None:
        assert folder == "/tmp"
        with tarfile.open(fileobj=io.BytesIO(tar.read())) as packed:
            self.received = sorted(member.name for member in packed if member.isfile())

    def get_files(self, _container: Any, folder: str) -> dict[str, bytes]:
        assert folder == "/tmp/test/results"
        return self.results


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    for name in ("image", "cli", "container", "put_tar", "get_files"):
        monkeypatch.setattr(docker, name, getattr(made, name))
    return made


@pytest.fixture
def own(shop: Path) -> Path:
    (shop / "tests").mkdir()
    (shop / "tests" / "test_a.yml").write_text(STORIES)
    (shop / "tests" / "nlu_a.yml").write_text(SENTENCES)
    return shop


def play(bot: Path, tmp_path: Path, *, check: bool = False, said: list[str] | None = None) -> Result:
    model = tmp_path / "shop-1.tar.gz"
    if not model.exists():
        model.write_bytes(b"model")
    paths = Paths(root=bot.parents[1], state=tmp_path / "state", cache=tmp_path / "cache")
    target = SimpleNamespace(cluster="yard")
    progress = (said if said is not None else []).append
    ctx = Context(check=check, diff=False, paths=paths, target=target, progress=progress)
    return rasa_test.run(rasa_test.Args(bot=bot, image="rasa:1", model=model), ctx)


def test_runs_once_and_remembers_what_passed(own: Path, tmp_path: Path, engine: Engine) -> None:
    said: list[str] = []
    first = play(own, tmp_path, said=said)
    assert not first.failed and not first.changed and first.data["ran"] and said == ["playing the stories"]
    assert first.data["summary_lines"] == ["shop's own tests: 1 of 1 stories and 2 of 2 sentences right"]
    create = engine.created[0]
    assert "botyard.cluster=yard" in create and create[create.index("--user") + 1] == "1001"
    assert "--fail-on-prediction-errors" in create and "--no-plot" in create and "--endpoints" not in create
    assert engine.received == [
        "test/config.yml", "test/data/nlu.yml", "test/domain.yml", "test/model.tar.gz", "test/sentences/nlu_a.yml",
        "test/tests/test_a.yml",
    ]  # fmt: skip
    again = play(own, tmp_path)
    assert not again.data["ran"] and again.data["stories_passed"] == 1 and len(engine.created) == 1
    assert not engine.there


@pytest.mark.parametrize("what", ["tests", "model", "data"])
def test_runs_again_when_its_input_changes(own: Path, tmp_path: Path, engine: Engine, what: str) -> None:
    play(own, tmp_path)
    if what == "model":
        (tmp_path / "shop-1.tar.gz").write_bytes(b"other")
    else:
        file = {"tests": "tests/test_a.yml", "data": "data/nlu.yml"}[what]
        (own / file).write_text((own / file).read_text() + "# more\n")
    assert play(own, tmp_path).data["ran"] and len(engine.created) == 2


def test_a_wrong_expectation_fails_and_is_not_remembered(own: Path, tmp_path: Path, engine: Engine) -> None:
    engine.results, engine.stops_at_first = WRONG, True
    done = play(own, tmp_path)
    assert done.failed and not done.changed
    assert done.msg.splitlines() == [
        "shop's own tests: 0 of 1 stories and 2 of 2 sentences right",
        '    tests/test_a.yml, story "hi": said "hello", expected intent bye, got greet',
        f"    all of it: {tmp_path}/state/bot-tests/shop",
    ]
    assert (tmp_path / "state" / "bot-tests" / "shop" / "failed_test_stories.yml").is_file()
    assert ["--fail-on-prediction-errors" in words for words in engine.created] == [True, False]
    engine.results, engine.stops_at_first = RIGHT, False
    assert not play(own, tmp_path).failed and len(engine.created) == 3
    assert not (tmp_path / "state" / "bot-tests" / "shop").exists()


def test_right_only_the_second_time_is_wrong(own: Path, tmp_path: Path, engine: Engine) -> None:
    engine.stops_at_first = True
    assert "not predictable" in play(own, tmp_path).msg


def test_the_message_stays_short(own: Path, tmp_path: Path, engine: Engine) -> None:
    one = {"intent": "a", "intent_prediction": {"name": "b"}}
    errors = [{"text": f"sentence {number}", **one} for number in range(30)]
    engine.results = {**RIGHT, "intent_errors.json": json.dumps(errors).encode()}
    done = play(own, tmp_path)
    assert len(done.msg.splitlines()) == 11 and "... and 22 more" in done.msg and len(done.data["wrong"]) == 30


@pytest.mark.parametrize("missing", ["story_report.json", "intent_report.json"])
def test_a_report_that_is_missing_is_no_pass(own: Path, tmp_path: Path, engine: Engine, missing: str) -> None:
    del engine.results[missing]  # Rasa says "could not find a model" and ends with exit code 0
    with pytest.raises(BotyardError, match="could not test shop"):
        play(own, tmp_path)
    assert not engine.there


def test_broken_off(own: Path, tmp_path: Path, engine: Engine) -> None:
    engine.returncode = 137
    with pytest.raises(BotyardError, match="lack of memory"):
        play(own, tmp_path)
    engine.interrupted = True
    with pytest.raises(KeyboardInterrupt):
        play(own, tmp_path)
    assert not engine.there


def test_nothing_to_test_is_skipped(shop: Path, tmp_path: Path, engine: Engine) -> None:
    assert play(shop, tmp_path).skipped
    (shop / "tests").mkdir()
    assert play(shop, tmp_path).skipped
    assert not engine.created


def test_stories_alone_and_sentences_alone(own: Path, tmp_path: Path, engine: Engine) -> None:
    (own / "tests" / "nlu_a.yml").rename(own / "kept.yml")
    play(own, tmp_path)
    words = engine.created[-1]
    assert "core" in words and "--e2e" in words and "--nlu" not in words
    (own / "tests" / "test_a.yml").unlink()
    (own / "kept.yml").rename(own / "tests" / "nlu_a.yml")
    play(own, tmp_path)
    assert "nlu" in engine.created[-1] and "--stories" not in engine.created[-1]


def test_a_story_that_rasa_passes_over_is_told(own: Path, tmp_path: Path, engine: Engine) -> None:
    (own / "tests" / "more.yml").write_text(STORIES)
    (own / "tests" / "test_a.yml").write_text(STORIES + "- story: hi again\n  steps: []\n")
    for _ in range(2):
        told = "\n".join(play(own, tmp_path).warnings)
        assert "tests/more.yml is not played" in told and "1 of 2 stories" in told


def test_check_mode_runs_and_writes_nothing(own: Path, tmp_path: Path, engine: Engine) -> None:
    done = play(own, tmp_path, check=True)
    assert not done.changed and done.msg == "would run the tests of shop" and not engine.created
    assert not (tmp_path / "cache").exists() and not (tmp_path / "state").exists()
    play(own, tmp_path)
    assert "as before" in play(own, tmp_path, check=True).msg


def test_what_a_killed_run_left_is_removed(own: Path, tmp_path: Path, engine: Engine) -> None:
    play(own, tmp_path)
    name = engine.created[0][engine.created[0].index("--name") + 1]
    (next((tmp_path / "cache" / "bot-tests").glob("*.json"))).write_text("{")
    engine.there.add(name)
    assert play(own, tmp_path).data["ran"] and not engine.there


def test_no_image_and_no_model_are_told(own: Path, tmp_path: Path, engine: Engine) -> None:
    ctx = Context(
        check=False,
        diff=False,
        paths=Paths(own.parents[1], tmp_path / "state", tmp_path),
        target=None,
        basedir=tmp_path,
    )
    with pytest.raises(BotyardError, match="no model file"):
        rasa_test.run(rasa_test.Args(bot=own, image="rasa:1", model=Path()), ctx)
    with pytest.raises(BotyardError, match="no local image rasa:2"):
        rasa_test.run(rasa_test.Args(bot=own, image="rasa:2", model=Path()), ctx)
