"""What an operator asks of any chart: it fits a restricted namespace, keeps its secrets, survives drains."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import kubernetes_validate
import pytest
from chart_objects import Objects, Render, at, container, env, pod, with_key
from pod_security import containers, violations

from botyard.reference.charts import VERSIONS, official_values

NAMES = {"rasa": "myrasa", "rasa-action-server": "rasa-action-server"}
MODEL = "http://depot:8080/m.tar.gz"
every_chart = pytest.mark.parametrize("chart", VERSIONS)
EVERYTHING: dict[str, Any] = {
    "replicaCount": 3,
    "applicationSettings": {"initialModel": MODEL},
    "ingress": {"enabled": True},
    "networkPolicy": {"enabled": True, "denyAll": True},
    "redis": {"persistence": {"enabled": True}},
    "postgresql": {"external": {"enabled": True, "host": "pg"}},
    "rabbitmq": {"external": {"enabled": True, "host": "mq"}},
    "autoscaling": {"enabled": True, "minReplicas": 2},
}


def variants(chart: str) -> Iterator[dict[str, Any]]:
    yield {}
    yield official_values(chart)
    yield EVERYTHING
    if chart == "rasa":
        yield {**EVERYTHING, "postgresql": {"install": True}}


def pods(objects: Objects) -> list[dict[str, Any]]:
    alone = [o["spec"] for (kind, _), o in objects.items() if kind == "Pod"]
    return alone + [o["spec"]["template"]["spec"] for o in objects.values() if "template" in o.get("spec", {})]


@every_chart
def test_all_pods_fit_pod_security_restricted(render: Render, chart: str) -> None:
    for values in variants(chart):
        for spec in pods(render(chart, **values)):
            assert violations(spec) == []
            assert spec["automountServiceAccountToken"] is False
            for one in containers(spec):
                assert one["securityContext"]["readOnlyRootFilesystem"] is True, one["name"]
                assert {"cpu", "memory"} <= set(one["resources"]["requests"]), one["name"]
                assert "memory" in one["resources"]["limits"], one["name"]


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("hostNetwork", True, "hostNetwork"),
        ("securityContext", {}, "may run as root"),
        ("securityContext.runAsUser", 0, "runs as root"),
        ("securityContext.seccompProfile", {"type": "Unconfined"}, "seccomp is off"),
        ("securityContext.sysctls", [{"name": "kernel.msgmax"}], "sysctl"),
        ("volumes", [{"name": "v", "hostPath": {"path": "/"}}], "hostPath"),
        ("containers.0.securityContext", None, "keeps capabilities"),
        ("containers.0.securityContext.privileged", True, "privileged"),
        ("containers.0.securityContext.allowPrivilegeEscalation", True, "escalate"),
        ("containers.0.securityContext.capabilities", {"drop": ["ALL"], "add": ["SYS_TIME"]}, "adds capabilities"),
        ("containers.0.securityContext.runAsNonRoot", False, "may run as root"),
        ("containers.0.ports", [{"hostPort": 80}], "port of the node"),
    ],
)
def test_the_rules_find_what_is_against_them(render: Render, place: str, value: Any, told: str) -> None:
    spec = copy.deepcopy(pod(render("rasa")))
    if place.startswith("containers.0."):
        spec["containers"][0] = with_key(spec["containers"][0], place.removeprefix("containers.0."), value)
    else:
        spec = with_key(spec, place, value)
    assert any(told in why for why in violations(spec))


def test_secrets_are_in_secrets_alone(render: Render) -> None:
    marks = ["Mark-Token", "Mark-Jwt", "Mark-Redis", "Mark-Models"]
    endpoints = {"models": {"enabled": True, "url": "http://m", "token": marks[3]}}
    app = {"token": marks[0], "rasaX": {"jwtSecret": marks[1]}, "endpoints": endpoints}
    objects = render("rasa", applicationSettings=app, redis={"auth": {"password": marks[2]}}, nginx={"enabled": True})
    data = objects["Secret", "myrasa"]["data"]
    assert sorted(base64.b64decode(value).decode() for value in data.values()) == sorted(marks)
    for (kind, name), body in objects.items():
        text = json.dumps(body)
        found = [m for m in marks if m in text or base64.b64encode(m.encode()).decode() in text]
        assert kind == "Secret" or not found, f"{kind}/{name} shows {found}"


def test_an_existing_secret_serves_every_purpose(render: Render) -> None:
    app = {"endpoints": {"models": {"enabled": True, "url": "http://m", "token": "set"}}}
    objects = render("rasa", existingSecret="mine", applicationSettings=app)
    assert not [name for kind, name in objects if kind == "Secret"]
    for variable in ("REDIS_PASSWORD", "MODEL_SERVER_TOKEN"):
        assert env(container(objects))[variable]["secretKeyRef"]["name"] == "mine"


def test_redis_and_rasa_take_one_password_from_a_secret_of_its_own(render: Render) -> None:
    objects = render("rasa", redis={"existingSecret": "r", "existingSecretPasswordKey": "p"})
    assert at(objects, "env/REDIS_PASSWORD") == {"secretKeyRef": {"name": "r", "key": "p"}}
    volumes = at(objects, "Deployment/myrasa-redis/spec/template/spec/volumes")
    (secret,) = [v["secret"] for v in volumes if "secret" in v]
    assert (secret["secretName"], secret["items"]) == ("r", [{"key": "p", "path": "redis-password"}])


def test_helm_test_talks_only_where_rest_is_on_and_is_no_part_of_the_service(render: Render) -> None:
    rest = {"applicationSettings": {"credentials": {"additionalChannelCredentials": {"rest": {}}}}}
    said = [at(render("rasa", **v), "Pod/myrasa-test/spec/containers/0/env/1/value") for v in ({}, rest)]
    assert said == ["", "hello"]
    own = at(render("rasa", **rest, test={"message": "你好"}), "Pod/myrasa-test/spec/containers/0/env/1/value")
    assert own == "你好"
    tester = render("rasa")["Pod", "myrasa-test"]["metadata"]
    assert tester["annotations"]["helm.sh/hook"] == "test"
    for place in ("Service/myrasa/spec/selector", "Deployment/myrasa/spec/selector/matchLabels"):
        assert not set(at(render("rasa"), place).items()) <= set(tester["labels"].items())


@every_chart
@pytest.mark.parametrize("version", ["1.32", "1.33", "1.34", "1.35", "1.36", "1.37"])
def test_every_kubernetes_takes_all_objects(render: Render, chart: str, version: str) -> None:
    for values in variants(chart):
        for body in render(chart, **values).values():
            assert kubernetes_validate.validate(body, version, strict=True) == version


def test_a_wrong_object_is_not_taken(render: Render) -> None:
    service = with_key(render("rasa")["Service", "myrasa"], "spec.portz", 1)
    with pytest.raises(kubernetes_validate.ValidationError, match="portz"):
        kubernetes_validate.validate(service, "1.34", strict=True)


def test_an_older_kubernetes_is_not_asked_for_what_it_does_not_know(render_for: Callable[..., Objects]) -> None:
    assert "unhealthyPodEvictionPolicy" not in at(
        render_for("1.26.0", "rasa", replicaCount=2), "PodDisruptionBudget/myrasa/spec"
    )


@every_chart
@pytest.mark.parametrize(
    ("values", "there"),
    [
        ({"replicaCount": 1}, False),
        ({"replicaCount": 2}, True),
        ({"replicaCount": 1, "autoscaling": {"enabled": True, "minReplicas": 2}}, True),
        ({"replicaCount": 5, "autoscaling": {"enabled": True, "minReplicas": 1}}, False),
        ({"replicaCount": 2, "podDisruptionBudget": {"enabled": False}}, False),
        ({"replicaCount": 1, "podDisruptionBudget": {"enabled": True}}, True),
    ],
)
def test_a_disruption_budget_is_there_where_pods_are_several(
    render: Render, chart: str, values: dict[str, Any], there: bool
) -> None:
    budget = render(chart, **values).get(("PodDisruptionBudget", NAMES[chart]))
    assert (budget is not None) is there
    if budget:
        assert budget["spec"]["maxUnavailable"] == 1, "a drain takes one pod at a time, whatever their number"
        assert "minAvailable" not in budget["spec"]
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        assert budget["spec"]["selector"] == at(render(chart, **values), f"Deployment/{NAMES[chart]}/spec/selector")


@every_chart
def test_a_spread_without_a_selector_counts_the_pods_of_this_version(render: Render, chart: str) -> None:
    zone = {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}
    own = {**zone, "labelSelector": {"matchLabels": {"a": "b"}}}
    objects = render(chart, topologySpreadConstraints=[zone, own], podLabels={"app": "x"})
    spread, given = pod(objects)["topologySpreadConstraints"]
    assert given == own
    assert spread["labelSelector"] == at(objects, f"Deployment/{NAMES[chart]}/spec/selector")
    assert spread["matchLabelKeys"] == ["pod-template-hash"]


@every_chart
def test_a_silent_pod_leaves_the_service_before_it_is_started_again(render: Render, chart: str) -> None:
    one = container(render(chart))

    def tolerated_s(probe: str) -> int:
        return int(one[probe]["periodSeconds"] * one[probe]["failureThreshold"])

    assert tolerated_s("readinessProbe") < tolerated_s("livenessProbe")
    assert one["startupProbe"]["periodSeconds"] == 1, "a new pod serves as soon as it can"


@every_chart
def test_telemetry_is_off_unless_it_is_asked_for(render: Render, chart: str) -> None:
    assert at(render(chart), "env/RASA_TELEMETRY_ENABLED") == "false"
    assert (
        at(render(chart, applicationSettings={"telemetry": {"enabled": True}}), "env/RASA_TELEMETRY_ENABLED") == "true"
    )


def test_policies_let_through_what_rasa_needs_and_no_more(render: Render) -> None:
    values = {
        "applicationSettings": {"initialModel": MODEL},
        "networkPolicy": {"enabled": True, "from": [{"podSelector": {}}], "extraEgress": [{"ports": [{"port": 9}]}]},
        "rasa-action-server": {"external": {"enabled": True, "url": "http://actions:8090/webhook"}},
    }
    objects = render("rasa", **values)
    rasa = objects["NetworkPolicy", "myrasa"]["spec"]
    assert rasa["policyTypes"] == ["Ingress", "Egress"]
    assert rasa["podSelector"]["matchLabels"] == at(objects, "Deployment/myrasa/spec/selector/matchLabels")
    assert rasa["ingress"] == [{"ports": [{"port": "http"}], "from": [{"podSelector": {}}]}]
    names, web, redis, actions, more = rasa["egress"]
    assert {(p["protocol"], p["port"]) for p in names["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert [p["port"] for p in web["ports"]] == [80, 443, 8080, 8090], "the web, the model's port, the action server's"
    assert redis["to"][0]["podSelector"]["matchLabels"] == at(
        objects, "Deployment/myrasa-redis/spec/selector/matchLabels"
    )
    assert actions["to"][0]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "rasa-action-server"}
    assert more == {"ports": [{"port": 9}]}
    kept = objects["NetworkPolicy", "myrasa-redis"]["spec"]
    assert kept["ingress"][0]["from"] == [{"podSelector": rasa["podSelector"]}]
    assert kept["policyTypes"] == ["Ingress", "Egress"] and "egress" not in kept, "Redis calls nobody"


def test_external_services_have_their_ports_opened(render: Render) -> None:
    rules = at(render("rasa", **EVERYTHING), "NetworkPolicy/myrasa/spec/egress")
    assert {5432, 5672, 8080} <= {p["port"] for p in rules[1]["ports"]}


def test_deny_all_leaves_names_and_calls_of_actions(render: Render) -> None:
    action = {"rasa-action-server": {"external": {"enabled": True, "url": "http://a"}}}
    objects = render("rasa", networkPolicy={"enabled": True, "denyAll": True}, **action)
    everyone = objects["NetworkPolicy", "myrasa-deny-all"]["spec"]
    assert everyone["podSelector"] == {} and "ingress" not in everyone
    assert [{p["port"] for p in rule["ports"]} for rule in everyone["egress"]] == [{53}]
    assert at(objects, "NetworkPolicy/myrasa-action-server/spec/ingress/0/from/0/podSelector/matchLabels") == at(
        objects, "Deployment/myrasa/spec/selector/matchLabels"
    )


def test_action_servers_have_a_policy_of_their_own(render: Render) -> None:
    spec = at(render("rasa-action-server", networkPolicy={"enabled": True}), "NetworkPolicy/rasa-action-server/spec")
    assert spec["ingress"] == [{"ports": [{"port": "http"}]}]
    assert [p["port"] for p in spec["egress"][1]["ports"]] == [80, 443]
