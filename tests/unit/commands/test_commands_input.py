"""What a user types wrong, and what the machine refuses: one line, the right exit code, never a traceback."""

from __future__ import annotations

import errno
import io
import os
import sys
import tempfile
from pathlib import Path

import pytest
from invoke.exceptions import Exit
from invoke.parser import Parser

from botyard.commands import deploy, main, menu, session
from botyard.commands.locks import must_be_writable, one_run_at_a_time
from botyard.commands.main import e2e, play_file, talk
from botyard.commands.session import _new_folder
from botyard.commands.streams import as_typed, errors_as_lines, mend_streams
from botyard.contracts import BadInput
from botyard.targets import load_target


def targets(tmp_path: Path, text: str | bytes) -> Path:
    (tmp_path / "values").mkdir()
    (tmp_path / "values/targets.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("targets:\n  kind:\n    workers: many\n", "targets.yml:3:5: targets.kind.workers: Expected `int`, got `str`"),
        ("targets:\n  kind:\n    workers: true\n", "targets.yml:3:5: targets.kind.workers"),
        ("targets:\n  kind:\n    wrokers: 3\n", "targets.yml:3:5: targets.kind.wrokers"),
        ("targets:\n  kind:\n    ports: {rasa: 99999}\n", "targets.yml:3:13: targets.kind.ports.rasa"),
        ("targets:\n  kind:\n    ports: {rasa: 5001}\n", "rasa and registry are both 5001"),
        ("targets:\n  kind: [1, 2]\n", "targets.yml:2:3: targets.kind: is no mapping"),
        ("targets:\n  kind: hello\n", "targets.yml:2:3: targets.kind: is no mapping"),
        ("targets:\n  kind: {1: x}\n", "is no mapping of words"),
        (b"targets: caf\xe9\n", "not readable as YAML"),
    ],
)
def test_a_wrong_target_is_named_with_its_place(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_target(targets(tmp_path, text), "kind")
    assert said in caught.value.message
    assert caught.value.cure


def test_a_target_may_be_named_by_a_number(tmp_path: Path) -> None:
    assert load_target(targets(tmp_path, "targets:\n  1: {}\n"), "1").name == "1"


def test_targets_that_are_a_folder(tmp_path: Path) -> None:
    (tmp_path / "values/targets.yml").mkdir(parents=True)
    with pytest.raises(BadInput, match="cannot be read"):
        load_target(tmp_path, "kind")


@pytest.mark.parametrize("text", ["hello", "你好", "down"])
def test_talk_takes_its_text_without_a_flag(text: str) -> None:
    found = Parser(contexts=menu().to_contexts()).parse_argv(["talk", text])
    assert [(task.name, task.args["text"].value) for task in found] == [("talk", text)]


def test_talk_with_nothing_to_say() -> None:
    with pytest.raises(Exit) as caught:
        talk.body(None, " ")
    assert caught.value.code == 2


def test_verify_before_anything_was_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = targets(tmp_path, "targets: {shop: {}}\n")
    for module in (main, session):
        monkeypatch.setattr(module, "root_folder", lambda: root)
    with pytest.raises(Exit, match="nothing was released to target shop") as caught:
        main.verify.body(None, target="shop")
    assert caught.value.message.endswith("cure: run invoke e2e --target shop")


@pytest.mark.parametrize("pair", ["who", "=x", "a b=x"])
def test_extra_vars_need_a_name(tmp_path: Path, pair: str) -> None:
    (tmp_path / "x.yml").write_text("[]")
    with pytest.raises(Exit, match=r"is not (name=value|a variable name)") as caught:
        play_file.body(None, str(tmp_path / "x.yml"), [pair])
    assert caught.value.code == 2


def test_words_are_utf8_whatever_the_locale() -> None:
    assert as_typed("你好") == "你好"
    with pytest.raises(BadInput, match="is not UTF-8"):
        as_typed(os.fsdecode(b"caf\xe9"))


def test_ascii_output_takes_any_text(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    mend_streams()
    print("你", flush=True)
    assert raw.getvalue() == b"\\u4f60\n"


def test_closed_output_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    mend_streams()
    print("unheard")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "nobody reads the output"),
        (OSError(errno.ENOSPC, "No space left on device"), "no space left on device\n  cure: make room"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "/x: permission denied\n  cure: "),
    ],
)
def test_what_the_system_refuses_is_one_line(monkeypatch: pytest.MonkeyPatch, error: OSError, said: str) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # put back afterwards
    with pytest.raises(Exit) as caught, errors_as_lines():
        raise error
    assert caught.value.code == 1
    assert said in str(caught.value.message)
    assert "internal error" not in str(caught.value.message)


def test_a_cache_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        must_be_writable(tmp_path / "file")


