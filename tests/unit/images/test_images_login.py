"""A registry that asks who we are: by Basic, by a token, and where the user's login for it comes from."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from botyard import process
from botyard.contracts import BadInput, CommandError, Secret
from botyard.host.registry_place import Place, of
from botyard.process import Completed
from botyard.targets import RegistryOf, Target
from botyard.tools import registry_login
from botyard.tools.registry_api import Registry
from botyard.tools.registry_login import AZURE_TOKEN_USER, Login

from .registry_server import registry

ROBOT = Login("robot", Secret("secret"))


def push(api: Registry) -> str:
    with tempfile.SpooledTemporaryFile() as content:
        content.write(b"layer")
        content.seek(0)
        api.put_blob("shop/bot", content, "x")
    return api.put_manifest("shop/bot", "t", b"{}")


@pytest.mark.parametrize("asks", ["Basic", "Bearer"])
def test_a_push_goes_through_with_the_right_login_and_with_no_other(asks: str) -> None:
    with registry(asks) as (url, held):
        api = Registry(url, ROBOT)
        assert api.answers() and api.manifest("shop/bot", "t") is None
        push(api)
        assert held.manifests == {"t": b"{}"} and list(held.blobs.values()) == [b"layer"]
        if asks == "Bearer":
            assert held.tokens == ["repository:shop/bot:pull,push"], "one token serves a whole push"
        held.manifests.clear()
        for login, told in ((None, "asks for a login, and there is none"), (Login("robot", Secret("x")), "robot")):
            with pytest.raises(BadInput, match=told) as caught:
                push(Registry(url, login))
            assert "docker login" in str(caught.value) or "log in as" in str(caught.value)
        assert not held.manifests


def test_a_body_is_sent_whole_where_the_login_expired_meanwhile() -> None:
    with registry("Bearer") as (url, held):
        api = Registry(url, ROBOT)
        api._tokens["shop/bot"] = "Bearer of-yesterday"
        push(api)
        assert list(held.blobs.values()) == [b"layer"]


def test_a_push_that_is_denied_says_what_right_is_missing_and_goes_on_the_second_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with registry("Bearer") as (url, held):
        with monkeypatch.context() as denying:
            denying.setattr(held, "do_PUT", lambda self: self._answer(403) if "manifests" in self.path else put(self))
            put = vars(held.__mro__[1])["do_PUT"]
            with pytest.raises(BadInput, match="denies PUT in shop/bot to user robot") as caught:
                push(Registry(url, ROBOT))
        assert "AcrPush" in caught.value.cure and not held.manifests and len(held.puts) == 1
        push(Registry(url, ROBOT))
        assert list(held.manifests) == ["t"] and len(held.puts) == 1, "what is there is not sent again"


def aks(**named: Any) -> Target:
    return Target(name="aks", driver="aks", context="x", registry=RegistryOf(**named) if named else None)


def test_docker_s_own_login_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    auths = {"shop.example": {"auth": "cm9ib3Q6c2VjcmV0"}, "token.example": {"auth": "", "identitytoken": "t"}}
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
    place = of(aks(address="shop.example/bots/"))
    assert place == Place("https://shop.example", "shop.example", "bots", ROBOT)
    assert place.shown("botyard/rasa") == "shop.example/bots/botyard/rasa"
    assert place.login is not None and place.login.password.reveal() == "secret"
    assert of(aks(address="token.example")).login == Login(AZURE_TOKEN_USER, Secret("t"))
    assert of(aks(address="nobody.example")).login is None


def test_azure_gives_a_token_without_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def az(argv: list[str], **_: Any) -> Completed:
        asked.append(argv)
        return Completed(argv, 0, json.dumps({"accessToken": "jwt", "loginServer": "shop.azurecr.io"}), "", 0.1)

    monkeypatch.setattr(process, "run", az)
    place = of(aks(address="shop.azurecr.io", login="az"))
    assert place.login == Login(AZURE_TOKEN_USER, Secret("jwt")) and place.login.password.reveal() == "jwt"
    assert asked == [["az", "acr", "login", "--name", "shop", "--expose-token", "--output", "json"]]


def test_nobody_logged_in_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    def az(argv: list[str], **_: Any) -> Completed:
        raise CommandError(argv, 1, "", "ERROR: Please run 'az login' to setup account.")

    monkeypatch.setattr(process, "run", az)
    with pytest.raises(BadInput, match="gives no access to the registry shop: ERROR: Please run") as caught:
        registry_login.from_az("shop.azurecr.io")
    assert caught.value.cure == "log in: az login"


def test_a_target_without_a_registry_says_where_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"registry\.address"):
        of(aks())
    with pytest.raises(BadInput, match="there is no file"):
        of(aks(address="shop.example", ca=str(tmp_path / "none.pem")))
