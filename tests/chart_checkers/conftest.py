"""What the checkers look at: all that the values of this project render, and that with network policies on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from botyard.process import run

ROOT = Path(__file__).parents[2]
CACHE = Path(platformdirs.user_cache_dir("botyard"))
DIGEST = "sha256:" + "a" * 64
RELEASES = {"rasa": "myrasa", "rasa-action-server": "rasa-action-server"}
# As a release is: by digest.
_BY_DIGEST = {"image": {"digest": DIGEST}}
RELEASED: dict[str, Any] = {**_BY_DIGEST, "redis": _BY_DIGEST, "gateway": _BY_DIGEST}
TARGETS = ("base", "kind", "minikube", "aks")  # those of the golden renders


class Renders:
    """Renders both charts for each target into files, one a chart and target."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = sorted((CACHE / "tools" / "helm").glob("*/helm"))
        if not found:
            pytest.skip("there is no helm yet: invoke e2e --tags cluster")
        self._helm = found[-1]

    def __call__(self, **values: Any) -> list[Path]:
        own = self._folder / "values.json"
        own.write_text(json.dumps({**RELEASED, **values}))
        files = []
        for target in TARGETS:
            folder = self._folder / "rendered" / target
            folder.mkdir(parents=True, exist_ok=True)
            for chart, name in RELEASES.items():
                given = [ROOT / "values" / chart / f"{layer}.yaml" for layer in dict.fromkeys(["base", target])]
                argv = [
                    self._helm,
                    "template",
                    name,
                    ROOT / "charts" / chart,
                    *(f"--values={f}" for f in [*given, own]),
                ]
                file = folder / f"{chart}.yaml"
                file.write_text(run(argv, timeout_s=60).stdout)
                files.append(file)
        return files


@pytest.fixture
def renders(tmp_path: Path) -> Renders:
    return Renders(tmp_path)
