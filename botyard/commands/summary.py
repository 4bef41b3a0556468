"""What the last run came to, for a person or a workflow's page."""

from __future__ import annotations

import json
import os
from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from botyard.commands.session import Flags, paths_for, read_target
from botyard.commands.streams import errors_as_lines


@task(help={"target": "a name in values/targets.yml"})
def summary(c: Context, target: str = "kind") -> None:
    """Print the last run as Markdown: its plays, checks and what failed.

    In a GitHub workflow it goes to the page of that workflow's run, too.
    """
    with errors_as_lines():
        from botyard.contracts import BadInput
        from botyard.report.markdown import markdown

        runs = paths_for(read_target(Flags(target), any_cluster=True).cluster).state / "runs"
        found = sorted(runs.glob("*/report.json"), key=lambda file: file.stat().st_mtime)
        if not found:
            raise BadInput(f"no run left a report below {runs}", "run invoke e2e")
        text = markdown(json.loads(found[-1].read_text(encoding="utf-8")))
        print(text, end="")
        if page := os.environ.get("GITHUB_STEP_SUMMARY"):
            with Path(page).open("a", encoding="utf-8") as file:
                file.write(text)
