"""The chart rasa: what the author's values ask for, and what the retired official chart got wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from botyard.contracts import CommandError
from botyard.release.desired import load_documents

Render = Callable[..., dict[tuple[str, str], dict[str, Any]]]

AUTHOR = "tests/unit/charts/author/rasa_values.yml"
BASE = "values/rasa/base.yaml"
KIND = "values/rasa/kind.yaml"
SHA256 = "a" * 64
DIGEST = f"sha256:{SHA256}"
READY = "/webhooks/botyard/ready"


def pod(objects: dict[tuple[str, str], dict[str, Any]], name: str = "myrasa") -> dict[str, Any]:
    return dict(objects["Deployment", name]["spec"]["template"]["spec"])


def rasa(objects: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    (container,) = pod(objects)["containers"]
    return dict(container)


def config(objects: dict[tuple[str, str], dict[str, Any]], file: str) -> dict[str, Any]:
    """A rendered file of Rasa, read back."""
    text = objects["ConfigMap", "myrasa"]["data"][file]
    (document,) = load_documents("apiVersion: v1\nkind: X\nmetadata: {name: x}\n" + text)
    return {key: value for key, value in document.items() if key not in ("apiVersion", "kind", "metadata")}


def env(container: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


@pytest.mark.parametrize("files", [(), (BASE, KIND), (AUTHOR,)])
def test_lints_clean(lint: Callable[..., None], files: tuple[str, ...]) -> None:
    lint("rasa", *files)


def test_the_authors_values_render_what_they_ask_for(render: Render) -> None:
    objects = render("rasa", AUTHOR)
    deployment = objects["Deployment", "myrasa"]["spec"]
    assert deployment["replicas"] == 2
    assert deployment["selector"]["matchLabels"]["app"] == "rasa-server"
    assert deployment["template"]["metadata"]["labels"]["app"] == "rasa-server"
    assert rasa(objects)["name"] == "rasa-oss"
    assert rasa(objects)["image"] == "kevinng77/rasa:3.4.4", "repository wins over registry and name"
    assert pod(objects)["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    service = objects["Service", "myrasa"]
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["metadata"]["annotations"] == {"service.beta.kubernetes.io/azure-dns-label-name": "acrasa"}
    assert not any(kind == "HorizontalPodAutoscaler" for kind, _ in objects)


def test_the_service_has_both_ports_of_the_official_chart(render: Render) -> None:
    ports = {p["name"]: (p["port"], p["targetPort"]) for p in render("rasa")["Service", "myrasa"]["spec"]["ports"]}
    assert ports == {"http": (5005, "http"), "http-nginx": (80, "http")}


def test_a_service_at_port_80_has_it_once(render: Render) -> None:
    (port,) = render("rasa", service={"port": 80})["Service", "myrasa"]["spec"]["ports"]
    assert (port["name"], port["port"]) == ("http", 80)


def test_on_kind_the_load_balancer_has_an_address_and_the_mapped_port(render: Render) -> None:
    service = render("rasa", BASE, KIND, service={"externalIPs": ["10.1.2.3"]})["Service", "myrasa"]["spec"]
    assert service["externalIPs"] == ["10.1.2.3"]
    assert service["ports"][0]["nodePort"] == 30505


def test_channel_credentials_are_taken_as_they_stand_beside_ours(render: Render) -> None:
    assert config(render("rasa", AUTHOR), "credentials.yml") == {
        "rest": {},
        "socketio": {
            "user_message_evt": "user_uttered",
            "bot_message_evt": "bot_uttered",
            "session_persistence": True,
        },
        "botyard_health.HealthChannel": {},
    }


def test_a_channel_without_settings_is_there(render: Render) -> None:
    """``rest:`` alone, as Rasa's own documentation writes it."""
    channels = {"credentials": {"additionalChannelCredentials": {"rest": None, "facebook": {"verify": "v"}}}}
    written = config(render("rasa", applicationSettings=channels), "credentials.yml")
    assert written == {"rest": None, "facebook": {"verify": "v"}, "botyard_health.HealthChannel": {}}


def test_without_credentials_the_probes_still_have_their_channel(render: Render) -> None:
    objects = render("rasa", applicationSettings={"credentials": {"enabled": False}})
    assert config(objects, "credentials.yml") == {"botyard_health.HealthChannel": {}}


def test_pods_share_their_conversations_in_redis(render: Render) -> None:
    objects = render("rasa", AUTHOR)
    tracker = config(objects, "endpoints.yml")["tracker_store"]
    assert tracker["type"] == "redis"
    assert (tracker["url"], tracker["port"]) == ("myrasa-redis", 6379)
    assert "password: ${REDIS_PASSWORD}\n" in objects["ConfigMap", "myrasa"]["data"]["endpoints.yml"], (
        "Rasa expands only what is not quoted"
    )
    assert env(rasa(objects))["REDIS_PASSWORD"]["secretKeyRef"]["key"] == "redis-password"
    assert ("Service", "myrasa-redis") in objects


