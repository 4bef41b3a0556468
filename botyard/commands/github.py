"""What a workflow says on GitHub."""

from __future__ import annotations

import json
import os
from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from botyard.commands.streams import errors_as_lines

_LARGEST_REPORT = 50_000_000  # bytes; it comes from a job that ran a pull request's own code


@task(help={"folder": "where report.json of the looked-at run lies, at any depth; of several the newest by name"})
def comment(c: Context, folder: str) -> None:
    """Put a plan (invoke deploy --check --diff) on its pull request, in place of the one that is there.

    Works in a GitHub workflow that a pull request started, with GITHUB_TOKEN and the permission pull-requests: write.
    """
    with errors_as_lines():
        from botyard.contracts import BadInput, Secret
        from botyard.report.plan import MARKER, plan
        from botyard.tools.github import PullRequest

        found = sorted(Path(folder).rglob("report.json"))
        if not found:
            raise BadInput(f"there is no report.json below {folder}", "run invoke deploy --check --diff first")
        cure = "run it as a step of a workflow with `on: pull_request`, with GITHUB_TOKEN in the step's env"
        names = ("GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH")
        missing = [name for name in names if not os.environ.get(name)]
        if missing:
            raise BadInput(f"{', '.join(missing)}: not set", cure)
        event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        number = (event.get("pull_request") or {}).get("number")
        if not isinstance(number, int):
            raise BadInput("what started this workflow is no pull request", cure)
        if found[-1].stat().st_size > _LARGEST_REPORT:
            raise BadInput(f"{found[-1]} is too large for a report", "look at the run that made it")
        try:
            text = plan(json.loads(found[-1].read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(
                f"{found[-1]} is no report of a run: {type(error).__name__}", "was it made by invoke?"
            ) from None
        api = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
        token = Secret(os.environ["GITHUB_TOKEN"])
        done = PullRequest(api, os.environ["GITHUB_REPOSITORY"], number, token).say(MARKER, text)
        print(f"comment on pull request {number}: {done}")


@task(help={"folder": "the files that go with it, as invoke publish.packages made them"})
def release(c: Context, folder: str) -> None:
    """Make the release of this workflow's tag, with the files of a folder.

    Works in a GitHub workflow that a tag started, with GITHUB_TOKEN and the permission contents: write. It is a draft
    until all files are there; a run that was broken off is taken up again.
    """
    with errors_as_lines():
        from botyard.contracts import BadInput, Secret
        from botyard.tools.github_release import Repository

        names = ("GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_REF_NAME", "GITHUB_REF_TYPE")
        missing = [name for name in names if not os.environ.get(name)]
        if missing or os.environ["GITHUB_REF_TYPE"] != "tag":
            raise BadInput(
                f"{', '.join(missing)}: not set" if missing else "what started this workflow is no tag",
                "run it as a step of a workflow with `on: push: tags`, with GITHUB_TOKEN in the step's env",
            )
        files = sorted(file for file in Path(folder).glob("*") if file.is_file())
        if not files:
            raise BadInput(f"there are no files in {folder}", "make them: invoke publish.packages")
        api = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
        repository = Repository(api, os.environ["GITHUB_REPOSITORY"], Secret(os.environ["GITHUB_TOKEN"]))
        print(repository.release(os.environ["GITHUB_REF_NAME"], files))


@task(
    help={
        "folder": "packed charts, as invoke publish.packages made them",
        "registry": "address of the registry, which takes the workflow's own token",
    }
)
def charts(c: Context, folder: str, registry: str = "https://ghcr.io") -> None:
    """Push packed charts as OCI artifacts to GitHub's registry, below this repository's name: charts/rasa and so on.

    Works in a GitHub workflow, with GITHUB_TOKEN and the permission packages: write. A version that is there with the
    same content is fine, with other content it is refused.
    """
    with errors_as_lines():
        from urllib.parse import urlsplit

        from botyard.contracts import BadInput, Secret
        from botyard.host import chart_artifacts
        from botyard.host.registry_place import Place
        from botyard.tools.registry_login import Login

        names = ("GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_ACTOR")
        missing = [name for name in names if not os.environ.get(name)]
        if missing:
            raise BadInput(
                f"{', '.join(missing)}: not set",
                "run it as a step of a workflow, with GITHUB_TOKEN in the step's env and packages: write in the job's "
                "permissions; elsewhere: invoke publish.charts --target ...",
            )
        host = urlsplit(registry).netloc
        if not host:
            raise BadInput(f"--registry {registry!r} is no address", "give one as in --registry https://ghcr.io")
        packed = [chart_artifacts.of_archive(file) for file in sorted(Path(folder).glob("*.tgz"))]
        if not packed:
            raise BadInput(f"there are no packed charts in {folder}", "make them: invoke publish.packages")
        login = Login(os.environ["GITHUB_ACTOR"], Secret(os.environ["GITHUB_TOKEN"]))
        place = Place(registry, host, os.environ["GITHUB_REPOSITORY"].lower(), login)  # a registry takes no capitals
        with place.open() as there:
            new = chart_artifacts.put_all(there, place, packed, print)
            for chart in packed:
                verb = "pushed" if chart in new else "published already"
                print(f"{verb}: oci://{chart_artifacts.shown_of(there, place, chart)}")
