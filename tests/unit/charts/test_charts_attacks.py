"""Odd values are taken whole or refused by the name of their key: nothing in a value becomes a key of its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chart_objects import Render, at, container, with_key

from botyard import yaml11
from botyard.contracts import CommandError
from botyard.reference.charts import VERSIONS

ROOT = Path(__file__).parents[3]
every_chart = pytest.mark.parametrize("chart", VERSIONS)
ALL_ON: dict[str, Any] = {
    "replicaCount": 2,
    "service": {"type": "LoadBalancer"},
    "ingress": {"enabled": True},
    "networkPolicy": {"enabled": True, "denyAll": True},
    "redis": {"persistence": {"enabled": True}},
    "postgresql": {"external": {"enabled": True, "host": "pg"}},
    "rabbitmq": {"external": {"enabled": True, "host": "mq"}},
    "rasa-action-server": {"external": {"enabled": True, "url": "http://actions/webhook"}},
}
NEEDED = [
    "applicationSettings", "applicationSettings.port", "applicationSettings.telemetry", "image", "serviceAccount",
    "service", "service.port", "autoscaling", "podDisruptionBudget", "strategy", "terminationGracePeriodSeconds",
    "livenessProbe.httpGet.port",
]  # fmt: skip
NOT_GIVEN = [
    "applicationSettings.endpoints.lockStore", "applicationSettings.endpoints.eventBroker",
    "applicationSettings.endpoints.models", "applicationSettings.credentials.enabled",
    "applicationSettings.telemetry.enabled", "rasa-action-server.external", "redis.external",
    "redis.persistence.enabled",
]  # fmt: skip


def texts(values: dict[str, Any], *parents: str) -> Iterator[str]:
    """The keys of a values file that hold text, or nothing."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from texts(value, *parents, key)
        elif isinstance(value, str | None):
            yield ".".join([*parents, key])


def keys_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from keys_in(part)


def defaults(chart: str) -> dict[str, Any]:
    return dict(yaml11.load((ROOT / "charts" / chart / "values.yaml").read_text()))


def refusal(render: Render, chart: str, **values: Any) -> str:
    with pytest.raises(CommandError) as caught:
        render(chart, **values)
    return caught.value.stderr


@every_chart
def test_a_null_where_a_value_is_needed_is_named(render: Render, chart: str) -> None:
    values: dict[str, Any] = {}
    for key in NEEDED:
        if not any(key.startswith(f"{other}.") for other in NEEDED):
            values = with_key(values, key, None)
    told = refusal(render, chart, **values)
    for key in values:
        assert key in told.partition("no value for")[2].partition(":")[0], key
    assert "no value for service.port:" in refusal(render, chart, service={"port": None})


def test_a_null_where_nothing_is_needed_means_not_given(render: Render) -> None:
    values: dict[str, Any] = {}
    for key in NOT_GIVEN:
        values = with_key(values, key, None)
    objects = render("rasa", **values)
    assert at(objects, "env/RASA_TELEMETRY_ENABLED") == "false"
    assert at(objects, "endpoints/tracker_store/type") == "redis"


@every_chart
def test_no_value_becomes_a_key(render: Render, chart: str) -> None:
    """All texts that no schema and no check refuses, at once."""
    value = "x\ninjected: true\n            injected: true"
    values, refused = ALL_ON, []
    for key in texts(defaults(chart)):
        try:
            render(chart, **with_key(ALL_ON, key, value))
        except CommandError as error:
            assert "schema" in error.stderr or "cannot be met" in error.stderr, f"{key}: {error.stderr}"
            refused.append(key)
        else:
            values = with_key(values, key, value)
    assert "nameOverride" in refused and "fullnameOverride" in refused
    assert "injected" not in set(keys_in(list(render(chart, **values).values())))


@every_chart
@pytest.mark.parametrize("name", ["123", "true", "0x1f"])
def test_a_name_like_a_number_is_text_in_the_labels(render: Render, chart: str, name: str) -> None:
    objects = render(chart, nameOverride=name, **ALL_ON)
    for (kind, _), body in objects.items():
        for label, value in body["metadata"]["labels"].items():
            assert isinstance(value, str), f"{kind}: {label}"


@every_chart
@pytest.mark.parametrize("name", ["123", "My_Bot", "my bot"])
def test_a_name_that_no_service_can_have_is_refused(render: Render, chart: str, name: str) -> None:
    assert f'no Service named "{name}"' in refusal(render, chart, fullnameOverride=name)


def test_a_long_name_fits_where_kubernetes_wants_63_letters(render: Render) -> None:
    objects = render("rasa", fullnameOverride="b" * 63, nameOverride="c" * 63)
    services = [name for kind, name in objects if kind == "Service"]
    assert sorted(map(len, services)) == [63, 63]
    assert len(set(services)) == 2
    for body in objects.values():
        assert all(len(value) <= 63 for value in body["metadata"]["labels"].values())
    assert at(objects, "env/REDIS_HOST") in services