def test_a_tracker_store_of_ones_own_is_taken_as_it_stands(render: Render) -> None:
    store = {"type": "SQL", "dialect": "postgresql", "url": "${DB_HOST}", "password": "${DB_PASSWORD}"}
    objects = render(
        "rasa",
        redis={"install": False},
        extraEnv=[{"name": "DB_HOST", "value": "db"}],
        applicationSettings={"endpoints": {"trackerStore": {"enabled": True, **store}}},
    )
    assert config(objects, "endpoints.yml")["tracker_store"] == store
    assert ("Deployment", "myrasa-redis") not in objects
    assert "REDIS_PASSWORD" not in env(rasa(objects))


def test_a_redis_of_ones_own_is_used_instead(render: Render) -> None:
    objects = render("rasa", redis={"external": {"enabled": True, "host": "redis.example", "port": 6380}})
    tracker = config(objects, "endpoints.yml")["tracker_store"]
    assert (tracker["url"], tracker["port"]) == ("redis.example", 6380)
    assert ("Deployment", "myrasa-redis") not in objects


def test_the_action_endpoint_is_the_external_one(render: Render) -> None:
    assert config(render("rasa", AUTHOR), "endpoints.yml")["action_endpoint"] == {
        "url": "http://rasa-action-server/webhook"
    }
    assert "action_endpoint" not in config(render("rasa"), "endpoints.yml")


def test_an_action_server_inside_the_release_is_refused_with_the_reason(render: Render) -> None:
    with pytest.raises(CommandError, match="a release of its own"):
        render("rasa", **{"rasa-action-server": {"install": True}})


def test_further_endpoints_win(render: Render) -> None:
    more = {"nlg": {"url": "http://nlg"}, "tracker_store": {"type": "dynamo"}}
    endpoints = config(
        render("rasa", AUTHOR, applicationSettings={"endpoints": {"additionalEndpoints": more}}), "endpoints.yml"
    )
    assert endpoints["nlg"] == {"url": "http://nlg"}
    assert endpoints["tracker_store"]["type"] == "dynamo"


def test_every_pod_fetches_the_model_with_its_query_and_checks_it(render: Render) -> None:
    url = "http://depot/models/tea%2B1.tar.gz?of=a%2Fb&raw=true"
    objects = render("rasa", applicationSettings={"initialModel": url, "initialModelSha256": SHA256})
    (fetch,) = pod(objects)["initContainers"]
    assert fetch["image"] == rasa(objects)["image"]
    assert fetch["command"] == ["python3", "/opt/botyard/fetch_model.py"]
    assert env(fetch)["MODEL_URL"] == url
    assert (env(fetch)["MODEL_SHA256"], env(fetch)["MODEL_DIR"]) == (SHA256, "/app/models")
    args = rasa(objects)["args"]
    assert args[args.index("--model") + 1] == "/app/models/tea+1.tar.gz"
    assert env(rasa(objects))["BOTYARD_MODEL_FILE"] == "/app/models/tea+1.tar.gz"


@pytest.mark.parametrize("in_image", [True, False])
def test_without_a_url_the_image_may_bring_the_model(render: Render, in_image: bool) -> None:
    objects = render("rasa", applicationSettings={"modelInImage": in_image})
    assert "initContainers" not in pod(objects)
    mounted = "/app/models" in [m["mountPath"] for m in rasa(objects)["volumeMounts"]]
    assert mounted is not in_image, "an empty folder is there, else Rasa wants to make one and cannot"
    args = rasa(objects)["args"]
    assert args[args.index("--model") + 1] == "/app/models"


@pytest.mark.parametrize(
    "change",
    [
        {"applicationSettings": {"initialModelSha256": SHA256}},
        {"applicationSettings": {"credentials": {"additionalChannelCredentials": {"rest": {}}}}},
        {"redis": {"recordExpirySeconds": 60}},
    ],
)
def test_pods_roll_when_what_they_read_at_start_changes(render: Render, change: dict[str, Any]) -> None:
    def template(**values: Any) -> dict[str, Any]:
        return dict(render("rasa", **values)["Deployment", "myrasa"]["spec"]["template"])

    assert template() == template(time=2)
    assert template() != template(**change)


def test_rasa_starts_through_the_launcher_with_its_secrets_in_files(render: Render) -> None:
    objects = render("rasa", existingSecret="botyard-rasa")
    container = rasa(objects)
    assert container["command"] == ["python3", "/opt/botyard/launcher.py"]
    assert container["args"][:2] == ["run", "--enable-api"]
    assert not any("token" in a or "jwt" in a for a in container["args"])
    assert env(container)["BOTYARD_AUTH_TOKEN_FILE"] == "/run/botyard/rasa-token"
    assert env(container)["BOTYARD_JWT_SECRET_FILE"] == "/run/botyard/jwt-secret"
    (secrets,) = [v for v in pod(objects)["volumes"] if "secret" in v]
    assert secrets["secret"]["secretName"] == "botyard-rasa"
    assert secrets["secret"]["defaultMode"] == 0o440
    assert not any(kind == "Secret" for kind, _ in objects), "an existing Secret is never made again"


