"""kube-score over what the charts render: nothing fails but what kube_score.yml names, with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import CACHE, Renders

from botyard import yaml11
from botyard.contracts import Paths
from botyard.host.ansible_env import kube_score
from botyard.process import run

KNOWN = yaml11.load(Path(__file__).with_name("kube_score.yml").read_text())
KUBERNETES = "v1.32"  # the newest whose changes this kube-score knows
# Checks that are off unless asked for. Those that want requests to equal limits are not: memory is asked for by what a
# light pipeline takes and limited by what a heavy one may.
MORE = ["container-seccomp-profile", "container-ports-check"]
PASSED = 10


@pytest.fixture(scope="session")
def scorer() -> Path:
    return kube_score(Paths(Path(), Path(), CACHE), print)


def failed(scorer: Path, files: list[Path]) -> dict[str, set[str]]:
    """Failed checks, warnings too: id -> names of objects."""
    found: dict[str, set[str]] = {}
    counted = 0
    for file in files:
        more = [f"--enable-optional-test={name}" for name in MORE]
        argv = [scorer, "score", "--output-format", "json", "--kubernetes-version", KUBERNETES, *more, file]
        for scored in json.loads(run(argv, check=False, timeout_s=60).stdout):
            for check in scored["checks"]:
                counted += not check["skipped"]
                if not check["skipped"] and check["grade"] < PASSED:
                    found.setdefault(check["check"]["id"], set()).add(scored["object_meta"]["name"])
    assert counted > 100, "kube-score looked at next to nothing"
    return found


def test_a_release_fails_nothing_but_what_is_accepted(scorer: Path, renders: Renders) -> None:
    assert failed(scorer, renders()).keys() == KNOWN["accepted"].keys()


def test_with_policies_every_pod_that_stays_has_one(scorer: Path, renders: Renders) -> None:
    found = failed(scorer, renders(networkPolicy={"enabled": True}))
    assert found.keys() == KNOWN["accepted"].keys()
    assert found["pod-networkpolicy"] == set(KNOWN["with_policies"]["pod-networkpolicy"])


@pytest.mark.parametrize(
    ("values", "check"),
    [
        ({"securityContext": {"privileged": True}}, "container-security-context-privileged"),
        ({"podSecurityContext": {"seccompProfile": None}}, "container-seccomp-profile"),
    ],
)
def test_it_finds_what_is_wrong(scorer: Path, renders: Renders, values: dict[str, Any], check: str) -> None:
    assert check in failed(scorer, renders(**values))
