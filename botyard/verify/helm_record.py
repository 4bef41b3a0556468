"""What Helm recorded about a release, read from its Secrets without the helm program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botyard.contracts import BotyardError
from botyard.tools.helm_record import newest
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


def helm_record(released: Released, name: str) -> HelmRecord:
    """The newest record of a release, whatever its status.

    Raises:
        BotyardError: there is none.
    """
    body = newest(released.kube, name, released.namespace)
    if body is None:
        raise BotyardError(f"Helm has no release {name} in namespace {released.namespace}", "run invoke e2e")
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