@pytest.fixture
def own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.usefixtures("own_locks")
def test_runs_of_one_second_keep_their_reports_apart(tmp_path: Path) -> None:
    assert _new_folder(tmp_path / "a") == tmp_path / "a"
    for name in ("a", "a-2"):
        (tmp_path / name).mkdir()
    assert _new_folder(tmp_path / "a") == tmp_path / "a-3"


def test_a_second_run_is_told_who_holds_the_first() -> None:
    told = pytest.raises(BadInput, match=rf"process {os.getpid()}, started \d\d:\d\d:\d\d in {Path.cwd()}\)")
    with one_run_at_a_time("shop"), told, one_run_at_a_time("shop"):
        pytest.fail("two runs at once")


@pytest.mark.usefixtures("own_locks")
def test_a_fault_in_a_playbook_is_told_while_another_run_holds_the_cluster(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text("- name: x\n  hosts: localhost\n  gather_facts: false\n  taks: []\n")
    with one_run_at_a_time("botyard"), pytest.raises(Exit, match=r"x\.yml:4:3: .*'taks'"):
        play_file.body(None, str(tmp_path / "x.yml"), [])


@pytest.mark.parametrize(
    ("line", "told"),
    [("", "'taks'"), ("# of the bot\n", "a fault in the bot"), ("- import_playbook: y.yml\n", "a fault in the bot")],
)
@pytest.mark.usefixtures("own_locks")
def test_a_play_reads_the_bot_where_it_may_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, told: str
) -> None:
    def load(*_: object) -> None:
        raise BadInput("a fault in the bot")

    monkeypatch.setattr("botyard.host.bot.load_bot", load)
    (tmp_path / "x.yml").write_text(f"{line}- hosts: localhost\n  gather_facts: false\n  taks: []\n")
    with pytest.raises(Exit, match=told):
        play_file.body(None, str(tmp_path / "x.yml"), [])


@pytest.mark.usefixtures("own_locks")
def test_a_fault_in_the_conversations_is_told_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "shop/data").mkdir(parents=True)
    for name, text in {"config.yml": "a: 1", "domain.yml": "a: 1", "conversations.yml": "conversations: []"}.items():
        (tmp_path / "shop" / name).write_text(text)
    with one_run_at_a_time("botyard"), pytest.raises(Exit, match=r"shop/conversations\.yml has no list") as caught:
        e2e.body(None, bot=f"{tmp_path}/shop")
    assert caught.value.code == 2


@pytest.mark.usefixtures("own_locks")
def test_the_engine_is_not_taken_from_under_a_run_on_another_cluster() -> None:
    told = pytest.raises(BadInput, match="working on cluster shop")
    with one_run_at_a_time("shop"), told, one_run_at_a_time("garden", all_clusters=True):
        pytest.fail("the engine went away under a run")


@pytest.mark.usefixtures("own_locks")
def test_runs_on_two_clusters_are_fine() -> None:
    with one_run_at_a_time("shop"), one_run_at_a_time("garden"):
        pass
    with one_run_at_a_time("garden", all_clusters=True):
        pass


@pytest.mark.parametrize("version", ["sha256:" + "a" * 64, "0.3.0@sha256:" + "a" * 64, "a" * 64])
def test_a_digest_in_place_of_a_version_is_told_as_such(version: str) -> None:
    with pytest.raises(Exit, match=r"is a digest, and takes none(.|\n)*cure: .*--version 0\.3\.0") as caught:
        deploy.deploy.body(None, [], [], target="kind", version=version)
    assert caught.value.code == 2 and "is no version" not in str(caught.value.message)


def test_what_is_no_version_is_told() -> None:
    with pytest.raises(Exit, match="--version 'latest' is no version of a chart") as caught:
        deploy.deploy.body(None, [], [], target="kind", version="latest")
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("file", "cure"),
    [("pley.yml", "did you mean "), ("relaese.yml", "playbooks/release.yml"), ("quite_other.yml", "give the path")],
)
def test_a_playbook_that_is_not_there_is_told_with_the_one_that_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, cure: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "play.yml").write_text("[]")
    with pytest.raises(Exit, match=f"there is no playbook {file}") as caught:
        play_file.body(None, file, [])
    assert caught.value.code == 2 and cure in caught.value.message


def test_tags_given_as_a_target_are_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "play.yml").write_text("[]")
    monkeypatch.setattr(sys, "argv", ["invoke", "play", "play.yml", "-t", "deploy"])
    with pytest.raises(
        Exit, match=r"-t is --target here, and there is no target 'deploy'(.|\n)*--tags deploy"
    ) as caught:
        play_file.body(None, str(tmp_path / "play.yml"), [], target="deploy")
    assert caught.value.code == 2


def test_a_file_of_variables_without_its_sign_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text("[]")
    with pytest.raises(Exit, match=r"a file takes an @ before it: --extra-vars @more\.yml") as caught:
        play_file.body(None, str(tmp_path / "play.yml"), ["more.yml"])
    assert caught.value.code == 2
