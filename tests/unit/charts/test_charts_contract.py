"""Every key of the official charts does what docs/reference/charts.md says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from chart_objects import Render, at, env, pod, rasa_file, with_key, without_randomness
from charts_contract_cases import BOTH, RASA, Case, batches

from botyard.contracts import CommandError
from botyard.reference.charts import VERSIONS, official, official_values

OURS = {"rasa": "myrasa", "rasa-action-server": "rasa-action-server"}
CASES = {"rasa": [*BOTH, *RASA], "rasa-action-server": BOTH}


class Given(NamedTuple):
    """A case of a chart, and the values of its whole batch."""

    chart: str
    case: Case
    values: dict[str, Any]


def every_case() -> Iterator[Any]:
    for chart, cases in CASES.items():
        for number, batch in enumerate(batches(cases)):
            values = batch[0].beside
            for case in batch:
                values = with_key(values, case.key, case.value)
            yield from (pytest.param(Given(chart, case, values), id=f"{chart}-{case.key}-{number}") for case in batch)


def keys(*having: str) -> list[tuple[str, str]]:
    """(chart, key) of the official keys told by one of those words."""
    return [
        (chart, key) for chart in VERSIONS for key, told in official(chart).items() if any(w in told for w in having)
    ]


@pytest.mark.parametrize("given", list(every_case()))
def test_a_key_has_the_effect_that_is_told(render: Render, given: Given) -> None:
    case, name = given.case, OURS[given.chart]
    place = case.place.replace("@", name)
    assert at(render(given.chart, **given.values), place) == case.expected
    assert at(render(given.chart, **case.beside), place) != case.expected, "it is so without the key too"


def test_every_key_with_an_effect_has_a_case_and_tells_one_thing() -> None:
    for chart in VERSIONS:
        shown = {case.key for case in CASES[chart]}
        assert set(official(chart)) >= shown, "a case of a key that the official chart does not have"
        assert [key for c, key in keys("does") if c == chart and key not in shown] == []
        assert all(set(told) - {"default"} < {"does", "none", "refused"} for told in official(chart).values())
        assert all(len(told) == 2 for told in official(chart).values())


@pytest.mark.parametrize("chart", VERSIONS)
def test_keys_told_to_have_no_effect_have_none(render: Render, chart: str) -> None:
    """All at once: together they change nothing."""
    values: dict[str, Any] = {}
    for _, key in (pair for pair in keys("none") if pair[0] == chart):
        default = official(chart)[key]["default"]
        other = {bool: not default, int: 77, str: "other", dict: {"other": "1"}, list: ["other"]}[type(default)]
        values = with_key(values, key, other)
    assert values
    assert without_randomness(render(chart, **values)) == without_randomness(render(chart))


@pytest.mark.parametrize(("chart", "key"), keys("refused"))
def test_what_cannot_be_had_is_refused_by_name(render: Render, chart: str, key: str) -> None:
    with pytest.raises(CommandError, match="cannot be met") as caught:
        render(chart, **with_key({}, key, True))
    words = [part for part in key.split(".") if part not in ("enabled", "endpoints", "applicationSettings")]
    assert all(word in caught.value.stderr for word in words if word != "useConfigEndpoint")


@pytest.mark.parametrize("chart", VERSIONS)
def test_the_official_values_as_a_whole_are_taken(render: Render, chart: str) -> None:
    objects = render(chart, **official_values(chart))
    assert (
        pod(objects)["containers"][-1]["image"]
        == {
            "rasa": "docker.io/rasa/rasa:3.2.6",
            "rasa-action-server": "docker.io/rasa/rasa-x-demo:0.40.0",
        }[chart]
    )


def test_the_official_postgres_is_here_too_and_its_passwords_are_random(render: Render) -> None:
    objects = render("rasa", **official_values("rasa"))
    assert rasa_file(objects, "endpoints.yml") == {
        "tracker_store": {
            "type": "sql", "dialect": "postgresql", "url": "${DB_HOST}", "port": "${DB_PORT}", "username": "${DB_USER}",
            "password": "${DB_PASSWORD}", "db": "${DB_DATABASE}", "login_db": "${DB_DATABASE}",
        }
    }  # fmt: skip
    assert ("StatefulSet", "myrasa-postgresql") in objects
    assert ("Deployment", "myrasa-redis") not in objects
    # rasaToken, UNSET, redis-password, password
    published = {"cmFzYVRva2Vu", "VU5TRVQ=", "cmVkaXMtcGFzc3dvcmQ=", "cGFzc3dvcmQ="}
    for secret in ("myrasa", "myrasa-postgresql"):
        assert not set(objects["Secret", secret]["data"].values()) & published


def test_the_official_readiness_asks_for_a_loaded_model_here(render: Render) -> None:
    """It asked for ``/``, which answers 200 before there is a model."""
    ready = at(render("rasa", **official_values("rasa")), "container/readinessProbe")
    assert ready["httpGet"] == {"path": "/webhooks/botyard/ready", "port": "http", "scheme": "HTTP"}
    assert ready["periodSeconds"] == 15, "the rest is theirs"
    own = {"httpGet": {"path": "/status"}}
    assert at(render("rasa", readinessProbe=own), "container/readinessProbe/httpGet/path") == "/status"


def test_notes_tell_where_conversations_are_kept(notes: Callable[..., str]) -> None:
    assert "kept in Postgres (myrasa-postgresql)" in notes("rasa", **official_values("rasa"))
    store = {"applicationSettings": {"endpoints": {"trackerStore": {"type": "sql", "url": "${DB_HOST}"}}}}
    assert "in place of the Postgres that the official chart's tracker store means" in notes("rasa", **store)
    lost = {"postgresql": {"install": True, "persistence": {"enabled": False}}}
    assert "lost when its pod goes" in notes("rasa", **lost)
    assert "Postgres" not in notes("rasa")
    forgetful = {
        "redis": {"install": False},
        "postgresql": {"install": False},
        "applicationSettings": {"modelInImage": True},
    }
    assert "WARNING: each pod keeps conversations in its own memory" in notes("rasa", replicaCount=2, **forgetful)
    assert "WARNING" not in notes("rasa", replicaCount=1, **forgetful)


def test_a_partly_given_official_tracker_store_means_postgres_too(render: Render) -> None:
    store = {"applicationSettings": {"endpoints": {"trackerStore": {"type": "sql", "db": "mine"}}}}
    assert at(render("rasa", **store), "endpoints/tracker_store/type") == "redis"
    external = render("rasa", **store, postgresql={"external": {"enabled": True, "host": "pg"}})
    assert at(external, "endpoints/tracker_store") == {
        "type": "sql", "dialect": "postgresql", "url": "${DB_HOST}", "port": "${DB_PORT}", "username": "${DB_USER}",
        "password": "${DB_PASSWORD}", "db": "mine", "login_db": "${DB_DATABASE}",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("endpoint", "there"),
    [("lockStore", "a Redis"), ("eventBroker", "a RabbitMQ")],
)
def test_an_endpoint_without_its_server_is_refused(render: Render, endpoint: str, there: str) -> None:
    none = {"redis": {"install": False}, "applicationSettings": {"endpoints": {endpoint: {"enabled": True}}}}
    with pytest.raises(CommandError, match=f"{endpoint} needs {there}"):
        render("rasa", **none, postgresql={"install": False})


def test_all_refusals_come_at_once(render: Render) -> None:
    with pytest.raises(CommandError) as caught:
        render("rasa", rabbitmq={"install": True}, duckling={"install": True})
    assert "rabbitmq.install" in caught.value.stderr
    assert "duckling.install" in caught.value.stderr


def test_limits_of_the_users_own_are_never_mixed_with_our_requests(render: Render) -> None:
    small = {"limits": {"memory": "100Mi"}}
    for chart in VERSIONS:
        assert at(render(chart, resources=small), "container/resources") == small


def test_arguments_that_name_the_official_variables_get_them(render: Render) -> None:
    args = ["run", "--auth-token", "$(RASA_TOKEN)"]
    assert at(render("rasa", args=args), "env/RASA_TOKEN") == {"secretKeyRef": {"name": "myrasa", "key": "rasa-token"}}
    assert "RASA_TOKEN" not in env(pod(render("rasa"))["containers"][0])


@pytest.mark.parametrize(("name", "mount"), [("models", "/app/models"), ("tmp", "/tmp")])
def test_a_volume_of_the_users_takes_the_place_of_ours(render: Render, name: str, mount: str) -> None:
    claim = {"name": name, "persistentVolumeClaim": {"claimName": "mine"}}
    spec = pod(render("rasa", volumes=[claim], volumeMounts=[{"name": name, "mountPath": mount}]))
    assert [v for v in spec["volumes"] if v["name"] == name] == [claim]
    assert [m["name"] for m in spec["containers"][0]["volumeMounts"] if m["mountPath"] == mount] == [name]


@pytest.mark.parametrize("chart", VERSIONS)
def test_a_release_of_the_official_chart_cannot_lend_its_values(render_with_defaults: Render, chart: str) -> None:
    with pytest.raises(CommandError, match="--reset-then-reuse-values"):
        render_with_defaults(chart, official_values(chart))


def test_an_install_without_a_model_is_warned_of(notes) -> None:
    assert "no model is named" in notes("rasa")
    for app in (
        {"initialModel": "https://models.example/m.tar.gz"},
        {"initialModelImage": {"repository": "r.example/m", "tag": "1", "path": "/m.tar.gz"}},
        {"modelInImage": True},
        {"endpoints": {"models": {"enabled": True, "url": "https://models.example", "token": "t"}}},
    ):
        assert "no model is named" not in notes("rasa", applicationSettings=app), app
    mount = {"volumes": [{"name": "m", "emptyDir": {}}], "volumeMounts": [{"name": "m", "mountPath": "/app/models"}]}
    assert "no model is named" not in notes("rasa", **mount)
