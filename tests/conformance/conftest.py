"""The real Ansible, and its side of all chosen cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conformance.case import Both, Case
from conformance.server import served

from botyard.commands.session import paths_for
from botyard.host.ansible_env import ansible_env


@pytest.fixture(scope="session")
def real_ansible() -> Path:
    """The environment of the real Ansible; made where it is not there yet."""
    return ansible_env(paths_for("any").cache, print)


@pytest.fixture(scope="session")
def both(
    request: pytest.FixtureRequest, real_ansible: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    """Runs the chosen cases; what lookups and uri ask for is there."""
    chosen = [item.callspec.params.get("case") for item in request.session.items if hasattr(item, "callspec")]
    cases = [case for case in chosen if isinstance(case, Case)]
    with served() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONFORMANCE_URL", url)
        patch.setenv("CONFORMANCE_WORD", "from the environment")
        runs = Both(real_ansible, tmp_path_factory.mktemp("conformance"), cases)
        yield runs
        runs.close()
