"""The `run:` steps of ci.yml and e2e.yml, as they stand there, in order, in a fresh copy: so they cannot rot.

What the actions bring is made by hand: the checkout, a Python of its own, a page for the summary. The last step takes
the cluster and the engine away, as it does on GitHub: nothing that needs them may come after this lane.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".venv", ".botyard", "__pycache__", "*.egg-info", ".mypy_cache", ".ruff_cache")
STEP_TIMEOUT_S = 5400


@pytest.mark.parametrize("workflow", ["ci", "e2e"])
def test_the_steps_of_a_workflow_pass_in_order(workflow: str, tmp_path: Path) -> None:
    checkout, page = tmp_path / "checkout", tmp_path / "summary.md"
    shutil.copytree(ROOT, checkout, ignore=LEFT_OUT)
    subprocess.run([sys.executable, "-m", "venv", checkout / ".venv"], check=True)
    env = {
        **{key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")},
        "PATH": f"{checkout / '.venv/bin'}:{os.environ['PATH']}",
        "CI": "true",
        "GITHUB_STEP_SUMMARY": str(page),
    }
    steps: list[dict[str, Any]] = [
        step
        for job in yaml.safe_load((checkout / f".github/workflows/{workflow}.yml").read_text())["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    failed = ""
    for step in steps:
        if failed and "if" not in step:
            continue  # as GitHub does: what must run in any case still runs
        print(f"\n== {workflow}: {step['name']}: {step['run']}", flush=True)
        # GitHub's own shell: bash --noprofile --norc -eo pipefail.
        argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        if subprocess.run(argv, cwd=checkout, env=env, timeout=STEP_TIMEOUT_S, check=False).returncode:
            failed = failed or step["name"]
    assert not failed, f"step {failed!r} of {workflow}.yml failed"
    if workflow == "e2e":
        assert "checks passed" in page.read_text()
