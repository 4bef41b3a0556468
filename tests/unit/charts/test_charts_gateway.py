"""The gateway of the chart rasa: each key's effect, who leads where, and that nothing of it is there without it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from chart_objects import Objects, Render, at, container, env, with_key
from pod_security import containers, violations

from botyard import yaml11
from botyard.contracts import CommandError

HERE = Path(__file__).parent
ON: dict[str, Any] = {"gateway": {"enabled": True}}
GATEWAY = "Deployment/myrasa-gateway/spec/template"
DIGEST = f"sha256:{'b' * 64}"
EVERYTHING: dict[str, Any] = {
    "gateway": {
        "enabled": True, "rateLimit": {"requests": 20}, "podAnnotations": {"a": "b"}, "nodeSelector": {"c": "d"},
        "tolerations": [{"operator": "Exists"}],
    },
    "networkPolicy": {"enabled": True, "denyAll": True, "from": [{"podSelector": {}}]},
    "replicaCount": 3,
}  # fmt: skip


def config(objects: Objects) -> str:
    return str(objects["ConfigMap", "myrasa-gateway"]["data"]["haproxy.cfg"])


def section(text: str, head: str) -> str:
    """One section of HAProxy's configuration, without comments."""
    lines = re.split(r"\n(?=\S)", text)
    return next(part for part in lines if part.startswith(f"{head} from ") or part == head)


def with_gateway(key: str, value: Any) -> dict[str, Any]:
    return with_key(ON, f"gateway.{key}", value)


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("maxConnPerPod", 3, r"backend messages[^$]* maxconn 3 agent-check agent-port 5006 agent-inter 200ms\n"),
        ("maxQueue", 7, r"if message message_path !socketio \{ queue\(messages\) ge 7 \}\n"),
        ("queueTimeoutSeconds", 9, r"\n  timeout queue 9s\n"),
        ("serverTimeoutSeconds", 11, r"\n  timeout client 11s\n  timeout server 11s\n"),
        ("retryAfterSeconds", 13, r"return status 503 content-type application/json hdr Retry-After 13 "),
        ("retryAfterSeconds", 13, r"http-error status 503 content-type application/json hdr Retry-After 13 "),
        ("maxBodyBytes", 2000, r"return status 413 .* if \{ req\.hdr\(Content-Length\) -m int gt 2000 \} or "),
        ("maxBodyBytes", 2000, r"wait-for-body time 15s at-least 2001 if chunked\n"),
        ("rateLimit", {"requests": 20}, r"return status 429 .* hdr Retry-After 10 .* sc_http_req_rate\(0\) gt 20 \}"),
        ("rateLimit", {"requests": 20, "seconds": 3}, r"expire 3s store http_req_rate\(3s\)\n"),
        ("maxConnections", 99, r"\n  maxconn 99\n"),
        ("drainSeconds", 21, r"\n  hard-stop-after 21s\n"),
        ("metricsPort", 9100, r"frontend watch from common\n  bind :9100\n"),
        ("clusterDomain", "cluster.example", r" _http\._tcp\.myrasa-pods\.rasa\.svc\.cluster\.example resolvers "),
    ],
)
def test_a_key_is_in_the_configuration(render: Render, key: str, value: Any, line: str) -> None:
    assert re.search(line, config(render("rasa", **with_gateway(key, value))))
    assert not re.search(line, config(render("rasa", **ON))), "it is so without the key too"


@pytest.mark.parametrize(
    ("key", "value", "place", "expected"),
    [
        ("registry", "mirror/library", "spec/containers/0/image", "mirror/library/haproxy:2.6.21"),
        ("image.name", "h", "spec/containers/0/image", "docker.io/library/h:2.6.21"),
        ("image.tag", "2.8.1", "spec/containers/0/image", "docker.io/library/haproxy:2.8.1"),
        ("image.repository", "r/g", "spec/containers/0/image", "r/g:2.6.21"),
        ("image.digest", DIGEST, "spec/containers/0/image", f"docker.io/library/haproxy@{DIGEST}"),
        ("image.pullPolicy", "Never", "spec/containers/0/imagePullPolicy", "Never"),
        ("metricsPort", 9100, "spec/containers/0/ports/1/containerPort", 9100),
        ("preStopSeconds", 9, "spec/terminationGracePeriodSeconds", 74),
        ("drainSeconds", 10, "spec/terminationGracePeriodSeconds", 20),
        ("podAnnotations", {"prometheus.io/scrape": "true"}, "metadata/annotations/prometheus.io~1scrape", "true"),
        ("resources", {"limits": {"memory": "1Gi"}}, "spec/containers/0/resources/limits/memory", "1Gi"),
        ("nodeSelector", {"pool": "edge"}, "spec/nodeSelector", {"pool": "edge"}),
        ("tolerations", [{"key": "k"}], "spec/tolerations", [{"key": "k"}]),
        ("affinity", {"nodeAffinity": {}}, "spec/affinity", {"nodeAffinity": {}}),
    ],
)
def test_a_key_is_in_the_pods(render: Render, key: str, value: Any, place: str, expected: Any) -> None:
    assert at(render("rasa", **with_gateway(key, value)), f"{GATEWAY}/{place}") == expected
    assert at(render("rasa", **ON), f"{GATEWAY}/{place}") != expected


