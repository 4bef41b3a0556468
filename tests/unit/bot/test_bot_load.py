from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from botyard.contracts import BadInput
from botyard.host.bot import load_bot


def test_by_name_and_by_path(root: Path, shop: Path) -> None:
    assert load_bot(root, "shop") == load_bot(root, str(shop))
    found = load_bot(root, "shop")
    assert (found.name, found.dir, found.extra_apt, found.extra_pip) == ("shop", shop, "", "")


def test_settings(root: Path, shop: Path) -> None:
    (shop / "bot.yml").write_text("name: teeladen\nextra_apt: [libgomp1, jq]\nextra_pip: spacy<3.5 foo==1.0\n")
    found = load_bot(root, "shop")
    assert (found.name, found.extra_apt, found.extra_pip) == ("teeladen", "libgomp1 jq", "spacy<3.5 foo==1.0")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("extra_apt: ['jq; rm -rf /']", "extra_apt"),
        ("extra_apt: ['--allow-unauthenticated']", "extra_apt"),
        ("extra_pip: ['--index-url=x']", "extra_pip"),
        ("extra_pip: ['a b']", "extra_pip"),
        ("extra_pip: ['$(id)']", "extra_pip"),
        ("name: Not A Name", "name"),
        ("colour: red", "colour"),
        ("1: red", "keys must be words"),
        ("- a", "no mapping"),
    ],
)
def test_wrong_settings(root: Path, shop: Path, settings: str, message: str) -> None:
    (shop / "bot.yml").write_text(settings + "\n")
    with pytest.raises(BadInput, match=rf"bots/shop/bot\.yml: .*{message}"):
        load_bot(root, "shop")


def test_unknown_bot_says_what_was_meant(root: Path) -> None:
    with pytest.raises(BadInput, match="unknown bot 'shpo'") as error:
        load_bot(root, "shpo")
    assert error.value.cure == "did you mean shop? bots/ has: shop"


def test_a_path_without_a_slash_is_told_to_have_one(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mybot").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match="unknown bot 'mybot'") as error:
        load_bot(root, "mybot")
    assert error.value.cure == "a path has a slash in it: ./mybot; bots/ has: shop"


@pytest.mark.parametrize("name", ["", ".hidden", "nothing"])
def test_unknown_names(root: Path, name: str) -> None:
    with pytest.raises(BadInput, match="unknown bot"):
        load_bot(root, name)


@pytest.mark.parametrize("name", ["no/such", "../shop", "/nowhere/at/all"])
def test_missing_folder(root: Path, name: str) -> None:
    with pytest.raises(BadInput, match="there is no bot folder"):
        load_bot(root, name)


@pytest.mark.parametrize("missing", ["domain.yml", "config.yml", "data"])
def test_what_every_bot_needs(root: Path, shop: Path, missing: str) -> None:
    path = shop / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(BadInput, match=rf"bots/shop has no .*{re.escape(missing)}"):
        load_bot(root, "shop")


def test_domain_may_be_a_folder(root: Path, shop: Path) -> None:
    (shop / "domain").mkdir()
    (shop / "domain.yml").rename(shop / "domain" / "domain.yml")
    assert load_bot(root, "shop").name == "shop"


def test_yaml_error_has_its_place(root: Path, shop: Path) -> None:
    (shop / "data" / "rules.yml").write_text("rules:\n  - rule: a\n   steps: []\n")
    with pytest.raises(BadInput, match=r"^bots/shop/data/rules\.yml:3:4: not valid YAML: ") as error:
        load_bot(root, "shop")
    assert error.value.message.splitlines()[1:] == ["       steps: []", "       ^"]


def test_a_bot_without_actions_gets_an_action_server_that_offers_none(root: Path, shop: Path) -> None:
    assert load_bot(root, "shop").actions == shop / "actions"
    (shop / "actions" / "actions.py").unlink()
    empty = load_bot(root, "shop").actions
    (shop / "actions").rmdir()
    assert load_bot(root, "shop").actions == empty
    assert [file.name for file in empty.iterdir() if file.is_file()] == ["__init__.py"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"class A(Action)\n    x = 1\n", "actions.py:1:16: not valid Python: expected ':'"),
        (b"def a():\nreturn 1\n", "actions.py:2:1: not valid Python: expected an indented block"),
        (b"def a():\n\tx = 1\n        y = 2\n", "actions.py:3:"),
        (b"a = '\xe9'\n", "actions.py:"),
        (b"a = 1\0\n", "actions.py"),
    ],
)
def test_an_action_that_is_no_python_is_told_before_the_run(root: Path, shop: Path, text: bytes, said: str) -> None:
    (shop / "actions" / "actions.py").write_bytes(text)
    with pytest.raises(BadInput) as error:
        load_bot(root, "shop")
    assert error.value.message.startswith(f"bots/shop/actions/{said}")
    assert "not valid Python" in error.value.message


def test_a_key_given_twice(root: Path, shop: Path) -> None:
    (shop / "domain.yml").write_text("slots: {}\nintents: []\nslots: {}\n")
    with pytest.raises(BadInput, match=r"^bots/shop/domain\.yml:3:1: not valid YAML: found duplicate key"):
        load_bot(root, "shop")


def test_not_utf8(root: Path, shop: Path) -> None:
    (shop / "domain.yml").write_bytes(b"intents: [\xff\xfe]\n")
    with pytest.raises(BadInput, match=r"bots/shop/domain\.yml"):
        load_bot(root, "shop")


def test_empty_domain(root: Path, shop: Path) -> None:
    (shop / "domain.yml").write_text("# nothing\n")
    with pytest.raises(BadInput, match=r"bots/shop/domain\.yml is empty"):
        load_bot(root, "shop")


def test_what_tools_made_is_not_read(root: Path, shop: Path) -> None:
    for folder in (".rasa", "models", "results"):
        (shop / folder).mkdir()
        (shop / folder / "broken.yml").write_text("a: [")
    assert load_bot(root, "shop").name == "shop"


@pytest.mark.parametrize(
    ("content", "where"),
    [(b"intents: [a]\n# caf\xe9\n", "2:6: not readable"), (b"a: 1\nb: \x07\n", "2:4: not readable")],
)
def test_a_character_that_is_no_text(root: Path, shop: Path, content: bytes, where: str) -> None:
    (shop / "domain.yml").write_bytes(content)
    with pytest.raises(BadInput, match=rf"^bots/shop/domain\.yml:{where}"):
        load_bot(root, "shop")


def test_an_open_bracket_is_told_where_it_begins(root: Path, shop: Path) -> None:
    (shop / "domain.yml").write_text("intents: [greet\nactions:\n- a\n")
    with pytest.raises(BadInput, match=r"domain\.yml:\d:\d+: not valid YAML: .* \(in what begins in line 1\)"):
        load_bot(root, "shop")


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    for name in ("domain.yml", "config.yml"):
        (tmp_path / name).write_text("language: en\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/gone.yml").symlink_to("/nowhere/at/all.yml")
    with pytest.raises(BadInput, match=r"data/gone\.yml: cannot be read: No such file"):
        load_bot(tmp_path, str(tmp_path))
