"""Which values are taken for secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from botyard.release import sensitive

SECRET_KEYS = ["password", "dbPassword", "DB_PASSWORD", "db-password", "redis.password", "token", "slack_token", "pwd",
               "apiKey", "API_KEY", "privateKey", "jwtSecret", "clientSecret", "rasaXToken", "PASSWD"]  # fmt: skip
OTHER_KEYS = ["existingSecret", "existingPasswordSecret", "imagePullSecret", "secretName", "secretKeyRef", "tokenPath",
              "passwordFile", "key", "keys", "replicaCount", "secrets", "apiVersion", "monkey", "", "5"]  # fmt: skip


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_a_key_says_that_its_value_is_secret(key: str) -> None:
    assert list(sensitive.of_values({"a": [{key: "hush"}]})) == ["hush"]


@pytest.mark.parametrize("key", OTHER_KEYS)
def test_other_keys_do_not(key: str) -> None:
    assert list(sensitive.of_values({key: "plain"})) == []


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"password": 123456, "token": True, "secret": None}, ["123456"]),
        ({"token": ["one", "two"]}, ["one", "two"]),
        ({"secret": {"name": "a", "key": "b"}}, []),
        ({"env": [{"name": "DB_PASSWORD", "value": "hush"}, {"name": "SIZE", "value": "9"}]}, ["hush"]),
        ({"env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}, []),
        ({"url": "postgresql://me:hush@db:5432/x", "plain": "http://me@db/x:y"}, ["hush"]),
    ],
)
def test_where_secrets_stand(values: dict[str, Any], found: list[str]) -> None:
    assert list(sensitive.of_values(values)) == found


def test_values_files_are_read_and_broken_ones_left_to_helm(tmp_path: Path) -> None:
    good, broken = tmp_path / "good.yaml", tmp_path / "broken.yaml"
    good.write_text("auth: {password: hush}\n")
    broken.write_text("a: [\n")
    assert list(sensitive.of_files([broken, good, tmp_path / "none.yaml"])) == ["hush"]
    assert list(sensitive.of_files([tmp_path])) == []


def test_rendered_secrets_are_read_as_written_and_decoded() -> None:
    text = "---\napiVersion: v1\nkind: %s\nmetadata: {name: s}\ndata: {a: aHVzaA==}\n"
    assert list(sensitive.of_manifest(text % "Secret")) == ["aHVzaA==", "hush"]
    assert list(sensitive.of_manifest(text % "ConfigMap")) == []
