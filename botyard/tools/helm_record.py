"""What helm recorded about a release, read from its Secrets: one look at the API where helm itself needs two starts."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
from typing import Any

from botyard.contracts import BotyardError
from botyard.tools.helm import STATUS_DEPLOYED, Release, release_of
from botyard.tools.kube import Kube


def recorded(kube: Kube, name: str, namespace: str) -> Release | None:
    """The newest revision, whatever its status, with its chart; None where there is no such release.

    Raises:
        BotyardError: the record is something else.
    """
    body = newest(kube, name, namespace)
    return None if body is None else release_of(body)


def newest(kube: Kube, name: str, namespace: str) -> dict[str, Any] | None:
    """The whole record of the newest revision, with chart and templates."""
    found = _records(kube, name, namespace)
    if not found:
        return None
    last = max(found, key=lambda item: int(item["metadata"]["labels"].get("version", 0)))
    return decode(last["data"]["release"])


def kept(kube: Kube, name: str, namespace: str) -> list[int]:
    """The revisions that Helm still has of a release, in no order."""
    return [int(item["metadata"]["labels"].get("version", 0)) for item in _records(kube, name, namespace)]


def last_good(kube: Kube, name: str, namespace: str) -> int:
    """The revision that serves, or served last, or 0: never one that failed or that a killed helm left behind."""
    by_status: dict[str, list[int]] = {}
    for item in _records(kube, name, namespace):
        labels = item["metadata"]["labels"]
        by_status.setdefault(labels.get("status", ""), []).append(int(labels.get("version", 0)))
    return max(by_status.get(STATUS_DEPLOYED) or by_status.get("superseded") or [0])


def _records(kube: Kube, name: str, namespace: str) -> list[dict[str, Any]]:
    """The Secrets that Helm keeps a release in, one a revision."""
    return kube.list("v1", "Secret", namespace, labels=f"owner=helm,name={name}")


def decode(stored: str) -> dict[str, Any]:
    """Opens the ``release`` field of helm's Secret: base64 of base64 of gzip of JSON.

    Raises:
        BotyardError: it is something else.
    """
    try:
        packed = base64.b64decode(base64.b64decode(stored))
        found: dict[str, Any] = json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
    except (binascii.Error, OSError, EOFError, ValueError) as error:
        raise BotyardError(f"Helm's record cannot be read: {error}") from error
    return found