@pytest.mark.parametrize(
    "url",
    [
        "http://depot/my model.tar.gz", "http://depot/模型.tar.gz", "http://depot", "http://depot/models/",
        "http://depot/%2e%2e", "http://depot?x=/m.tar.gz", "http://depot:x/m.tar.gz", "http://depot/a%zz.tar.gz",
        "http://depot/a%0Ab.tar.gz", "http://depot/m.tar.gz\nx: y", f"http://depot/{'m' * 300}",
    ],
)  # fmt: skip
def test_a_model_that_no_pod_could_fetch_is_refused(render: Render, url: str) -> None:
    told = refusal(render, "rasa", applicationSettings={"initialModel": url}, networkPolicy={"enabled": True})
    assert "- applicationSettings.initialModel " in told


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://depot/m.tar.gz?sig=a%2Fb&x=/y.tar.gz#part", "m.tar.gz"),
        ("https://me:secret@[::1]:8443/a/x:%20y%23.tar.gz", "x: y#.tar.gz"),
        ("http://depot/true", "true"),
    ],
)
def test_a_model_is_named_by_the_last_part_of_its_path(render: Render, url: str, name: str) -> None:
    objects = render("rasa", applicationSettings={"initialModel": url}, networkPolicy={"enabled": True})
    told = at(objects, "pod/initContainers/0/env/0")
    if "valueFrom" in told:  # as good as a password
        kept = at(objects, "Secret/myrasa-model/data")[told["valueFrom"]["secretKeyRef"]["key"]]
        told = {"value": base64.b64decode(kept).decode()}
    assert told["value"] == url
    args = container(objects)["args"]
    assert args[args.index("--model") + 1] == f"/app/models/{name}"
    ports = [port["port"] for port in at(objects, "NetworkPolicy/myrasa/spec/egress/1/ports")]
    assert ports == ([80, 443, 8443] if "8443" in url else [80, 443])


def test_an_address_without_a_scheme_is_refused(render: Render) -> None:
    actions = {"rasa-action-server": {"external": {"enabled": True, "url": "actions:5055/webhook"}}}
    assert "rasa-action-server.external.url" in refusal(render, "rasa", **actions)
    own = {"rasa-action-server": {"external": {"enabled": True, "url": "${ACTIONS}"}}}
    assert at(render("rasa", **own), "endpoints/action_endpoint/url") == "${ACTIONS}", "Rasa expands it"


def test_a_checksum_that_looks_like_a_number_is_text(render: Render) -> None:
    """One configuration in about 700 has one, and Kubernetes takes no annotation that is a number."""
    objects = render("rasa")
    files = objects["ConfigMap", "myrasa"]["data"]
    text = "\n".join(files[name].removesuffix("\n") for name in ("credentials.yml", "endpoints.yml"))
    place = "Deployment/myrasa/spec/template/metadata/annotations/botyard~1config"

    def checksum(seconds: int) -> str:
        return hashlib.sha256(text.replace("2592000", str(seconds)).encode()).hexdigest()[:16]

    assert at(objects, place) == checksum(2592000)
    seconds = next(n for n in range(1, 100000) if checksum(n).isdigit())
    assert at(render("rasa", redis={"recordExpirySeconds": seconds}), place) == checksum(seconds)


@every_chart
def test_whole_numbers_stay_whole(render: Render, chart: str) -> None:
    """Helm prints a large one as 1e+08."""
    app = {"applicationSettings": {"keepAliveSeconds": 10000000}} if chart == "rasa-action-server" else {}
    objects = render(chart, terminationGracePeriodSeconds=100000000, preStopSeconds=10000000, **app)
    assert at(objects, "pod/terminationGracePeriodSeconds") == 100000000
    assert at(objects, "container/lifecycle/preStop/exec/command/1") == "10000000"
    assert at(objects, "env/SANIC_KEEP_ALIVE_TIMEOUT") in (None, "10000000")


@every_chart
def test_a_budget_that_is_off_may_say_anything_and_one_without_a_number_takes_one_pod(
    render: Render, chart: str
) -> None:
    assert render(chart, podDisruptionBudget={"enabled": False, "maxUnavailable": 0})
    given = render(chart, podDisruptionBudget={"enabled": True, "maxUnavailable": None})
    (budget,) = [body for (kind, _), body in given.items() if kind == "PodDisruptionBudget"]
    assert budget["spec"]["maxUnavailable"] == 1


@every_chart
@pytest.mark.parametrize(
    "image", [{"tag": ""}, {"tag": None}, {"repository": "mine/bot:1"}, {"tag": "a b"}, {"tag": 20240101123456}]
)
def test_an_image_that_cannot_be_is_refused(render: Render, chart: str, image: dict[str, Any]) -> None:
    assert "- image: " in refusal(render, chart, image=image)


