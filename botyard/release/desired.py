"""Is an object in the cluster as it was asked for? The server itself is asked, by a dry run."""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from botyard import yaml11
from botyard.contracts import BadInput, BotyardError, Diff
from botyard.later import later
from botyard.tools.kube import FIELD_MANAGER, Kube

kubernetes = later("kubernetes")

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_VOLATILE = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink")


def _as_kubernetes_reads(parser: Any) -> Any:
    """YAML as Kubernetes and helm read it: 1.1, so that 0440 is octal, but without its dates and 1:30 as numbers."""
    loader: Any = type("Loader", (parser,), {})
    loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if tag not in ("tag:yaml.org,2002:timestamp", _INT)]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    loader.add_implicit_resolver(_INT, _WHOLE, list("-+0123456789"))
    return loader


_INT = "tag:yaml.org,2002:int"
_WHOLE = re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)\Z")
_LOADER = _as_kubernetes_reads(yaml.SafeLoader)
_QUICK = _as_kubernetes_reads(getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def load_documents(source: Path | str) -> list[dict[str, Any]]:
    """All objects of a YAML file or text; a List counts as its items.

    Raises:
        BadInput: no such file, bad YAML (file:line:column) or a document that is no Kubernetes object.
    """
    where = str(source) if isinstance(source, Path) else "definition"
    try:
        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        documents = _parsed(text)
    except FileNotFoundError:
        raise BadInput(f"{where}: there is no such file") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
        raise BadInput(f"{place}: not valid YAML: {error.problem or error.context}") from None
    return flatten(documents, where)


def _parsed(text: str) -> list[Any]:
    if yaml11.libyaml_may_read(text):
        with contextlib.suppress(yaml.YAMLError):  # the parser in Python says better what is wrong
            return list(yaml.load_all(text, Loader=_QUICK))
    return list(yaml.load_all(text, Loader=_LOADER))


def flatten(documents: list[Any], where: str = "definition") -> list[dict[str, Any]]:
    """The objects among documents, Lists opened; empty documents are left out."""
    found: list[dict[str, Any]] = []
    for number, document in enumerate(documents, start=1):
        if document is None:
            continue
        if (
            isinstance(document, dict)
            and isinstance(document.get("items"), list)
            and "List" in document.get("kind", "")
        ):
            found += flatten(document["items"], where)
            continue
        named = isinstance(document, dict) and isinstance(document.get("metadata"), dict)
        if not named or not (document.get("apiVersion") and document.get("kind") and document["metadata"].get("name")):
            raise BadInput(f"{where}: object {number} needs apiVersion, kind and metadata.name")
        found.append(document)
    return found


def shown(body: dict[str, Any]) -> str:
    """Kind and name for a person, as in ``Deployment/myrasa``."""
    return f"{body['kind']}/{body['metadata']['name']}"


def comparable(live: dict[str, Any]) -> dict[str, Any]:
    """An object without what the server counts or reports."""
    body = copy.deepcopy(live)
    body.pop("status", None)
    for key in _VOLATILE:
        body.get("metadata", {}).pop(key, None)
    return body


def secret_values(body: dict[str, Any]) -> list[str]:
    """What must never be shown of an object: the values of a Secret, as they are and decoded."""
    if body.get("kind") != "Secret":
        return []
    found = [str(value) for value in (body.get("stringData") or {}).values()]
    for value in (body.get("data") or {}).values():
        found.append(str(value))
        with contextlib.suppress(ValueError):  # not base64: the server will refuse it
            found.append(base64.b64decode("".join(str(value).split()), validate=True).decode(errors="replace"))
    return found


def as_text(body: dict[str, Any] | None) -> str:
    """For diffs: sorted, and the values of a Secret hidden."""
    if body is None:
        return ""
    body = copy.deepcopy(body)
    if body.get("kind") == "Secret":
        for key in ("data", "stringData"):
            if isinstance(body.get(key), dict):
                body[key] = dict.fromkeys(body[key], "***")
        annotations = (body.get("metadata") or {}).get("annotations") or {}
        annotations.pop(_LAST_APPLIED, None)  # kubectl keeps the values there too
    return json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def scale_target(scaler: dict[str, Any]) -> str:
    """What a HorizontalPodAutoscaler scales, as ``shown`` names it."""
    target = scaler["spec"]["scaleTargetRef"]
    return f"{target['kind']}/{target['name']}"


def fingerprint(live: dict[str, Any]) -> str:
    """Digest of an object and of who owns which field of it, without what the server counts or reports.

    Where it is the same, applying the same body has the same effect.
    """
    body = {key: value for key, value in live.items() if key != "status"}
    metadata = {key: value for key, value in (live.get("metadata") or {}).items() if key not in _VOLATILE}
    owners = [
        {key: value for key, value in entry.items() if key != "time"}
        for entry in (live.get("metadata") or {}).get("managedFields") or []
        if entry.get("subresource") != "status"
    ]
    whole = json.dumps([{**body, "metadata": metadata}, owners], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def difference(
    kube: Kube,
    body: dict[str, Any],
    namespace: str | None = None,
    field_manager: str = FIELD_MANAGER,
    seen: Callable[[dict[str, Any]], None] | None = None,
) -> Diff | None:
    """What applying ``body`` would change, or None where the cluster has it already.

    Args:
        seen: gets the live object where that is so.
    Raises:
        BotyardError: the server refuses it.
    """
    live = kube.get(
        body["apiVersion"], body["kind"], body["metadata"]["name"], body["metadata"].get("namespace", namespace)
    )
    if live is None:
        return Diff(header=shown(body), before="", after=as_text(body))
    after = comparable(applied(kube, body, namespace, dry_run=True, field_manager=field_manager))
    before = comparable(live)
    if before == after:
        if seen is not None:
            seen(live)
        return None
    return Diff(header=shown(body), before=as_text(before), after=as_text(after))


def applied(
    kube: Kube,
    body: dict[str, Any],
    namespace: str | None = None,
    *,
    dry_run: bool = False,
    field_manager: str = FIELD_MANAGER,
) -> dict[str, Any]:
    """Server-side apply with errors that a person can read.

    Raises:
        BotyardError: the server refuses the object, or knows no such kind.
    """
    try:
        return kube.apply(body, namespace, dry_run=dry_run, field_manager=field_manager)
    except kubernetes.dynamic.exceptions.ResourceNotFoundError:
        raise BotyardError(f"{shown(body)}: this cluster knows no {body['apiVersion']} {body['kind']}") from None
    except kubernetes.client.ApiException as error:
        raise BotyardError(f"{shown(body)}: refused by the API server: {reason(error)}") from error


def reason(error: Any) -> str:
    """The server's sentence in an API error."""
    try:
        return str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        return f"{error.status} {error.reason}"
