"""What a deploy may do: asked of the API server one by one, and printed as the least roles that allow it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from botyard.release.guard import answering
from botyard.tools.kube import Kube

_WRITE = ("get", "list", "watch", "create", "update", "patch", "delete")
_READ = ("get", "list", "watch")


@dataclass(frozen=True)
class Right:
    """Some verbs on one resource.

    Args:
        resource: plural, with its subresource behind a slash.
        name: of one object; '' for all of them.
        scope: "cluster" or "namespace".
        why: what it is needed for.
        optional: without it a check is left out, with a warning.
    """

    group: str
    resource: str
    verbs: Sequence[str]
    why: str
    scope: str = "namespace"
    name: str = ""
    optional: bool = False

    def __str__(self) -> str:
        dotted = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{dotted} {self.name}".rstrip()


def needed(namespace: str) -> list[Right]:
    """All that a deploy asks for, the pin's right first."""
    charts = "the charts' objects"
    return [
        Right("", "namespaces", ("get",), "the pin: is it this cluster?", "cluster", "kube-system"),
        Right("", "namespaces", ("get", "patch"), "the namespace and its labels", "cluster", namespace, optional=True),
        Right("", "nodes", ("get", "list"), "preflight: can it roll out?", "cluster", optional=True),
        Right("", "secrets", _WRITE, "Helm's record of a release, and the bot's tokens"),
        *(Right("", name, _WRITE, charts) for name in ("configmaps", "persistentvolumeclaims", "serviceaccounts")),
        Right("", "services", _WRITE, charts),
        *(Right("apps", name, _WRITE, charts) for name in ("deployments", "statefulsets")),
        Right("autoscaling", "horizontalpodautoscalers", _WRITE, charts),
        *(Right("networking.k8s.io", name, _WRITE, charts) for name in ("ingresses", "networkpolicies")),
        Right("policy", "poddisruptionbudgets", _WRITE, charts),
        Right("apps", "replicasets", _READ, "what a rollout waits for"),
        *(Right("", name, _READ, "what a rollout waits for") for name in ("pods", "events")),
        Right("discovery.k8s.io", "endpointslices", _READ, "which pods a Service leads to"),
        Right("", "pods/portforward", ("create", "get"), "the way to the bot: readonly checks, invoke talk"),
        Right("", "pods/log", ("get",), "evidence of what failed", optional=True),
        Right("", "pods/exec", ("create", "get"), "checks from inside a pod", optional=True),
        Right("", "pods/proxy", ("create", "get"), "checks of one pod by HTTP", optional=True),
        Right("", "resourcequotas", ("get", "list"), "preflight: does it fit?", optional=True),
    ]


@dataclass(frozen=True)
class Verdict:
    """A right, and the verbs of it that are refused."""

    right: Right
    refused: tuple[str, ...]


def ask(kube: Kube, namespace: str) -> list[Verdict]:
    """Asks the API server what we may do; it stores nothing of that.

    Raises:
        BotyardError: the API server does not answer.
    """
    rights = needed(namespace)
    pairs = [(right, verb) for right in rights for verb in right.verbs]
    with answering(kube), ThreadPoolExecutor(max_workers=8) as pool:
        allowed = list(pool.map(lambda pair: _may(kube, namespace, *pair), pairs))
    refused: dict[Right, list[str]] = {right: [] for right in rights}
    for (right, verb), yes in zip(pairs, allowed, strict=True):
        if not yes:
            refused[right].append(verb)
    return [Verdict(right, tuple(verbs)) for right, verbs in refused.items()]


def _may(kube: Kube, namespace: str, right: Right, verb: str) -> bool:
    resource, _, sub = right.resource.partition("/")
    asked = {
        "group": right.group,
        "resource": resource,
        "subresource": sub,
        "verb": verb,
        "name": right.name,
        "namespace": namespace if right.scope == "namespace" else "",
    }
    answer = kube.post(
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in asked.items() if value}},
        },
        timeout_s=5,
    )
    return bool(answer["status"]["allowed"])


def roles(
    namespace: str, name: str = "botyard-deploy", *, user: str = "", read_only: bool = False
) -> list[dict[str, Any]]:
    """ClusterRole, Role and their bindings to an account.

    Args:
        name: of roles and bindings.
        user: as the API server knows that user, such as the object id of an identity in Microsoft Entra; '' makes a
            ServiceAccount of that name in the namespace.
        read_only: only what `invoke deploy --check` needs.
    """
    api = "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    found: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
    ]
    if user:
        subject, found = {"kind": "User", "name": user, "apiGroup": api}, []
    wanted = [_reading(right) for right in needed(namespace)] if read_only else needed(namespace)
    for scope, kind in (("cluster", "ClusterRole"), ("namespace", "Role")):
        within = {} if scope == "cluster" else {"namespace": namespace}
        rules = _rules(right for right in wanted if right.scope == scope and right.verbs)
        found.append(
            {"apiVersion": f"{api}/v1", "kind": kind, "metadata": {"name": name, **within}, "rules": rules},
        )
        found.append(
            {
                "apiVersion": f"{api}/v1",
                "kind": f"{kind}Binding",
                "metadata": {"name": name, **within},
                "roleRef": {"apiGroup": api, "kind": kind, "name": name},
                "subjects": [subject],
            }
        )
    return found


def _reading(right: Right) -> Right:
    """The same without what changes something; what goes into a pod is no reading."""
    into_a_pod = right.resource in ("pods/exec", "pods/portforward", "pods/proxy")
    return replace(right, verbs=() if into_a_pod else tuple(verb for verb in right.verbs if verb in _READ))


def _rules(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """One rule for all resources of a group that need the same verbs."""
    rules: dict[tuple[str, tuple[str, ...], str], list[str]] = {}
    for right in rights:
        rules.setdefault((right.group, tuple(right.verbs), right.name), []).append(right.resource)
    return [
        {
            "apiGroups": [group],
            "resources": resources,
            **({"resourceNames": [name]} if name else {}),
            "verbs": list(verbs),
        }
        for (group, verbs, name), resources in rules.items()
    ]
