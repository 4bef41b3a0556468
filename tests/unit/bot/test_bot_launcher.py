from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import ModuleType

import pytest

from .files import mounted

launcher = mounted("launcher")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("BOTYARD_AUTH_TOKEN_FILE", "BOTYARD_JWT_SECRET_FILE", "BOTYARD_MODEL_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BOTYARD_TERMINATION_LOG", str(tmp_path / "termination-log"))


def test_adds_model_and_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {"token": "-tok\n", "jwt": "secret", "m.tar.gz": ""}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("BOTYARD_AUTH_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("BOTYARD_JWT_SECRET_FILE", str(tmp_path / "jwt"))
    monkeypatch.setenv("BOTYARD_MODEL_FILE", str(tmp_path / "m.tar.gz"))
    assert launcher.arguments(["run", "--enable-api"]) == [
        "run", f"--model={tmp_path}/m.tar.gz", "--auth-token=-tok", "--jwt-secret=secret", "--jwt-method=HS256",
        "--enable-api",
    ]  # fmt: skip
    assert launcher.arguments(["train"]) == ["train"]
    given = ["run", "--model", str(tmp_path / "m.tar.gz")]
    assert launcher.arguments(given)[-2:] == given[1:] and "--model=" not in " ".join(launcher.arguments(given))


def test_without_environment_nothing_is_added() -> None:
    assert launcher.arguments(["run", "-p", "1"]) == ["run", "-p", "1"]
    assert launcher.arguments([]) == []


@pytest.mark.parametrize("variable", ["BOTYARD_AUTH_TOKEN_FILE", "BOTYARD_JWT_SECRET_FILE"])
@pytest.mark.parametrize("content", [None, "", "\n"])
def test_no_secret_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "s").write_text(content)
    monkeypatch.setenv(variable, str(tmp_path / "s"))
    with pytest.raises(launcher.RefusedError, match=variable):
        launcher.arguments(["run"])


def test_no_model_no_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BOTYARD_MODEL_FILE", str(tmp_path / "gone.tar.gz"))
    monkeypatch.setattr(sys, "argv", ["launcher.py", "run"])
    with pytest.raises(SystemExit) as end:
        launcher.main()
    assert end.value.code == 2
    assert "gone.tar.gz" in capsys.readouterr().err
    assert "gone.tar.gz" in (tmp_path / "termination-log").read_text()


def test_rasa_sees_the_secret_in_its_own_argv_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    package, main = ModuleType("rasa"), ModuleType("rasa.__main__")
    main.main = lambda: seen.append(list(sys.argv))  # type: ignore[attr-defined]
    package.__main__ = main  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rasa", package)
    monkeypatch.setitem(sys.modules, "rasa.__main__", main)
    monkeypatch.setattr(launcher, "let_wait_take_coroutines", lambda: False)
    monkeypatch.setattr(sys, "argv", ["launcher.py", "run", "--enable-api"])
    (tmp_path / "token").write_text("tok")
    monkeypatch.setenv("BOTYARD_AUTH_TOKEN_FILE", str(tmp_path / "token"))
    launcher.main()
    assert seen == [["rasa", "run", "--auth-token=tok", "--enable-api"]]


def test_wait_takes_coroutines(monkeypatch: pytest.MonkeyPatch) -> None:
    original = asyncio.wait
    monkeypatch.setattr(asyncio, "wait", original)
    monkeypatch.setattr(asyncio.tasks, "wait", original)

    async def answer() -> int:
        return 42

    async def both() -> set[int]:
        done, _ = await asyncio.wait([answer(), asyncio.ensure_future(answer())], timeout=5)
        return {task.result() for task in done}

    assert launcher.let_wait_take_coroutines()
    assert not launcher.let_wait_take_coroutines()
    assert asyncio.run(both()) == {42}


def _rasa(monkeypatch: pytest.MonkeyPatch, remote_action: type | None) -> None:
    """A Rasa of which only RemoteAction is there, and a jsonschema that wants a mapping with events."""
    names = [
        "rasa",
        "rasa.core",
        "rasa.core.actions",
        "rasa.core.actions.action",
        "jsonschema",
        "jsonschema.validators",
    ]
    for name in names:
        monkeypatch.setitem(sys.modules, name, ModuleType(name))

    class Validator:
        built = 0

        def __init__(self, _schema: object) -> None:
            type(self).built += 1
            assert self.built == 1

        @staticmethod
        def check_schema(_schema: object) -> None:
            return None

        def is_valid(self, reply: object) -> bool:
            return isinstance(reply, dict) and "events" in reply

    sys.modules["jsonschema.validators"].validator_for = lambda _schema: Validator  # type: ignore[attr-defined]
    if remote_action is not None:
        sys.modules["rasa.core.actions.action"].RemoteAction = remote_action  # type: ignore[attr-defined]


def test_validator_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class RemoteAction:
        @staticmethod
        def action_response_format_spec() -> dict[str, str]:
            return {"type": "object"}

        def _validate_action_result(self, result: object) -> bool:
            raise ValueError("Rasa's own words")

    _rasa(monkeypatch, RemoteAction)
    assert launcher.speed_up_validation()
    assert all(RemoteAction()._validate_action_result({"events": []}) for _ in range(3))
    with pytest.raises(ValueError, match="Rasa's own words"):
        RemoteAction()._validate_action_result([])


def test_another_rasa_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class RemoteAction:
        @staticmethod
        def action_response_format_spec() -> dict[str, str]:
            return {}

        def _validate_action_result(self, result: object, strict: bool) -> bool:
            return strict

    before = RemoteAction._validate_action_result
    _rasa(monkeypatch, RemoteAction)
    assert not launcher.speed_up_validation()
    assert RemoteAction._validate_action_result is before
    _rasa(monkeypatch, None)
    assert not launcher.speed_up_validation()


def test_sql_connections_are_tried_before_use(monkeypatch: pytest.MonkeyPatch) -> None:
    alchemy = ModuleType("sqlalchemy")
    vars(alchemy)["create_engine"] = lambda url, **options: {"url": url, **options}
    monkeypatch.setitem(sys.modules, "sqlalchemy", alchemy)
    assert launcher.try_sql_connections_before_use()
    assert alchemy.create_engine("db", pool_size=5) == {"url": "db", "pool_size": 5, "pool_pre_ping": True}
    assert alchemy.create_engine("db", pool_pre_ping=False)["pool_pre_ping"] is False


def test_a_rasa_without_sqlalchemy_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", ModuleType("sqlalchemy"))
    assert not launcher.try_sql_connections_before_use()
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    assert not launcher.try_sql_connections_before_use()
