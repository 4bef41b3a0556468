"""What each key of the official charts must show in the rendered objects: key, value, place, what is there."""

from __future__ import annotations

from typing import Any, NamedTuple

A = "applicationSettings"
E = f"{A}.endpoints"
LABELS = "metadata/labels"


class Case(NamedTuple):
    """What one key must show.

    ``beside``: values without which it can have no effect. ``alone``: it moves what other keys show. ``@`` in a place:
    the release's name.
    """

    key: str
    value: Any
    place: str
    expected: Any
    beside: dict[str, Any] = {}  # noqa: RUF012 (never changed)
    alone: bool = False

    def meets(self, other: Case) -> bool:
        """Whether the two cannot be looked at in one rendering: a key or a place of the one is within the other's."""
        return any(
            f"{one}{mark}".startswith(f"{two}{mark}") or f"{two}{mark}".startswith(f"{one}{mark}")
            for one, two, mark in ((self.key, other.key, "."), (self.place, other.place, "/"))
        )


def batches(cases: list[Case]) -> list[list[Case]]:
    """Cases that one rendering can show together: helm takes most of the time of these tests."""
    made: list[list[Case]] = []
    for case in cases:
        for batch in made:
            first = batch[0]
            if first.alone or case.alone or first.beside != case.beside or any(map(case.meets, batch)):
                continue
            batch.append(case)
            break
        else:
            made.append([case])
    return made


LOAD_BALANCER = {"service": {"type": "LoadBalancer"}}
INGRESS = {"ingress": {"enabled": True}}
SCALED = {"autoscaling": {"enabled": True}}
ACCOUNT = {"serviceAccount": {"create": True}}
NO_ACCOUNT = {"serviceAccount": {"create": False}}
OLD_PATH = [{"path": "/old", "backend": {"serviceName": "web", "servicePort": 8080}}]
NEW_PATH = {
    "path": "/old",
    "pathType": "ImplementationSpecific",
    "backend": {"service": {"name": "web", "port": {"number": 8080}}},
}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 55}}}
MEMORY = {
    "type": "Resource",
    "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 66}},
}
RULE = "Ingress/@-api/spec/rules/0"