def test_replicas_and_their_disruption_budget(render: Render) -> None:
    for replicas, budget in ((1, False), (2, True), (3, True)):
        objects = render("rasa", **with_gateway("replicas", replicas))
        assert at(objects, "Deployment/myrasa-gateway/spec/replicas") == replicas
        assert (("PodDisruptionBudget", "myrasa-gateway") in objects) is budget
    selector = at(objects, "Deployment/myrasa-gateway/spec/selector")
    assert at(objects, "PodDisruptionBudget/myrasa-gateway/spec/selector") == selector
    assert at(objects, "PodDisruptionBudget/myrasa-gateway/spec/maxUnavailable") == 1
    (term,) = at(objects, f"{GATEWAY}/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution")
    assert term["podAffinityTerm"]["labelSelector"] == selector


def test_without_it_all_is_as_before(render: Render) -> None:
    objects = render("rasa")
    assert not [name for _, name in objects if "gateway" in name or name.endswith("-pods")]
    assert at(objects, "Service/myrasa/spec/selector") == at(objects, "Deployment/myrasa/spec/selector/matchLabels")
    assert container(objects)["lifecycle"] == {"preStop": {"exec": {"command": ["sleep", "5"]}}}
    assert not {"BOTYARD_AGENT_PORT", "BOTYARD_POD_IP"} & set(env(container(objects)))


def test_the_services_keep_their_names_and_ports_and_lead_to_the_gateway(render: Render) -> None:
    plain, objects = render("rasa"), render("rasa", **ON)
    assert at(objects, "Service/myrasa/spec/ports") == at(plain, "Service/myrasa/spec/ports")
    selector = at(objects, "Deployment/myrasa-gateway/spec/selector/matchLabels")
    assert at(objects, "Service/myrasa/spec/selector") == selector
    assert selector.items() <= at(objects, f"{GATEWAY}/metadata/labels").items()
    rasa = at(objects, "Deployment/myrasa/spec/selector/matchLabels")
    assert rasa == at(plain, "Deployment/myrasa/spec/selector/matchLabels"), "a selector never changes"
    assert at(objects, "Service/myrasa-pods/spec/selector") == rasa
    assert not rasa.items() <= at(objects, f"{GATEWAY}/metadata/labels").items(), "Rasa's own does not find the gateway"
    ports = {p["name"]: p["containerPort"] for p in at(objects, f"{GATEWAY}/spec/containers/0/ports")}
    assert ports == {"http": 5005, "metrics": 8404}
    (port,) = at(objects, "Service/myrasa-pods/spec/ports")
    assert (port["name"], at(objects, "Service/myrasa-pods/spec/clusterIP")) == ("http", "None")
    assert at(objects, "Service/myrasa-pods/spec/publishNotReadyAddresses") is False


def test_a_port_of_ones_own_is_that_of_the_gateway_too(render: Render) -> None:
    objects = render("rasa", **ON, applicationSettings={"port": 8000})
    assert at(objects, f"{GATEWAY}/spec/containers/0/ports/0/containerPort") == 8000
    assert "frontend bot from common\n  bind :8000\n" in config(objects)
    assert at(objects, "Service/myrasa-pods/spec/ports/0/port") == 8000


def test_only_messages_wait_in_the_queue(render: Render) -> None:
    text = config(render("rasa", **ON))
    for backend, counted in (("messages", True), ("socketio", False), ("other", False)):
        assert (" maxconn " in section(text, f"backend {backend}")) is counted
        assert "balance leastconn" in section(text, f"backend {backend}")
    frontend = section(text, "frontend bot")
    assert "acl message method POST\n  acl message_path path_beg /webhooks/\n" in frontend
    order = [
        "use_backend socketio if socketio",
        "use_backend messages if message message_path",
        "default_backend other",
    ]
    assert [line.strip() for line in frontend.splitlines() if "_backend " in line] == order


