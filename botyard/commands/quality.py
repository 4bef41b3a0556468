"""All tests: the quick ones first, then the real end-to-end run."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from botyard.commands.session import Flags, paths_for, root_folder, run
from botyard.commands.streams import errors_as_lines

QUICK: list[tuple[str, list[str]]] = [
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    ("rooms", ["importlinter.cli", "lint-imports"]),
    ("workflows", ["pytest", "-q", "tests/workflows"]),
    ("unit tests", ["pytest", "-q", "tests/unit", "--ignore=tests/unit/charts"]),
]
# They need a helm, which on a fresh machine the end-to-end run builds: without one they are skipped.
CHARTS = ("charts", ["pytest", "-q", "tests/unit/charts"])

# Against the real Ansible.
CONFORMANCE = ("conformance", ["pytest", "-q", "tests/conformance", "--ignore=tests/conformance/test_cluster.py"])

SLOW: list[tuple[str, list[str]]] = [
    # First those that need the cluster which the end-to-end run left.
    ("conformance on the cluster", ["pytest", "-v", "tests/conformance/test_cluster.py"]),
    ("modules", ["pytest", "-v", "tests/modules_live"]),
    ("targets", ["pytest", "-v", "tests/targets_live"]),
    ("chart checkers", ["pytest", "-v", "tests/chart_checkers"]),
    ("registries", ["pytest", "-v", "-s", "tests/registries"]),
    ("other bots", ["pytest", "-v", "tests/other_bots"]),
    ("killed runs", ["pytest", "-v", "tests/recovery"]),
    ("blob storage", ["pytest", "-v", "tests/blob_storage"]),
    ("browser", ["pytest", "-v", "tests/browser"]),
    ("minikube", ["pytest", "-v", "-s", "tests/minikube"]),
    # Last: its last step takes the engine away.
    ("workflow steps", ["pytest", "-v", "-s", "tests/workflow_steps"]),
]


@task(
    help={
        "quick": "without the real Ansible and the end-to-end run: no Docker needed, done in a minute",
        "all": "also the slow lanes: both engines and each module's idempotence matrix on the cluster, that cluster as "
        "one that only a kubeconfig leads to, checkov and kube-score over the charts, sources: registries on local "
        "servers, other bots, runs killed at five moments, models in Azurite (needs .[azure] and npm), the report page "
        "in a browser (needs .[browser] and a Chromium; what is not there is skipped), a bot on minikube, and the "
        "steps of the GitHub workflows in a fresh copy",
    }
)
def test(c: Context, quick: bool = False, all: bool = False) -> None:
    """All tests: lint, types, rooms, unit tests, conformance with Ansible, then the real end-to-end run."""
    seconds: list[tuple[str, float]] = []
    try:
        with errors_as_lines():
            _phases(seconds, quick=quick, all=all)
    finally:
        print("\nseconds per phase")
        for name, spent in seconds:
            print(f"{spent:9.1f}  {name}")


def _phases(seconds: list[tuple[str, float]], *, quick: bool, all: bool) -> None:
    def tools(*phases: tuple[str, list[str]]) -> None:
        for name, argv in phases:
            _phase(name, seconds, functools.partial(_tool, argv))

    tools(*QUICK)
    if quick:
        tools(CHARTS)
        return
    _phase("install Ansible", seconds, _install_ansible)
    tools(CONFORMANCE)
    _phase("end to end", seconds, _e2e)
    tools(CHARTS, *(SLOW if all else []))


def _phase(name: str, seconds: list[tuple[str, float]], body: Callable[[], None]) -> None:
    print(f"\n== {name}", flush=True)
    started = time.monotonic()
    try:
        body()
    finally:
        seconds.append((name, time.monotonic() - started))


def _tool(argv: list[str]) -> None:
    from botyard import process

    module, *rest = argv
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as m; m()"]
    if module != "importlinter.cli":
        command = [sys.executable, "-m", module, *rest]
    done = process.run(
        command, cwd=root_folder(), check=False, timeout_s=7200, on_line=functools.partial(print, flush=True)
    )
    if done.returncode:
        raise Exit(f"botyard: {' '.join(argv)} failed", 1)


def _install_ansible() -> None:
    """Into an environment of its own, where it is not there yet."""
    from botyard.host.ansible_env import ansible_env

    print(ansible_env(paths_for("any").cache, functools.partial(print, flush=True)))


def _e2e() -> None:
    report = run(["e2e.yml"], Flags(plain=True))
    if report is not None and report.exit_code:
        raise Exit(code=report.exit_code)