BOTH = [
    Case("nameOverride", "bot", "Deployment/@-bot/metadata/labels/app.kubernetes.io~1name", "bot", alone=True),
    Case("fullnameOverride", "bot", "Service/bot/metadata/name", "bot", alone=True),
    Case("registry", "mine.example", "container/image", "mine.example/x:1", {"image": {"name": "x", "tag": "1"}}),
    Case(f"{A}.port", 6000, "container/ports/0/containerPort", 6000),
    Case("replicaCount", 4, "Deployment/@/spec/replicas", 4),
    Case("hostAliases", [{"ip": "10.0.0.1", "hostnames": ["a"]}], "pod/hostAliases/0/ip", "10.0.0.1"),
    Case("args", ["run", "--debug"], "container/args", ["run", "--debug"]),
    Case("command", ["sh"], "container/command", ["sh"]),
    Case("extraEnv", [{"name": "A", "value": "b"}], "env/A", "b"),
    Case("image.name", "x", "container/image", "docker.io/rasa/x:1", {"image": {"tag": "1"}}),
    Case("image.tag", "9.9", "container/image", "docker.io/rasa/x:9.9", {"image": {"name": "x"}}),
    Case("image.tag", 9.9, "container/image", "docker.io/rasa/x:9.9", {"image": {"name": "x"}}),
    Case("image.repository", "r/y", "container/image", "r/y:1", {"image": {"name": "x", "tag": "1"}}),
    Case("image.pullPolicy", "Always", "container/imagePullPolicy", "Always"),
    Case("image.pullSecrets", [{"name": "s"}], "pod/imagePullSecrets", [{"name": "s"}]),
    Case("serviceAccount.create", False, "ServiceAccount/@", None),
    Case("serviceAccount.create", True, "ServiceAccount/@/automountServiceAccountToken", False, NO_ACCOUNT),
    Case("serviceAccount.annotations", {"a": "b"}, "ServiceAccount/@/metadata/annotations/a", "b", ACCOUNT),
    Case("serviceAccount.name", "mine", "pod/serviceAccountName", "mine", ACCOUNT, alone=True),
    Case("podAnnotations", {"a": "b"}, "Deployment/@/spec/template/metadata/annotations/a", "b"),
    Case("podLabels", {"app": "x"}, "Deployment/@/spec/template/metadata/labels/app", "x"),
    Case("podLabels", {"app": "x"}, "Deployment/@/spec/selector/matchLabels/app", "x"),
    Case("podLabels", {"app": "x"}, "Service/@/spec/selector/app", "x"),
    Case("deploymentAnnotations", {"a": "b"}, "Deployment/@/metadata/annotations/a", "b"),
    Case("deploymentLabels", {"a": "b"}, f"Deployment/@/{LABELS}/a", "b"),
    Case("podSecurityContext", {"fsGroup": 2000}, "pod/securityContext/fsGroup", 2000),
    Case("securityContext", {"runAsUser": 1000}, "container/securityContext/runAsUser", 1000),
    Case("service.type", "NodePort", "Service/@/spec/type", "NodePort"),
    Case("service.port", 8080, "Service/@/spec/ports/0/port", 8080),
    Case("service.annotations", {"a": "b"}, "Service/@/metadata/annotations/a", "b"),
    Case("service.nodePort", 30500, "Service/@/spec/ports/0/nodePort", 30500, LOAD_BALANCER),
    Case("service.loadBalancerIP", "10.0.0.9", "Service/@/spec/loadBalancerIP", "10.0.0.9", LOAD_BALANCER),
    Case("service.externalTrafficPolicy", "Local", "Service/@/spec/externalTrafficPolicy", "Local", LOAD_BALANCER),
    Case("ingress.enabled", True, f"{RULE}/http/paths/0/backend/service/port/name", "http"),
    Case("ingress.annotations", {"a": "b"}, "Ingress/@-api/metadata/annotations/a", "b", INGRESS),
    Case("ingress.labels", {"a": "b"}, f"Ingress/@-api/{LABELS}/a", "b", INGRESS),
    Case("ingress.pathType", "Prefix", f"{RULE}/http/paths/0/pathType", "Prefix", INGRESS),
    Case("ingress.path", "/bot", f"{RULE}/http/paths/0/path", "/bot", INGRESS),
    Case("ingress.hostname", "b.example", f"{RULE}/host", "b.example", INGRESS),
    Case("ingress.hostname", "", f"{RULE}/host", None, INGRESS),
    Case("ingress.tls", [{"secretName": "t"}], "Ingress/@-api/spec/tls", [{"secretName": "t"}], INGRESS),
    Case("ingress.extraPaths", OLD_PATH, f"{RULE}/http/paths/0", NEW_PATH, INGRESS),
    Case("resources", {"limits": {"cpu": 2}}, "container/resources", {"limits": {"cpu": 2}}),
    Case("autoscaling.enabled", True, "HorizontalPodAutoscaler/@/apiVersion", "autoscaling/v2", alone=True),
    Case("autoscaling.enabled", True, "Deployment/@/spec/replicas", None, alone=True),
    Case("autoscaling.minReplicas", 3, "HorizontalPodAutoscaler/@/spec/minReplicas", 3, SCALED),
    Case("autoscaling.maxReplicas", 9, "HorizontalPodAutoscaler/@/spec/maxReplicas", 9, SCALED),
    Case("autoscaling.targetCPUUtilizationPercentage", 55, "HorizontalPodAutoscaler/@/spec/metrics/0", CPU, SCALED),
    Case(
        "autoscaling.targetMemoryUtilizationPercentage",
        66,
        "HorizontalPodAutoscaler/@/spec/metrics/1",
        MEMORY,
        SCALED,
    ),
    Case("nodeSelector", {"disk": "ssd"}, "pod/nodeSelector", {"disk": "ssd"}),
    Case("tolerations", [{"operator": "Exists"}], "pod/tolerations", [{"operator": "Exists"}]),
    Case("affinity", {"nodeAffinity": {}}, "pod/affinity", {"nodeAffinity": {}}),
    Case("strategy.type", "Recreate", "Deployment/@/spec/strategy", {"type": "Recreate"}),
    Case("strategy.rollingUpdate.maxSurge", "25%", "Deployment/@/spec/strategy/rollingUpdate/maxSurge", "25%"),
    Case("strategy.rollingUpdate.maxUnavailable", 1, "Deployment/@/spec/strategy/rollingUpdate/maxUnavailable", 1),
    Case("livenessProbe", {"initialDelaySeconds": 7}, "container/livenessProbe/initialDelaySeconds", 7),
    Case("livenessProbe", {"tcpSocket": {"port": 1}}, "container/livenessProbe/httpGet", None),
    Case("readinessProbe", {"timeoutSeconds": 7}, "container/readinessProbe/timeoutSeconds", 7),
    Case("readinessProbe", {"exec": {"command": ["true"]}}, "container/readinessProbe/httpGet", None),
    Case("initContainers", [{"name": "i", "image": "x"}], "pod/initContainers/0/name", "i"),
    Case("volumes", [{"name": "v", "emptyDir": {}}], "pod/volumes/-1/name", "v"),
    Case("volumeMounts", [{"name": "v", "mountPath": "/v"}], "container/volumeMounts/-1/mountPath", "/v"),
]

