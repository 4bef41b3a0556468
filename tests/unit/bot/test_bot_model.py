from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import BotyardError
from botyard.host import model
from botyard.host.bot import load_bot
from botyard.process import Completed
from botyard.tools import docker

IMAGE = "sha256:1234"


@dataclass
class Engine:
    """Docker as far as training uses it; any other command fails."""

    returncode: int = 0
    says: tuple[str, ...] = ("Starting to train component 'X'.",)
    makes: bytes | None = b"model"
    interrupted: bool = False
    there: set[str] = field(default_factory=set)
    removed: list[str] = field(default_factory=list)
    commands: list[list[str]] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    modes: set[int] = field(default_factory=set)

    def cli(self, *argv: Any, on_line: Any = None, **_options: Any) -> Completed:
        words = [str(a) for a in argv]
        self.commands.append(words)
        if words[0] == "create":
            self.there.add(words[words.index("--name") + 1])
            return Completed(words, 0, "id\n", "", 0.1)
        assert words[:2] == ["start", "--attach"] and words[2] in self.there
        if self.interrupted:
            raise KeyboardInterrupt
        for line in self.says:
            on_line(line)
        return Completed(words, self.returncode, "", "", 0.1)

    def container(self, name: str) -> Any:
        engine = self

        class Found:
            def remove(self, *, force: bool, v: bool) -> None:
                assert force and v
                engine.there.discard(name)
                engine.removed.append(name)

        return Found() if name in self.there else None

    def put_tar(self, _container: Any, folder: str, tar: Any) -> None:
        assert folder == "/tmp"
        with tarfile.open(fileobj=io.BytesIO(tar.read())) as packed:
            self.received = packed.getnames()
            self.modes = {member.mode for member in packed if member.isfile()}

    def get_file(self, _container: Any, path: str, into: Path) -> bool:
        assert path == "/tmp/train/models/model.tar.gz"
        if self.makes is None:
            return False
        into.write_bytes(self.makes)
        return True


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    for name in ("cli", "container", "put_tar", "get_file"):
        monkeypatch.setattr(docker, name, getattr(made, name))
    return made


def test_key_follows_training_input_alone(shop: Path) -> None:
    before = model.training_key(shop, IMAGE)
    (shop / "actions" / "actions.py").write_text("A = 2\n")
    (shop / "credentials.yml").write_text("rest:\n")
    (shop / "README.md").write_text("hello\n")
    (shop / "tests").mkdir()
    (shop / "tests" / "test_stories.yml").write_text("stories: []\n")
    (shop / ".rasa").mkdir()
    (shop / ".rasa" / "cache").write_text("x")
    (shop / "models").mkdir()
    (shop / "models" / "old.tar.gz").write_text("x")
    assert model.training_key(shop, IMAGE) == before
    assert model.training_key(shop, "sha256:other") != before
    (shop / "data" / "nlu.yml").write_text("nlu: [1]\n")
    after = model.training_key(shop, IMAGE)
    assert after != before
    (shop / "data" / "nlu.yml").rename(shop / "data" / "other.yml")
    assert model.training_key(shop, IMAGE) != after
    (shop / "components").mkdir()
    (shop / "components" / "own.py").write_text("")
    assert "own.py" in [file.name for file in model.training_files(shop)]


def test_trains_once(root: Path, tmp_path: Path, engine: Engine) -> None:
    said: list[str] = []
    bot = load_bot(root, "shop")
    first = model.ensure(bot, IMAGE, tmp_path / "cache", "yard", progress=said.append)
    assert first.trained and first.file == f"shop-{first.sha256[:12]}.tar.gz" and first.path.read_bytes() == b"model"
    assert "training X" in said
    assert sorted(engine.received) == [
        "train", "train/config.yml", "train/data", "train/data/nlu.yml", "train/domain.yml",
    ]  # fmt: skip
    assert engine.modes == {0o666}  # Rasa, as user 1001, writes into config.yml what is missing there
    create = engine.commands[0]
    assert "botyard.cluster=yard" in create and create[create.index("--user") + 1] == "1001"
    assert not engine.there
    again = model.ensure(bot, IMAGE, tmp_path / "cache", "yard")
    assert not again.trained and again.path == first.path and len(engine.commands) == 2