def test_a_message_is_sent_again_only_where_no_connection_came_about(render: Render) -> None:
    text = config(render("rasa", **ON))
    assert re.findall(r"retry-on (.*)", text) == ["conn-failure"]
    assert "  http-reuse never\n" in text, "a connection that Rasa is about to close would lose a message"


def test_socketio_has_the_path_of_its_channel(render: Render) -> None:
    assert "acl socketio path_beg /socket.io\n" in config(render("rasa", **ON))
    channel = {"socketio": {"socketio_path": "/chat/socket.io"}}
    settings = {"credentials": {"additionalChannelCredentials": channel}}
    assert "acl socketio path_beg /chat/socket.io\n" in config(render("rasa", **ON, applicationSettings=settings))
    channel["socketio"]["socketio_path"] = "/x\n  http-request deny"
    assert "acl socketio path_beg /socket.io\n" in config(render("rasa", **ON, applicationSettings=settings))


@pytest.mark.parametrize(
    ("rasa", "slots"),
    [
        ({"replicaCount": 2}, 20),
        ({"replicaCount": 15}, 30),
        ({"autoscaling": {"enabled": True, "maxReplicas": 40}}, 80),
    ],
)
def test_there_is_room_for_an_upgrade_of_all_pods(render: Render, rasa: dict[str, Any], slots: int) -> None:
    assert len(re.findall(rf"server-template pod {slots} ", config(render("rasa", **ON, **rasa)))) == 3


def test_the_address_of_a_client_is_believed_where_that_is_said(render: Render) -> None:
    alone = section(config(render("rasa", **with_gateway("rateLimit", {"requests": 5}))), "frontend bot")
    assert "http-request del-header X-Forwarded-For\n  option forwardfor\n" in alone
    assert "http-request track-sc0 src\n" in alone
    values = with_key(with_gateway("rateLimit", {"requests": 5}), "gateway.trustForwardedFor", True)
    behind = section(config(render("rasa", **values)), "frontend bot")
    assert "del-header" not in behind
    assert "track-sc0 hdr_ip(X-Forwarded-For,-1) if " in behind


def test_no_rate_and_no_size_where_they_are_zero(render: Render) -> None:
    text = config(render("rasa", **with_gateway("maxBodyBytes", 0)))
    assert not re.search(r"status (413|429)|wait-for-body|stick-table", text)


def test_a_pod_that_waits_may_ask_for_more(render: Render) -> None:
    objects = render("rasa", **with_gateway("maxConnPerWaitingPod", 8))
    told = env(container(objects))
    assert (told["BOTYARD_MESSAGES_BUSY"], told["BOTYARD_MESSAGES_WAITING"]) == ("1", "8")
    assert told["BOTYARD_AGENT_PORT"] == "5006"
    never = render("rasa", **with_gateway("maxConnPerWaitingPod", 1))
    assert "BOTYARD_AGENT_PORT" not in env(container(never)) and "agent-check" not in config(never)
    assert env(container(never))["BOTYARD_POD_IP"] == {"fieldRef": {"fieldPath": "status.podIP"}}


def test_a_leaving_pod_says_so_and_serves_on(render: Render) -> None:
    objects = render("rasa", **ON, preStopSeconds=7)
    told = container(objects)["lifecycle"]["preStop"]["exec"]["command"]
    assert told == ["sh", "-c", "touch /tmp/botyard-leaving; sleep 7"]
    assert "http-check disable-on-404" in section(config(objects), "defaults pods")
    leave = at(render("rasa", **with_gateway("preStopSeconds", 9)), f"{GATEWAY}/spec/containers/0/lifecycle/preStop")
    assert leave["exec"]["command"][-1].endswith("GET /leave HTTP/1.0\\r\\n\\r\\n' >&3; sleep 9")


def test_pods_roll_with_their_configuration_alone(render: Render) -> None:
    def stamp(**values: Any) -> Any:
        return at(render("rasa", **values), f"{GATEWAY}/metadata/annotations/botyard~1config")

    assert stamp(**ON) == stamp(**with_gateway("resources", {"requests": {"cpu": "1"}}))
    assert stamp(**ON) != stamp(**with_gateway("maxQueue", 1))


