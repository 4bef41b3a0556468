"""What a deploy may do: asked of the API server one by one, and printed as the least roles that allow it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from botyard.contracts import BadInput
from botyard.later import later
from botyard.release.guard import answering
from botyard.tools.kube import Kube

kubernetes = later("kubernetes")

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


def ask(kube: Kube, namespace: str, *, reading: bool = False) -> list[Verdict]:
    """Asks the API server what we may do; it stores nothing of that.

    One question brings the rules that it can list. What they do not allow is asked for verb by verb, as an authorizer
    outside of the cluster (Azure's) decides, and does not list.

    Args:
        reading: only what `invoke deploy --check` needs.

    Raises:
        BotyardError: the API server does not answer.
    """
    rights = [_reading(right) for right in needed(namespace)] if reading else needed(namespace)
    with answering(kube), ThreadPoolExecutor(max_workers=8) as pool:
        rules = _review(kube, "SelfSubjectRulesReview", {"namespace": namespace}).get("resourceRules") or []
        open_ = [(right, verb) for right in rights for verb in right.verbs if not _listed(rules, right, verb)]
        allowed = list(pool.map(lambda pair: _may(kube, namespace, *pair), open_))
    refused: dict[Right, list[str]] = {right: [] for right in rights if right.verbs}
    for (right, verb), yes in zip(open_, allowed, strict=True):
        if not yes:
            refused[right].append(verb)
    return [Verdict(right, tuple(verbs)) for right, verbs in refused.items()]


def require(verdicts: Iterable[Verdict], target: str, namespace: str) -> list[str]:
    """Passes where all that a deploy must be allowed to do is allowed; what it could do without comes as warnings.

    Raises:
        BadInput: rights are missing; nothing was changed.
    """
    missing = [one for one in verdicts if one.refused]
    lines = [f"{', '.join(one.refused)} {one.right} ({one.right.why})" for one in missing if not one.right.optional]
    if lines:
        raise BadInput(
            f"who is logged in may not do what a deploy to namespace {namespace} needs:\n  " + "\n  ".join(lines),
            f"have applied what invoke target.rbac --target {target} prints, or log in as somebody else",
        )
    return [f"not allowed: {', '.join(one.refused)} {one.right} ({one.right.why})" for one in missing]


def _listed(rules: Iterable[dict[str, Any]], right: Right, verb: str) -> bool:
    """Whether one of these rules allows it, in the namespace or in all of them."""
    wanted = {"apiGroups": right.group, "resources": right.resource, "verbs": verb}
    return any(
        all({"*", value} & set(rule.get(key) or []) for key, value in wanted.items())
        and (not rule.get("resourceNames") or right.name in rule["resourceNames"])
        for rule in rules
    )


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
    attributes = {key: value for key, value in asked.items() if value}
    return bool(_review(kube, "SelfSubjectAccessReview", {"resourceAttributes": attributes})["allowed"])


def _review(kube: Kube, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The status of an answer."""
    api = "authorization.k8s.io/v1"
    body = {"apiVersion": api, "kind": kind, "spec": spec}
    status: dict[str, Any] = kube.post(f"/apis/{api}/{kind.lower()}s", body, timeout_s=5)["status"]
    return status


def readable(kube: Kube, kind: str, namespace: str | None = None) -> list[dict[str, Any]] | None:
    """All objects of a kind; None where that right is missing, which a deploy can do without."""
    try:
        return kube.list("v1", kind, namespace)
    except kubernetes.client.ApiException as error:
        if error.status == 403:
            return None
        raise


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
