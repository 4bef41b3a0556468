"""checkov over what the charts render: nothing fails but what is named here, with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import CACHE, Renders

from botyard.host.ansible_env import checkov_env
from botyard.process import run

ACCEPTED = {
    "CKV_K8S_11": "no CPU limit: it would stall Rasa's one event loop in every burst; CPU is asked for, memory limited",
    "CKV_K8S_21": "no namespace in the manifests: helm gives it",
    "CKV_K8S_35": "REDIS_PASSWORD is a variable: Rasa expands endpoints.yml from the environment alone",
    "CKV_K8S_40": "user 1001: the one that Rasa's images are made for",
}
# The pod of `helm test`, besides.
OF_THE_TEST = {
    "CKV_K8S_8": "no liveness probe: it runs once, to its end",
    "CKV_K8S_9": "no readiness probe: it serves nobody",
    "CKV2_K8S_6": "no network policy: it lives for seconds and nobody calls it",
}
POLICIES = {"CKV2_K8S_6": "network policies are off by default: what a namespace lets through is its operator's to say"}


@pytest.fixture(scope="session")
def checkov() -> Path:
    return checkov_env(CACHE, print) / "bin" / "checkov"


def failed(checkov: Path, renders: Renders, **values: Any) -> dict[str, list[str]]:
    """Failed checks of both charts, without those of the test's pod: id -> resources."""
    rendered = renders(**values)[0].parents[1]
    argv = [checkov, "--directory", rendered, "--framework", "kubernetes", "--compact", "--output", "json"]
    report = json.loads(run([*argv, "--soft-fail", "--skip-download"], timeout_s=300).stdout)
    assert report["summary"]["passed"] > 200 and not report["summary"]["parsing_errors"]
    found: dict[str, list[str]] = {}
    for one in report["results"]["failed_checks"]:
        tester = "myrasa-test" in one["resource"] and one["check_id"] in OF_THE_TEST
        if not tester:
            found.setdefault(one["check_id"], []).append(one["resource"])
    return found


def test_a_release_fails_nothing_but_what_is_accepted(checkov: Path, renders: Renders) -> None:
    found = failed(checkov, renders)
    assert set(found) == {*ACCEPTED, *POLICIES}, {key: found[key] for key in set(found) - set(ACCEPTED)}


def test_with_policies_every_pod_has_one(checkov: Path, renders: Renders) -> None:
    assert set(failed(checkov, renders, networkPolicy={"enabled": True})) == set(ACCEPTED)


def test_it_finds_what_is_wrong(checkov: Path, renders: Renders) -> None:
    found = failed(checkov, renders, securityContext={"privileged": True})
    assert "CKV_K8S_16" in found
