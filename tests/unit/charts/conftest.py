"""Renders the charts with the real helm; no cluster and no network are needed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from botyard.process import run
from botyard.release.desired import load_documents

ROOT = Path(__file__).parents[3]
RELEASES = {"rasa": "myrasa", "rasa-action-server": "rasa-action-server"}

Objects = dict[tuple[str, str], dict[str, Any]]
Render = Callable[..., Objects]


@pytest.fixture(scope="session")
def helm() -> Path:
    """A helm that botyard built or fetched, else the one on PATH."""
    cache = Path(platformdirs.user_cache_dir("botyard")) / "tools" / "helm"
    found = sorted(cache.glob("*/helm")) if cache.is_dir() else []
    binary = str(found[-1]) if found else shutil.which("helm")
    if binary is None:
        pytest.skip("there is no helm yet: invoke e2e --tags cluster")
    return Path(binary)


@pytest.fixture(scope="session")
def render(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """``render(chart, *values_files, **values)`` gives the objects by (kind, name); the same question is asked once."""
    home = tmp_path_factory.mktemp("helm")
    known: dict[str, Objects] = {}

    def rendered(chart: str, *files: str, **values: Any) -> Objects:
        question = json.dumps([chart, files, values], sort_keys=True)
        if question not in known:
            known[question] = asked(chart, *files, **values)
        return known[question]

    def asked(chart: str, *files: str, **values: Any) -> Objects:
        own = home / "values.json"
        own.write_text(json.dumps(values))
        argv: list[str | Path] = [helm, "template", RELEASES[chart], ROOT / "charts" / chart, "--namespace", "rasa"]
        for file in files:
            argv += ["--values", ROOT / file]
        env = {f"HELM_{part}_HOME": str(home / part.lower()) for part in ("CONFIG", "CACHE", "DATA")}
        done = run([*argv, "--values", own], env=env, timeout_s=30)
        return {(o["kind"], o["metadata"]["name"]): o for o in load_documents(done.stdout)}

    return rendered


@pytest.fixture(scope="session")
def render_with_defaults(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """``render_with_defaults(chart, defaults, **values)``: as ``helm upgrade --reuse-values`` renders it.

    Helm then takes the values of the last revision in place of the new chart's own, so those may lack any new key.
    """

    def rendered(chart: str, defaults: dict[str, Any], **values: Any) -> Objects:
        folder = tmp_path_factory.mktemp("chart")
        shutil.copytree(ROOT / "charts" / chart, folder / chart)
        (folder / chart / "values.yaml").write_text(json.dumps(defaults))
        own = folder / "values.json"
        own.write_text(json.dumps(values))
        argv: list[str | Path] = [helm, "template", RELEASES[chart], folder / chart, "--namespace", "rasa"]
        done = run([*argv, "--values", own], timeout_s=30)
        return {(o["kind"], o["metadata"]["name"]): o for o in load_documents(done.stdout)}

    return rendered


@pytest.fixture(scope="session")
def render_for(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """``render_for(kubernetes_version, chart, **values)``: as for a cluster of that version."""
    own = tmp_path_factory.mktemp("version") / "values.json"

    def rendered(version: str, chart: str, **values: Any) -> Objects:
        own.write_text(json.dumps(values))
        argv: list[str | Path] = [helm, "template", RELEASES[chart], ROOT / "charts" / chart, "--values", own]
        done = run([*argv, "--kube-version", version], timeout_s=30)
        return {(o["kind"], o["metadata"]["name"]): o for o in load_documents(done.stdout)}

    return rendered


@pytest.fixture(scope="session")
def notes(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """``notes(chart, **values)`` gives what helm says after an install."""
    home = tmp_path_factory.mktemp("notes")

    def told(chart: str, **values: Any) -> str:
        (home / "values.json").write_text(json.dumps(values))
        argv: list[str | Path] = [helm, "install", RELEASES[chart], ROOT / "charts" / chart, "--dry-run=client"]
        out = run([*argv, "--values", home / "values.json", "--kubeconfig", "/dev/null"], timeout_s=30).stdout
        return out.partition("\nNOTES:\n")[2]

    return told


@pytest.fixture(scope="session")
def lint(helm: Path) -> Callable[..., None]:
    """``lint(chart, *values_files)`` fails where helm has an error or a warning."""

    def linted(chart: str, *files: str) -> None:
        argv: list[str | Path] = [helm, "lint", "--strict", ROOT / "charts" / chart]
        for file in files:
            argv += ["--values", ROOT / file]
        run(argv, timeout_s=30)

    return linted
