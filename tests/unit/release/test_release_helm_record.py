"""What helm recorded, read from its Secrets."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any, cast

import pytest

from botyard.contracts import BotyardError
from botyard.tools.helm_record import decode, recorded
from botyard.tools.kube import Kube


def packed(body: dict[str, Any]) -> str:
    return base64.b64encode(base64.b64encode(gzip.compress(json.dumps(body).encode()))).decode()


def secret(revision: int, status: str) -> dict[str, Any]:
    body = {
        "name": "tea", "namespace": "shop", "version": revision, "info": {"status": status}, "manifest": "m",
        "hooks": [{"manifest": "a"}, {"manifest": "b"}],
        "chart": {"metadata": {"name": "tea", "version": f"0.{revision}.0"}, "templates": []},
    }  # fmt: skip
    return {"metadata": {"labels": {"version": str(revision)}}, "data": {"release": packed(body)}}


class Cluster:
    def __init__(self, *secrets: dict[str, Any]) -> None:
        self.secrets = list(secrets)

    def list(self, api_version: str, kind: str, namespace: str, labels: str) -> list[dict[str, Any]]:
        assert (api_version, kind, namespace, labels) == ("v1", "Secret", "shop", "owner=helm,name=tea")
        return self.secrets


def look(*secrets: dict[str, Any]) -> Any:
    return recorded(cast(Kube, Cluster(*secrets)), "tea", "shop")


def test_the_newest_revision_counts_and_not_the_last_word() -> None:
    live = look(secret(9, "superseded"), secret(10, "pending-upgrade"), secret(2, "superseded"))
    assert (live.revision, live.status, live.pending) == (10, "pending-upgrade", True)
    assert (live.chart, live.manifest, live.hooks, live.values) == ("tea-0.10.0", "m", "a\n---\nb", {})


def test_no_release() -> None:
    assert look() is None


@pytest.mark.parametrize("stored", ["bm90IGhlbG0=", "%%%", packed({})[:40]])
def test_what_is_no_record_is_refused(stored: str) -> None:
    with pytest.raises(BotyardError, match="cannot be read"):
        decode(stored)