MODEL_URL = "http://d/m.tar.gz?a=1&b=2"
MODEL: dict[str, Any] = {A: {"initialModel": "http://depot/m.tar.gz"}}
SERVER = {A: {"endpoints": {"models": {"enabled": True, "url": "http://models"}}}}
BROKER = {
    A: {"endpoints": {"eventBroker": {"enabled": True}}},
    "rabbitmq": {"external": {"enabled": True, "host": "mq"}},
}
LOCKED = {A: {"endpoints": {"lockStore": {"enabled": True}}}}
SQL = {A: {"endpoints": {"trackerStore": {"type": "sql", "url": "db.example"}}}}
POSTGRES = {"postgresql": {"external": {"enabled": True, "host": "pg"}}}
OWN_POSTGRES = {"postgresql": {"install": True}}
REDIS_BY_ENV = {"redis": {"install": False}, "extraEnv": [{"name": "REDIS_HOST", "value": "r"}]}
REDIS = {"redis": {"external": {"enabled": True, "host": "r"}}}
PG_HOST = {"postgresql": {"external": {"host": "pg"}}}
REST = {A: {"credentials": {"additionalChannelCredentials": {"rest": {"a": 1}}}}}
MODEL_AND_SERVER = {A: {**MODEL[A], "endpoints": {"models": {"url": "http://m"}}}}
ACTION_URL = {"rasa-action-server": {"external": {"url": "http://a"}}}
ACTION = {"rasa-action-server": {"external": {"enabled": True, "url": "http://a"}}}
DUCKLING_URL = {"duckling": {"external": {"url": "http://d"}}}
DUCKLING = {"duckling": {"external": {"enabled": True, "url": "http://d"}}}
OTHER = "postgresql-postgres-password"  # for another user than postgres
REDIS_POD = "Deployment/myrasa-redis/spec/template/spec"
POSTGRES_SECRET = "Secret/myrasa-postgresql/data"
MINE = "bWluZQ=="
CLOSED = {"networkPolicy": {"enabled": True}}