@every_chart
def test_an_image_may_have_no_registry(render: Render, chart: str) -> None:
    assert at(render(chart, registry="", image={"name": "bot", "tag": "1"}), "container/image") == "bot:1"
    own = {"repository": "localhost:5001/a_b/bot", "tag": "1.0_x"}
    assert at(render(chart, registry=None, image=own), "container/image") == "localhost:5001/a_b/bot:1.0_x"


def test_the_image_of_redis_is_looked_at_too(render: Render) -> None:
    assert "- redis.image: " in refusal(render, "rasa", redis={"image": {"tag": ""}})


@every_chart
def test_variables_of_the_users_take_the_place_of_ours(render: Render, chart: str) -> None:
    """Twice the same name is no list that Kubernetes applies."""
    mine = [
        {"name": "HOME", "value": "/home/me"},
        {"name": "POD_NAME", "value": "me"},
        {"name": "A", "value": "$(HOME)"},
    ]
    variables = container(render(chart, extraEnv=mine))["env"]
    names = [variable["name"] for variable in variables]
    assert len(names) == len(set(names))
    assert variables[-3:] == mine
    assert "RASA_TELEMETRY_ENABLED" in names


@every_chart
@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"extraEnv": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}, "extraEnv: A is there twice"),
        ({"volumes": [{"name": "v", "emptyDir": {}}] * 2}, "volumes: v is there twice"),
        ({"volumeMounts": [{"name": "v", "mountPath": "/v"}]}, "volumeMounts: there is no volume v"),
        ({"initContainers": [{"name": "x"}], "extraContainers": [{"name": "x"}]}, "extraContainers: x is there twice"),
        ({"podLabels": {"app.kubernetes.io/name": "x"}}, "podLabels: app.kubernetes.io/name is set by the chart"),
        ({"deploymentLabels": {"helm.sh/chart": "x"}}, "deploymentLabels: helm.sh/chart is set by the chart"),
        ({"ingress": {"labels": {"helm.sh/chart": "x"}}}, "ingress.labels: helm.sh/chart is set by the chart"),
    ],
)
def test_a_name_that_is_taken_is_refused(render: Render, chart: str, values: dict[str, Any], told: str) -> None:
    assert told in refusal(render, chart, **values)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"volumes": [{"name": "secrets", "emptyDir": {}}]}, "volumes: secrets is there twice, or is a name of"),
        ({"extraContainers": [{"name": "rasa-oss"}]}, "extraContainers: rasa-oss is there twice, or is a name of"),
        ({"initContainers": [{"name": "copy-model"}]}, "extraContainers: copy-model is there twice, or is a name of"),
        ({"volumeMounts": [{"name": "tmp", "mountPath": "/run/botyard"}]}, "volumeMounts: /run/botyard is there"),
        ({"volumeMounts": [{"name": "tmp", "mountPath": "/run//botyard/"}]}, "volumeMounts: /run/botyard is there"),
        ({"podAnnotations": {"botyard/config": "x"}}, "podAnnotations: botyard/config is set by the chart"),
    ],
)
def test_names_of_the_chart_rasa_are_taken(render: Render, values: dict[str, Any], told: str) -> None:
    assert told in refusal(render, "rasa", **values)


@pytest.mark.parametrize("place", ["/tmp", "/app/models"])
def test_a_place_of_ones_own_may_end_in_a_slash(render: Render, place: str) -> None:
    mount = {"name": "mine", "mountPath": f"{place}/"}
    mounts = container(render("rasa", volumes=[{"name": "mine", "emptyDir": {}}], volumeMounts=[mount]))["volumeMounts"]
    assert [one["name"] for one in mounts if one["mountPath"].rstrip("/") == place] == ["mine"]


@pytest.mark.parametrize("secret", ["two words", 'a"b', "a'b", "a\nb"])
@pytest.mark.parametrize("key", ["redis.auth.password", "global.redis.password"])
def test_a_password_that_redis_cannot_read_is_refused(render: Render, key: str, secret: str) -> None:
    told = refusal(render, "rasa", **with_key({}, key, secret))
    assert f"- {key}: " in told and secret not in told
    assert render("rasa", existingSecret="mine", **with_key({}, key, secret)), "it is not read then"
    assert render("rasa", **with_key({}, key, "p@ss-$w0rd:/#%&{}模"))


@pytest.mark.parametrize("secret", ["a\"b'c $x {{ .y }}", "- x: y\nz: w", "模型"])
def test_tokens_are_kept_letter_by_letter(render: Render, secret: str) -> None:
    objects = render("rasa", applicationSettings={"token": secret, "rasaX": {"jwtSecret": secret}})
    data = objects["Secret", "myrasa"]["data"]
    assert [base64.b64decode(data[key]).decode() for key in ("rasa-token", "jwt-secret")] == [secret, secret]