def test_the_pods_fit_a_restricted_namespace_and_hold_no_key(render: Render) -> None:
    spec = at(render("rasa", **EVERYTHING), f"{GATEWAY}/spec")
    assert violations(spec) == []
    assert spec["automountServiceAccountToken"] is False
    for one in containers(spec):
        assert one["securityContext"]["readOnlyRootFilesystem"] is True
        assert {"cpu", "memory"} <= set(one["resources"]["requests"]) and "memory" in one["resources"]["limits"]


@pytest.mark.parametrize("version", ["1.32", "1.37"])
def test_kubernetes_takes_all_objects(render: Render, version: str) -> None:
    for body in render("rasa", **EVERYTHING).values():
        assert kubernetes_validate.validate(body, version, strict=True) == version


def test_policies_lead_through_the_gateway(render: Render) -> None:
    objects = render("rasa", **EVERYTHING)
    gateway = at(objects, "NetworkPolicy/myrasa-gateway/spec")
    selector = at(objects, "Deployment/myrasa-gateway/spec/selector/matchLabels")
    rasa = at(objects, "Deployment/myrasa/spec/selector/matchLabels")
    assert gateway["podSelector"]["matchLabels"] == selector
    assert gateway["ingress"] == [
        {"ports": [{"port": "http"}], "from": [{"podSelector": {}}]}, {"ports": [{"port": "metrics"}]}
    ]  # fmt: skip
    names, to_rasa = gateway["egress"]
    assert {p["port"] for p in names["ports"]} == {53}
    assert to_rasa == {
        "to": [{"podSelector": {"matchLabels": rasa}}], "ports": [{"port": 5005}, {"port": 5006}]
    }  # fmt: skip
    (into,) = at(objects, "NetworkPolicy/myrasa/spec/ingress")
    assert into["from"] == [{"podSelector": {"matchLabels": selector}}], "nobody passes by the gateway"
    assert into["ports"] == [{"port": "http"}, {"port": 5006}]
    off = render("rasa", networkPolicy={"enabled": True})
    assert ("NetworkPolicy", "myrasa-gateway") not in off
    assert at(off, "NetworkPolicy/myrasa/spec/ingress") == [{"ports": [{"port": "http"}]}]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (with_gateway("metricsPort", 5005), "gateway.metricsPort: 5005"),
        ({**ON, "applicationSettings": {"port": 5006}}, "applicationSettings.port: at 5006"),
        (
            with_gateway("maxConnPerPod", 65),
            "gateway.maxConnPerWaitingPod (64) is less than gateway.maxConnPerPod",
        ),
        (with_gateway("rateLimit", {"requests": 5, "seconds": None}), "gateway.rateLimit.seconds"),
        (with_gateway("podAnnotations", {"botyard/config": "x"}), "gateway.podAnnotations: botyard/config"),
        (with_gateway("image", {"tag": "a b"}), "gateway.image: "),
        (with_gateway("image", None), "no value for gateway.image"),
        (with_gateway("maxQueue", None), "no value for gateway.maxQueue"),
        (with_gateway("maxQueue", 0), "/gateway/maxQueue"),
        (with_gateway("maxConnPerPod", "two"), "/gateway/maxConnPerPod"),
        (with_gateway("clusterDomain", "a b"), "/gateway/clusterDomain"),
        (with_gateway("enabled", "yes"), "/gateway/enabled"),
    ],
)
def test_what_cannot_be_had_is_refused_by_its_key(render: Render, values: dict[str, Any], told: str) -> None:
    with pytest.raises(CommandError) as refused:
        render("rasa", **values)
    assert told in str(refused.value).replace("'", "").replace(".", "/") or told in str(refused.value)


def test_values_of_an_older_chart_have_no_gateway_and_say_how_to_get_one(
    render_with_defaults: Callable[..., Objects],
) -> None:
    old = dict(yaml11.load((HERE / "previous" / "rasa-0.1.0.yml").read_text()))
    assert ("Deployment", "myrasa-gateway") not in render_with_defaults("rasa", old)
    with pytest.raises(CommandError, match="reset-then-reuse-values"):
        render_with_defaults("rasa", old, **ON)


def test_the_notes_name_the_gateway(notes: Callable[..., str]) -> None:
    assert "gateway" in notes("rasa", **ON)
    assert "gateway" not in notes("rasa")


def test_every_key_is_in_the_schema_with_a_type() -> None:
    chart = HERE.parents[2] / "charts" / "rasa"
    known = json.loads((chart / "values.schema.json").read_text())["properties"]["gateway"]["properties"]
    assert set(yaml11.load((chart / "values.yaml").read_text())["gateway"]) == set(known)