@pytest.mark.parametrize(
    ("config", "named"),
    [("language: en\n", False), ("assistant_id: placeholder_default\n", False), ("assistant_id: shop\n", True)],
)
def test_a_bot_as_rasa_init_makes_it_has_no_assistant_id(root: Path, config: str, named: bool) -> None:
    (root / "bots/shop/config.yml").write_text(config)
    assert model.has_assistant_id(load_bot(root, "shop")) is named


def test_a_damaged_cache_is_made_again(root: Path, tmp_path: Path, engine: Engine) -> None:
    bot = load_bot(root, "shop")
    first = model.ensure(bot, IMAGE, tmp_path, "yard")
    first.path.write_bytes(b"cut off")
    assert model.ensure(bot, IMAGE, tmp_path, "yard").trained
    (first.path.parent / "model.json").write_text("{")
    assert model.ensure(bot, IMAGE, tmp_path, "yard").trained


def test_what_a_killed_run_left_is_removed(root: Path, tmp_path: Path, engine: Engine) -> None:
    bot = load_bot(root, "shop")
    key = model.training_key(bot.dir, IMAGE)
    engine.there.add(f"yard-train-{key[:12]}")
    (tmp_path / "models" / f"{key}.part").mkdir(parents=True)
    (tmp_path / "models" / f"{key}.part" / "model.tar.gz").write_bytes(b"ha")
    assert model.ensure(bot, IMAGE, tmp_path, "yard").path.read_bytes() == b"model"
    assert not (tmp_path / "models" / f"{key}.part").exists()


def test_failure_says_what_rasa_said(root: Path, tmp_path: Path, engine: Engine) -> None:
    engine.returncode = 1
    engine.says = (
        "2026-01-01 10:00:00 INFO     rasa  - working",
        "Processed rules: 100%|###| 12/12 [00:00<00:00, 5245.61it/s]",
        "/x/io.py:1: UserWarning: The utterance 'utter_a' is not used in any story or rule.",
        "/x/io.py:1: UserWarning: The action 'b' is not listed in the domain file.",
        "  More info at https://example.org",
        "/x/old.py:2: PyparsingDeprecationWarning: 'a' deprecated",
        "  a()",
        "\x1b[91mInvalidConfigException: no class C\x1b[0m",
    )
    with pytest.raises(BotyardError, match="could not train shop") as error:
        model.ensure(load_bot(root, "shop"), IMAGE, tmp_path, "yard")
    assert error.value.message.splitlines() == [
        "Rasa could not train shop (exit code 1): InvalidConfigException: no class C",
        "    The action 'b' is not listed in the domain file.",
    ]
    assert not engine.there and not list((tmp_path / "models").glob("*.part"))


def test_the_reason_is_told_though_a_long_list_follows_it(root: Path, tmp_path: Path, engine: Engine) -> None:
    engine.returncode = 1
    engine.says = ("ActionNotFoundException: Cannot access action 'a'. Available:", *(f"\t - {n}" for n in range(20)))
    with pytest.raises(BotyardError) as error:
        model.ensure(load_bot(root, "shop"), IMAGE, tmp_path, "yard")
    first, *more = error.value.message.splitlines()
    assert first.endswith("(exit code 1): ActionNotFoundException: Cannot access action 'a'. Available:")
    assert more[0] == "    \t - 0" and len(more) == 11


def test_killed_for_memory(root: Path, tmp_path: Path, engine: Engine) -> None:
    engine.returncode = 137
    with pytest.raises(BotyardError, match="lack of memory"):
        model.ensure(load_bot(root, "shop"), IMAGE, tmp_path, "yard")


def test_success_without_a_model_is_a_failure(root: Path, tmp_path: Path, engine: Engine) -> None:
    engine.makes = None
    with pytest.raises(BotyardError, match="could not train shop"):
        model.ensure(load_bot(root, "shop"), IMAGE, tmp_path, "yard")


def test_ctrl_c_removes_the_container(root: Path, tmp_path: Path, engine: Engine) -> None:
    engine.interrupted = True
    with pytest.raises(KeyboardInterrupt):
        model.ensure(load_bot(root, "shop"), IMAGE, tmp_path, "yard")
    assert not engine.there and len(engine.removed) == 1
