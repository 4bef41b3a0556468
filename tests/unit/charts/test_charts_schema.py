"""values.schema.json: takes what Kubernetes and the official charts take, and names the key of what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chart_objects import Render, with_key

from botyard import yaml11
from botyard.contracts import CommandError
from botyard.reference.charts import VERSIONS, official

ROOT = Path(__file__).parents[3]
every_chart = pytest.mark.parametrize("chart", VERSIONS)
TAKEN = [
    ("service.nodePort", "30500"),
    ("service.nodePort", 30500),
    ("strategy.rollingUpdate.maxSurge", "25%"),
    ("strategy.rollingUpdate.maxSurge", 2),
    ("strategy.rollingUpdate.maxSurge", "150%"),
    ("strategy.rollingUpdate.maxUnavailable", "100%"),
    ("podLabels", {"shop.example/team": "Bots_1", "empty": ""}),
    ("podAnnotations", {"Shop.example/who": "Anna & Bob"}),
    ("serviceAccount.name", "bots.shop"),
    ("existingSecret", ""),
    ("redis.persistence.size", "1.5Gi"),
    ("redis.persistence.size", 1e9),
    ("redis.master.service.port", 6380),
    ("service.loadBalancerIP", "fd00::1"),
    ("ingress.className", "nginx"),
    ("podDisruptionBudget.maxUnavailable", "50%"),
    ("replicaCount", 0),
    ("image.tag", 3.6),
    ("resources", {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"cpu": "500m"}}),
    ("readinessProbe.httpGet.port", 5005),
    ("ingress.extraPaths", {}),
    ("ingress.hostname", "*.bot.example"),
    ("podSecurityContext.runAsUser", 1000660000),
    ("terminationGracePeriodSeconds", 100000000),
]
REFUSED = [
    ("replicaCount", "two"),
    ("replicaCount", -1),
    ("replicaCount", 1.5),
    ("replicaCount", 1001),
    ("autoscaling.minReplicas", 0),
    ("autoscaling.enabled", "true"),
    ("service.type", "Loadbalancer"),
    ("service.port", 70000),
    ("service.nodePort", "high"),
    ("service.annotations", {"a": True}),
    ("strategy.rollingUpdate.maxSurge", "a quarter"),
    ("image.pullPolicy", "always"),
    ("image.pullSecrets", ["name"]),
    ("image.digest", "latest"),
    ("podLabels", {"version": 2}),
    ("extraEnv", [{"name": "N", "value": 1}]),
    ("args", [1]),
    ("resources", {"limits": ["2Gi"]}),
    ("ingress.hostname", ["a"]),
    ("ingress.pathType", "prefix"),
    ("terminationGracePeriodSeconds", "1m"),
    ("readinessProbe.periodSeconds", 0),
    ("livenessProbe.successThreshold", 2),
    ("podDisruptionBudget.enabled", "auto"),
    ("applicationSettings.initialModel", "models/m.tar.gz"),
    ("applicationSettings.initialModelSha256", "cd34"),
    ("applicationSettings.endpoints.lockStore.enabled", "yes"),
    ("applicationSettings.credentials.additionalChannelCredentials", ["rest"]),
    ("rasa-action-server.external.url", {"host": "a"}),
    ("redis.external.port", "6379"),
    ("redis.recordExpirySeconds", 0),
    ("service.nodePort", "030500"),
    ("strategy.rollingUpdate.maxUnavailable", "1"),
    ("strategy.rollingUpdate.maxUnavailable", "150%"),
    ("strategy.rollingUpdate.maxSurge", "1"),
    ("podDisruptionBudget.maxUnavailable", "101%"),
    ("podLabels", {"team": "two words"}),
    ("podLabels", {"-team": "a"}),
    ("podLabels", {"team": "a" * 64}),
    ("podAnnotations", {"two words": "a"}),
    ("serviceAccount.name", "Bots"),
    ("existingSecret", "my_secret"),
    ("ingress.className", "Nginx!"),
    ("ingress.tls", [{"secretName": "A B"}]),
    ("image.pullSecrets", [{"name": "a_b"}]),
    ("redis.master.service", 6379),
    ("rabbitmq.service", "mq"),
    ("redis.persistence.size", "lots"),
    ("redis.persistence.size", "0Gi"),
    ("redis.persistence.storageClass", "Fast SSD"),
    ("service.externalIPs", ["gateway"]),
    ("service.loadBalancerIP", "my-ip"),
    ("extraContainers", [{"name": "Two Words"}]),
    ("extraEnv", [{"name": "A=B", "value": ""}]),
    ("volumeMounts", [{"name": "tmp", "mountPath": "/a:b"}]),
    ("ingress.path", "bot"),
    ("ingress.hostname", "https://bot.example/"),
    ("ingress.extraPaths", [{"path": "/", "backend": "web"}]),
    ("hostAliases", [{"hostnames": ["db"]}]),
    ("topologySpreadConstraints", [{"topologyKey": "zone"}]),
    ("podSecurityContext.runAsUser", "1001"),
    ("securityContext.readOnlyRootFilesystem", "true"),
    ("resources", {"limits": {"memory": "512MB"}}),
    ("resources", {"limits": {"memory": None}}),
]


def schema(chart: str) -> dict[str, Any]:
    return dict(json.loads((ROOT / "charts" / chart / "values.schema.json").read_text()))


def test_both_charts_say_the_same_of_what_both_have() -> None:
    """So what is shown below for the one is so for the other."""
    rasa, actions = (schema(chart) for chart in VERSIONS)
    assert {key for key in actions["properties"] if key not in rasa["properties"]} == set()
    for part in ("properties", "definitions"):
        for key, told in actions[part].items():
            assert key == "applicationSettings" or told == rasa[part][key], key


def test_what_kubernetes_takes_is_taken(render: Render) -> None:
    for given in (dict(TAKEN), dict(reversed(TAKEN))):  # the last and the first value of each key
        values: dict[str, Any] = {}
        for key, value in given.items():
            values = with_key(values, key, value)
        assert render("rasa", **values)


def test_what_is_refused_is_named_all_of_it_at_once(render: Render) -> None:
    left = REFUSED
    while left:
        one_each = dict(reversed(left))  # the first value of each key
        values: dict[str, Any] = {}
        for key, value in one_each.items():
            values = with_key(values, key, value)
        with pytest.raises(CommandError) as caught:
            render("rasa", **values)
        missing = [key for key in one_each if not re.search(rf"'/{key.replace('.', '/')}['/]", caught.value.stderr)]
        assert missing == []
        left = [(key, value) for key, value in left if one_each.get(key) is not value]


def test_a_part_that_is_a_text_is_refused(render: Render) -> None:
    with pytest.raises(CommandError, match="'/redis/master': got string"):
        render("rasa", redis={"master": "redis.example"})


def test_the_action_server_has_its_schema_too(render: Render) -> None:
    with pytest.raises(CommandError, match="'/applicationSettings/keepAliveSeconds'"):
        render("rasa-action-server", applicationSettings={"keepAliveSeconds": "75s"})


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 2}}, "minReplicas (5) is more than"),
        ({"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}}, "no pod could ever be replaced"),
        ({"podDisruptionBudget": {"maxUnavailable": 0}}, "would block every drain"),
        ({"podDisruptionBudget": {"maxUnavailable": "00%"}}, "would block every drain"),
        ({"preStopSeconds": 90}, "preStopSeconds is more than terminationGracePeriodSeconds"),
    ],
)
@every_chart
def test_numbers_that_cannot_go_together_are_refused(render: Render, chart: str, values: Any, told: str) -> None:
    with pytest.raises(CommandError) as caught:
        render(chart, **values)
    assert told in caught.value.stderr


@every_chart
def test_unknown_keys_pass_at_every_level(render: Render, chart: str) -> None:
    values: dict[str, Any] = {"unknown": [1]}
    for key in official(chart):
        parents = key.split(".")[:-1]
        for depth in range(1, len(parents) + 1):
            values = with_key(values, ".".join([*parents[:depth], "unknown"]), [1])
    assert render(chart, **values)


@every_chart
def test_every_value_of_ours_has_a_type(chart: str) -> None:
    whole = schema(chart)

    def untyped(values: Any, told: dict[str, Any], path: str) -> Iterator[str]:
        told = whole["definitions"][told["$ref"].rpartition("/")[2]] if "$ref" in told else told
        for key, value in values.items():
            if key not in told.get("properties", {}):
                yield f"{path}{key}"
            elif isinstance(value, dict) and "properties" in told["properties"][key]:
                yield from untyped(value, told["properties"][key], f"{path}{key}.")

    assert list(untyped(yaml11.load((ROOT / "charts" / chart / "values.yaml").read_text()), whole, "")) == []