def test_the_launcher_is_mounted_beside_any_image(render: Render) -> None:
    objects = render("rasa")
    files = objects["ConfigMap", "myrasa-botyard"]["data"]
    assert {"launcher.py", "botyard_health.py", "fetch_model.py"} <= set(files)
    assert env(rasa(objects))["PYTHONPATH"] == "/opt/botyard"


def test_the_chart_alone_makes_random_secrets_and_leaves_them_behind(render: Render) -> None:
    first, second = (render("rasa", time=n)["Secret", "myrasa"] for n in (1, 2))
    assert set(first["data"]) == {"rasa-token", "jwt-secret", "redis-password"}
    assert all(first["data"][key] != second["data"][key] for key in first["data"])
    assert first["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_probes_need_no_token_and_ask_for_a_loaded_model(render: Render) -> None:
    container = rasa(render("rasa"))
    assert container["startupProbe"]["httpGet"]["path"] == READY
    assert container["startupProbe"]["periodSeconds"] == 1
    assert container["startupProbe"]["failureThreshold"] >= 180
    ready = container["readinessProbe"]
    assert ready["httpGet"]["path"] == READY
    assert ready["periodSeconds"] * ready["failureThreshold"] >= 60, "a burst blocks the loop for half a minute"
    alive = container["livenessProbe"]
    assert alive["httpGet"]["path"] == "/"
    assert alive["periodSeconds"] * alive["failureThreshold"] >= 120


@pytest.mark.parametrize("name", ["myrasa", "myrasa-redis"])
def test_pods_are_restricted(render: Render, name: str) -> None:
    spec = pod(render("rasa", AUTHOR), name)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 1001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"]["memory"]
        assert container["resources"]["limits"]["memory"]


def test_a_pod_drains_before_it_ends(render: Render) -> None:
    objects = render("rasa")
    assert rasa(objects)["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]
    assert pod(objects)["terminationGracePeriodSeconds"] >= 30
    assert objects["Deployment", "myrasa"]["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }


def test_our_anti_affinity_lets_an_upgrade_roll_with_as_many_pods_as_nodes(render: Render) -> None:
    rules = pod(render("rasa", BASE, KIND))["affinity"]["podAntiAffinity"]
    (term,) = rules["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["matchLabelKeys"] == ["pod-template-hash"]
    assert term["topologyKey"] == "kubernetes.io/hostname"


def test_images_go_by_digest(render: Render) -> None:
    objects = render(
        "rasa",
        image={"repository": "localhost:5001/botyard/rasa", "digest": DIGEST},
        redis={"image": {"repository": "localhost:5001/botyard/redis", "digest": DIGEST}},
    )
    assert rasa(objects)["image"] == f"localhost:5001/botyard/rasa@{DIGEST}"
    assert pod(objects, "myrasa-redis")["containers"][0]["image"] == f"localhost:5001/botyard/redis@{DIGEST}"


def test_redis_takes_its_password_from_a_file_and_not_from_its_command(render: Render) -> None:
    (container,) = pod(render("rasa"), "myrasa-redis")["containers"]
    assert "/run/botyard/redis-password" in container["command"][-1]
    assert "env" not in container


def test_autoscaling_owns_the_replicas(render: Render) -> None:
    objects = render("rasa", AUTHOR, autoscaling={"enabled": True})
    assert "replicas" not in objects["Deployment", "myrasa"]["spec"]
    scaler = objects["HorizontalPodAutoscaler", "myrasa"]
    assert scaler["apiVersion"] == "autoscaling/v2"
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (4, 10)


def test_redis_data_can_be_kept(render: Render) -> None:
    objects = render("rasa", redis={"persistence": {"enabled": True, "size": "2Gi"}})
    claim = objects["PersistentVolumeClaim", "myrasa-redis"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "2Gi"
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert pod(objects, "myrasa-redis")["volumes"][0]["persistentVolumeClaim"] == {"claimName": "myrasa-redis"}


def test_unknown_keys_pass_and_telemetry_is_off(render: Render) -> None:
    objects = render("rasa", AUTHOR, postgresql={"install": True}, someThing=[1])
    assert env(rasa(objects))["RASA_TELEMETRY_ENABLED"] == "false"


def test_debug_mode_and_further_arguments(render: Render) -> None:
    objects = render("rasa", applicationSettings={"debugMode": True, "cors": ""}, extraArgs=["--log-file", "/tmp/x"])
    assert rasa(objects)["args"][-3:] == ["--debug", "--log-file", "/tmp/x"]
    assert "--cors" not in rasa(objects)["args"]