def password(secret: str, key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": secret, "key": key}}


RASA = [
    Case(f"{A}.debugMode", True, "container/args/12", "--debug"),
    Case(f"{A}.initialModel", MODEL_URL, "pod/initContainers/0/env/0/value", MODEL_URL, alone=True),
    Case(f"{A}.port", 6000, "container/args/9", "6000"),
    Case(f"{A}.token", "mine", "Secret/myrasa/data/rasa-token", "bWluZQ=="),
    Case(f"{A}.cors", "https://a.example", "container/args/11", "https://a.example"),
    Case(f"{A}.enableAPI", False, "container/args/1", "--endpoints", alone=True),
    Case(f"{A}.credentials.enabled", False, "credentials/rest", None, REST),
    Case(f"{A}.credentials.additionalChannelCredentials", {"rest": {}}, "credentials/rest", {}),
    Case(f"{A}.telemetry.enabled", True, "env/RASA_TELEMETRY_ENABLED", "true"),
    Case(f"{E}.models.enabled", True, "pod/initContainers", None, MODEL_AND_SERVER),
    Case(f"{E}.models.url", "http://other", "endpoints/models/url", "http://other", SERVER),
    Case(f"{E}.models.token", "t", "endpoints/models/token", "${MODEL_SERVER_TOKEN}", SERVER),
    Case(f"{E}.models.token", "t", "Secret/myrasa/data/model-server-token", "dA==", SERVER),
    Case(f"{E}.models.token", "t", "env/MODEL_SERVER_TOKEN", password("myrasa", "model-server-token"), SERVER),
    Case(f"{E}.models.waitTimeBetweenPulls", 7, "endpoints/models/wait_time_between_pulls", 7, SERVER),
    Case(f"{E}.trackerStore.enabled", False, "endpoints/tracker_store", None),
    Case(f"{E}.trackerStore.type", "dynamo", "endpoints/tracker_store/type", "dynamo"),
    Case(f"{E}.trackerStore.dialect", "mssql", "endpoints/tracker_store/dialect", "mssql", SQL),
    Case(f"{E}.trackerStore.url", "other", "endpoints/tracker_store/url", "other", SQL),
    Case(f"{E}.trackerStore.port", "5433", "endpoints/tracker_store/port", "5433", SQL),
    Case(f"{E}.trackerStore.username", "u", "endpoints/tracker_store/username", "u", SQL),
    Case(f"{E}.trackerStore.password", "${P}", "endpoints/tracker_store/password", "${P}", SQL),
    Case(f"{E}.trackerStore.db", "d", "endpoints/tracker_store/db", "d", SQL),
    Case(f"{E}.trackerStore.login_db", "l", "endpoints/tracker_store/login_db", "l", SQL),
    Case(f"{E}.lockStore.enabled", False, "endpoints/lock_store", None),
    Case(f"{E}.lockStore.enabled", True, "endpoints/lock_store/url", "${REDIS_HOST}", REDIS_BY_ENV),
    Case(f"{E}.lockStore.type", "in_memory", "endpoints/lock_store", {"type": "in_memory"}, LOCKED),
    Case(f"{E}.lockStore.url", "r", "endpoints/lock_store/url", "r", LOCKED),
    Case(f"{E}.lockStore.port", "7", "endpoints/lock_store/port", "7", LOCKED),
    Case(f"{E}.lockStore.password", "${P}", "endpoints/lock_store/password", "${P}", LOCKED),
    Case(f"{E}.lockStore.db", "2", "endpoints/lock_store/db", "2", LOCKED),
    Case(f"{E}.lockStore.db", 0, "endpoints/lock_store/db", 0, LOCKED),
    Case(f"{E}.lockStore.password", "", "endpoints/lock_store/password", "", LOCKED),
    Case(f"{E}.eventBroker.enabled", True, "endpoints/event_broker", {
        "type": "pika", "url": "${RABBITMQ_HOST}", "port": "${RABBITMQ_PORT}", "username": "${RABBITMQ_USERNAME}",
        "password": "${RABBITMQ_PASSWORD}", "queues": ["rasa_production_events"],
    }, {"rabbitmq": BROKER["rabbitmq"]}),
    Case(f"{E}.eventBroker.type", "kafka", "endpoints/event_broker", {"type": "kafka"}, BROKER),
    Case(f"{E}.eventBroker.url", "mq2", "endpoints/event_broker/url", "mq2", BROKER),
    Case(f"{E}.eventBroker.username", "u", "endpoints/event_broker/username", "u", BROKER),
    Case(f"{E}.eventBroker.password", "${P}", "endpoints/event_broker/password", "${P}", BROKER),
    Case(f"{E}.eventBroker.port", "7", "endpoints/event_broker/port", "7", BROKER),
    Case(f"{E}.eventBroker.queues", ["q"], "endpoints/event_broker/queues", ["q"], BROKER),
    Case(f"{E}.additionalEndpoints", {"nlg": {"url": "n"}}, "endpoints/nlg/url", "n"),
    Case("networkPolicy.enabled", True, "NetworkPolicy/myrasa/spec/ingress", [{"ports": [{"port": "http"}]}]),
    Case("networkPolicy.denyAll", True, "NetworkPolicy/myrasa-deny-all/spec/podSelector", {}, CLOSED),
    Case("extraArgs", ["--log-file", "x"], "container/args/13", "x", alone=True),
    Case("image.pullPolicy", "Always", "pod/initContainers/0/imagePullPolicy", "Always", MODEL),
    Case("image.pullSecrets", [{"name": "s"}], f"{REDIS_POD}/imagePullSecrets/0/name", "s"),
    Case("resources", {"limits": {"cpu": 2}}, "pod/initContainers/0/resources", {"limits": {"cpu": 2}}, MODEL),
    Case("extraContainers", [{"name": "c", "image": "x"}], "pod/containers/1/name", "c"),
    Case("global.postgresql.postgresqlUsername", "u", "env/DB_USER", "u", POSTGRES),
    Case("global.postgresql.postgresqlUsername", "u", "env/DB_PASSWORD/secretKeyRef/key", OTHER, POSTGRES),
    Case("global.postgresql.existingSecret", "s", "env/DB_PASSWORD/secretKeyRef/name", "s", POSTGRES, alone=True),
    Case("global.postgresql.postgresqlDatabase", "d", "env/DB_DATABASE", "d", POSTGRES),
    Case("global.postgresql.servicePort", 5433, "env/DB_PORT", "5433", POSTGRES),
    Case("global.redis.password", "mine", "Secret/myrasa/data/redis-password", "bWluZQ=="),
    Case("global.postgresql.postgresqlPassword", "mine", f"{POSTGRES_SECRET}/postgresql-password", MINE, OWN_POSTGRES),
    Case("postgresql.install", True, "endpoints/tracker_store/type", "sql"),
    Case("postgresql.install", True, "StatefulSet/myrasa-postgresql/spec/replicas", 1),
    Case("postgresql.external.enabled", True, "endpoints/tracker_store/url", "${DB_HOST}", PG_HOST),
    Case("postgresql.external.host", "pg2", "env/DB_HOST", "pg2", POSTGRES),
    Case("redis.install", False, "Deployment/myrasa-redis", None),
    Case("redis.auth.password", "mine", "Secret/myrasa/data/redis-password", "bWluZQ=="),
    Case("redis.external.enabled", True, "Deployment/myrasa-redis", None, {"redis": {"external": {"host": "r"}}}),
    Case("redis.external.host", "r2", "env/REDIS_HOST", "r2", REDIS),
    Case("rabbitmq.auth.username", "u", "env/RABBITMQ_USERNAME", "u", BROKER),
    Case("rabbitmq.auth.existingPasswordSecret", "s", "env/RABBITMQ_PASSWORD/secretKeyRef/name", "s", BROKER),
    Case("rabbitmq.external.enabled", True, "env/RABBITMQ_PORT", "5672", {"rabbitmq": {"external": {"host": "mq"}}}),
    Case("rabbitmq.external.host", "mq2", "env/RABBITMQ_HOST", "mq2", BROKER),
    Case("nginx.enabled", False, "Service/myrasa/spec/ports/1", None),
    Case("nginx.port", 8081, "Service/myrasa/spec/ports/1", {"name": "http-nginx", "port": 8081, "targetPort": "http"}),
    Case("rasa-action-server.external.enabled", True, "endpoints/action_endpoint/url", "http://a", ACTION_URL),
    Case("rasa-action-server.external.url", "http://b", "endpoints/action_endpoint/url", "http://b", ACTION),
    Case("duckling.external.enabled", True, "env/RASA_DUCKLING_HTTP_URL", "http://d", DUCKLING_URL),
    Case("duckling.external.url", "http://e", "env/RASA_DUCKLING_HTTP_URL", "http://e", DUCKLING),
]  # fmt: skip
