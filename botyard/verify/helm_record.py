"""What Helm recorded about a release, read from its Secrets without the helm program."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
from dataclasses import dataclass
from typing import Any

from botyard.contracts import BotyardError
from botyard.verify.released import Released


@dataclass(frozen=True)
class HelmRecord:
    """The newest revision of a release. ``values`` are those that were given, without the chart's defaults."""

    name: str
    revision: int
    status: str
    chart: str
    version: str
    values: dict[str, Any]
    manifest: str

    def value(self, path: str) -> Any:
        """One value by its dotted path; None where it was not given."""
        found: Any = self.values
        for key in path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        return found


def decode(stored: str) -> dict[str, Any]:
    """Opens the ``release`` field of Helm's Secret: base64 of base64 of gzip of JSON.

    Raises:
        BotyardError: it is something else.
    """
    try:
        packed = base64.b64decode(base64.b64decode(stored))
        found: dict[str, Any] = json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
    except (binascii.Error, OSError, EOFError, ValueError) as error:
        raise BotyardError(f"Helm's record cannot be read: {error}") from error
    return found


def helm_record(released: Released, name: str) -> HelmRecord:
    """The newest record of a release, whatever its status.

    Raises:
        BotyardError: there is none.
    """
    found = released.kube.list("v1", "Secret", released.namespace, labels=f"owner=helm,name={name}")
    if not found:
        raise BotyardError(f"Helm has no release {name} in namespace {released.namespace}", "run invoke e2e")
    newest = max(found, key=lambda item: int(item["metadata"]["labels"].get("version", 0)))
    body = decode(newest["data"]["release"])
    meta = body["chart"]["metadata"]
    return HelmRecord(
        name=name,
        revision=int(body["version"]),
        status=str(body["info"]["status"]),
        chart=str(meta["name"]),
        version=str(meta["version"]),
        values=body.get("config") or {},
        manifest=str(body.get("manifest", "")),
    )
