"""Where conversations and locks are kept: Redis, a Postgres of the release's own, or each pod's memory."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chart_objects import Objects, Render, at

from botyard import yaml11
from botyard.contracts import CommandError
from botyard.process import run

ROOT = Path(__file__).parents[3]
SQL = {
    "type": "sql", "dialect": "postgresql", "url": "${DB_HOST}", "port": "${DB_PORT}", "username": "${DB_USER}",
    "password": "${DB_PASSWORD}", "db": "${DB_DATABASE}", "login_db": "${DB_DATABASE}",
}  # fmt: skip
OUR_LOCKS = {
    "type": "botyard_locks.RedisLocks", "url": "${REDIS_HOST}", "port": "${REDIS_PORT}",
    "password": "${REDIS_PASSWORD}", "db": "1",
}  # fmt: skip
POSTGRES = {"postgresql": {"install": True}}
NAME = "myrasa-postgresql"
POD = f"StatefulSet/{NAME}/spec/template/spec"
CONTAINER = f"{POD}/containers/0"


def locks(**given: Any) -> dict[str, Any]:
    return {"applicationSettings": {"endpoints": {"lockStore": given}}}


def released(version: str) -> dict[str, Any]:
    """The values of an older chart, which ``helm upgrade --reuse-values`` keeps in place of the new ones."""
    if version == "0.1.0":
        return dict(yaml11.load((Path(__file__).parent / "previous" / "rasa-0.1.0.yml").read_text()))
    with tarfile.open(ROOT / "tests" / "fixtures" / "charts" / f"rasa-{version}.tgz") as package:
        file = package.extractfile("rasa/values.yaml")
        assert file is not None
        return dict(yaml11.load(file.read().decode()))


def password(objects: Objects) -> Any:
    """Where Postgres has its password from: Secret and key."""
    (secret,) = [v["secret"] for v in at(objects, f"{POD}/volumes") if v["name"] == "secrets"]
    return secret["secretName"], secret["items"][0]["key"]


# Which store


def test_one_small_redis_serves_conversations_and_locks_by_default(render: Render) -> None:
    objects = render("rasa")
    assert at(objects, "endpoints/tracker_store/type") == "redis"
    assert at(objects, "endpoints/lock_store") == OUR_LOCKS
    assert not any(name == NAME for _, name in objects)


def test_postgres_keeps_conversations_and_redis_the_locks_where_both_are_on(render: Render) -> None:
    objects = render("rasa", **POSTGRES)
    assert at(objects, "endpoints/tracker_store") == SQL
    assert at(objects, "endpoints/lock_store") == OUR_LOCKS
    assert ("Deployment", "myrasa-redis") in objects
    assert at(objects, "env/DB_HOST") == NAME
    assert at(objects, f"Service/{NAME}/spec/ports/0/port") == 5432
    assert at(objects, "env/DB_PASSWORD") == {"secretKeyRef": {"name": NAME, "key": "postgresql-password"}}


def test_postgres_alone_leaves_each_pod_its_own_locks(render: Render, notes: Callable[..., str]) -> None:
    alone = {**POSTGRES, "redis": {"install": False}}
    objects = render("rasa", **alone)
    assert at(objects, "endpoints") == {"tracker_store": SQL}
    assert ("Deployment", "myrasa-redis") not in objects
    told = "each pod has locks of its own"
    assert told in notes("rasa", **alone, replicaCount=2)
    assert told not in notes("rasa", **alone)
    assert told not in notes("rasa", replicaCount=2)


def test_a_postgres_elsewhere_wins(render: Render) -> None:
    objects = render("rasa", postgresql={"install": True, "external": {"enabled": True, "host": "pg"}})
    assert at(objects, "env/DB_HOST") == "pg"
    assert not any(kind == "StatefulSet" for kind, _ in objects)


def test_another_tracker_store_is_taken_as_it_stands_beside_postgres(render: Render) -> None:
    store = {"applicationSettings": {"endpoints": {"trackerStore": {"type": "dynamo", "table_name": "t"}}}}
    objects = render("rasa", **POSTGRES, **store)
    assert at(objects, "endpoints/tracker_store") == {"type": "dynamo", "table_name": "t"}
    assert ("StatefulSet", NAME) in objects, "it was asked for"


# Locks


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ({}, OUR_LOCKS),
        ({"enabled": True}, OUR_LOCKS),
        ({"enabled": False}, None),
        ({"most_waiting": 7}, {**OUR_LOCKS, "most_waiting": 7}),
        ({"type": "redis"}, {**OUR_LOCKS, "type": "redis"}),
        ({"type": "in_memory"}, {"type": "in_memory"}),
        ({"type": "my.Locks", "url": "x"}, {"type": "my.Locks", "url": "x"}),
    ],
)
def test_the_lock_store_is_ours_unless_another_is_given(render: Render, given: dict[str, Any], there: Any) -> None:
    assert at(render("rasa", **locks(**given)), "endpoints/lock_store") == there


def test_without_a_redis_there_is_no_lock_store_and_none_can_be_asked_for(render: Render) -> None:
    none = {"redis": {"install": False}}
    assert at(render("rasa", **none), "endpoints/lock_store") is None
    with pytest.raises(CommandError, match="lockStore needs a Redis"):
        render("rasa", **none, **locks(enabled=True))
    external = {"redis": {"external": {"enabled": True, "host": "r"}}}
    assert at(render("rasa", **external), "endpoints/lock_store") == OUR_LOCKS


def test_the_lock_store_is_mounted_beside_any_image(render: Render) -> None:
    assert "class RedisLocks(LockStore)" in at(render("rasa"), "ConfigMap/myrasa-botyard/data/botyard_locks.py")


def test_notes_tell_of_locks_that_keep_no_order(notes: Callable[..., str]) -> None:
    assert "Rasa's Redis lock store is not atomic" in notes("rasa", replicaCount=2, **locks(type="redis"))


# Postgres


def test_the_password_of_postgres_is_random_kept_and_in_files_alone(render: Render) -> None:
    first, second = (render("rasa", **POSTGRES, time=n) for n in (1, 2))
    secret = first["Secret", NAME]
    assert set(secret["data"]) == {"postgresql-password", "postgresql-postgres-password"}
    assert len(set(secret["data"].values())) == 1, "there is one user"
    assert secret["data"] != second["Secret", NAME]["data"]
    assert secret["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert password(first) == (NAME, "postgresql-password")
    variables = {entry["name"]: entry["value"] for entry in at(first, f"{CONTAINER}/env")}
    assert variables["POSTGRES_PASSWORD_FILE"] == "/run/botyard/postgresql-password"
    assert "POSTGRES_PASSWORD" not in variables
    assert (variables["POSTGRES_USER"], variables["POSTGRES_DB"]) == ("postgres", "rasa")


def test_another_user_reads_the_key_that_the_official_chart_read(render: Render) -> None:
    objects = render("rasa", **POSTGRES, **{"global": {"postgresql": {"postgresqlUsername": "bot"}}})
    assert password(objects) == (NAME, "postgresql-postgres-password")
    assert at(objects, "env/DB_PASSWORD/secretKeyRef/key") == "postgresql-postgres-password"
    assert at(objects, "env/DB_USER") == "bot"
    assert "--username=bot" in at(objects, f"{CONTAINER}/readinessProbe/exec/command")


def test_an_existing_secret_is_taken_and_none_is_made(render: Render) -> None:
    given = {
        "postgresql": {"install": True, "existingSecretKey": "k"},
        "global": {"postgresql": {"existingSecret": "s"}},
    }
    objects = render("rasa", **given)
    assert password(objects) == ("s", "k")
    assert at(objects, "env/DB_PASSWORD") == {"secretKeyRef": {"name": "s", "key": "k"}}
    assert ("Secret", NAME) not in objects


@pytest.mark.parametrize("given", ["two words", 'a"b', "line\nend"])
def test_a_password_that_rasa_cannot_read_is_refused(render: Render, given: str) -> None:
    with pytest.raises(CommandError, match=r"global\.postgresql\.postgresqlPassword"):
        render("rasa", **POSTGRES, **{"global": {"postgresql": {"postgresqlPassword": given}}})


def test_the_data_is_on_a_volume_of_the_size_that_is_said(render: Render) -> None:
    persistence = {"size": "3Gi", "storageClass": "fast"}
    objects = render("rasa", postgresql={"install": True, "persistence": persistence})
    (claim,) = at(objects, f"StatefulSet/{NAME}/spec/volumeClaimTemplates")
    assert claim["spec"]["resources"]["requests"]["storage"] == "3Gi"
    assert claim["spec"]["storageClassName"] == "fast"
    assert "labels" not in claim["metadata"], "they change with the chart's version, and Kubernetes refuses that here"
    memory = render("rasa", postgresql={"install": True, "persistence": {"enabled": False}})
    assert at(memory, f"StatefulSet/{NAME}/spec/volumeClaimTemplates") is None
    assert {"name": "data", "emptyDir": {}} in at(memory, f"{POD}/volumes")


def test_the_image_is_the_official_one_or_ours_by_digest(render: Render) -> None:
    assert at(render("rasa", **POSTGRES), f"{CONTAINER}/image") == "docker.io/library/postgres:15.18-bookworm"
    own = {"repository": "localhost:5001/botyard/postgres", "digest": f"sha256:{'a' * 64}", "pullPolicy": "Always"}
    objects = render("rasa", postgresql={"install": True, "image": own, "resources": {"limits": {"memory": "1Gi"}}})
    assert at(objects, f"{CONTAINER}/image") == f"localhost:5001/botyard/postgres@sha256:{'a' * 64}"
    assert at(objects, f"{CONTAINER}/imagePullPolicy") == "Always"
    assert at(objects, f"{CONTAINER}/resources/limits/memory") == "1Gi"
    assert at(objects, f"{CONTAINER}/command") is None, "the image's own entrypoint makes the database"


def test_registry_and_name_make_the_image_where_there_is_no_repository(render: Render) -> None:
    given = {"install": True, "registry": "mirror.example/library", "image": {"name": "pg", "tag": 15}}
    assert at(render("rasa", postgresql=given), f"{CONTAINER}/image") == "mirror.example/library/pg:15"
    with pytest.raises(CommandError, match=r"- postgresql\.image: "):
        render("rasa", postgresql={"install": True, "image": {"tag": ""}})


def test_only_rasa_reaches_postgres_where_policies_are_on(render: Render) -> None:
    objects = render("rasa", **POSTGRES, networkPolicy={"enabled": True})
    policy = objects["NetworkPolicy", NAME]["spec"]
    rasa = at(objects, "NetworkPolicy/myrasa/spec/podSelector")
    assert policy["podSelector"] == at(objects, f"StatefulSet/{NAME}/spec/selector")
    assert policy["ingress"] == [{"from": [{"podSelector": rasa}], "ports": [{"port": "postgresql"}]}]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert "egress" not in policy
    out = {"to": [{"podSelector": policy["podSelector"]}], "ports": [{"port": "postgresql"}]}
    assert out in at(objects, "NetworkPolicy/myrasa/spec/egress")
    assert ("NetworkPolicy", NAME) not in render("rasa", **POSTGRES)


def test_a_long_release_name_still_makes_names_that_kubernetes_takes(render: Render) -> None:
    objects = render("rasa", **POSTGRES, nameOverride="n" * 63)
    assert all(len(value) <= 63 for value in at(objects, f"Service/{NAME}/spec/selector").values())


# Upgrades


@pytest.mark.parametrize("version", ["0.1.0", "0.2.0"])
def test_an_upgrade_with_reused_values_goes_on_with_redis(render_with_defaults: Render, version: str) -> None:
    """Chart 0.2.0 had ``postgresql.install: true`` as a default that meant Redis: it must not become a Postgres now."""
    values = released(version)
    objects = render_with_defaults("rasa", values)
    assert at(objects, "endpoints/tracker_store/url") == "myrasa-redis"
    assert at(objects, "endpoints/lock_store") is None, "each pod has its own locks, as before"
    assert not any(name == NAME for _, name in objects)
    bare = render_with_defaults("rasa", values, redis={**values["redis"], "install": False})
    kept = {"0.1.0": None, "0.2.0": "myrasa-redis"}[version]
    assert at(bare, "endpoints/tracker_store/url") == kept


def test_an_older_release_gets_a_postgres_once_its_image_is_named(render_with_defaults: Render) -> None:
    postgres = {
        "install": True, "image": {"repository": "p", "tag": "15"}, "persistence": {"enabled": True, "size": "1Gi"},
    }  # fmt: skip
    values = released("0.2.0")
    objects = render_with_defaults("rasa", values, postgresql={**values["postgresql"], **postgres})
    assert at(objects, "endpoints/tracker_store") == SQL
    assert at(objects, f"{CONTAINER}/imagePullPolicy") == "IfNotPresent"
    with pytest.raises(CommandError, match=r"no value for postgresql\.persistence"):
        render_with_defaults("rasa", values, postgresql={"install": True, "image": postgres["image"]})


@pytest.mark.parametrize(("release", "taken"), [("a" * 41, True), ("a" * 42, False), ("1bot", False)])
def test_a_name_by_which_no_postgres_would_run_is_refused(helm: Path, release: str, taken: bool) -> None:
    """The StatefulSet's pods would carry a label that is too long; the Service a name that is none."""
    values = "postgresql.install=true,fullnameOverride=bot"
    done = run([helm, "template", release, ROOT / "charts/rasa", "--set", values], check=False, timeout_s=30)
    assert (done.returncode == 0) == taken, done.stderr
    assert taken or f'no Postgres named "{release}-postgresql"' in done.stderr
