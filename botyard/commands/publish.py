"""What others may take from this checkout: its charts, into a registry or with a release on GitHub, and the package."""

from __future__ import annotations

import os
from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from botyard.commands.main import HELP
from botyard.commands.session import Flags, paths_for, play, read_target, root_folder
from botyard.commands.streams import errors_as_lines


@task(help={key: HELP[key] for key in ("target", "check", "plain", "debug")})
def charts(c: Context, target: str = "", check: bool = False, plain: bool = False, debug: bool = False) -> None:
    """Push the charts, by the versions in their Chart.yaml, to the target's registry as OCI artifacts.

    A version that is there with the same content is fine, with other content it is refused. No cluster is asked.
    Then: invoke deploy --target aks --version 0.3.0
    """
    with errors_as_lines(debug):
        from botyard.contracts import BadInput
        from botyard.host import registry_place

        if not target:
            raise BadInput("where to? there is no --target", "name one: invoke target.list shows them")
        flags = Flags(target, check=check, plain=plain, debug=debug)
        registry_place.of(read_target(flags, any_cluster=True))  # says what is wrong before helm is built
    play(["publish_charts.yml"], flags, needs_bot=False, any_cluster=True, needs_cluster=False)


@task(
    help={
        "dest": "a new folder for the archives, SHA256SUMS and site/index.yaml",
        "url": "where the archives will lie; in a workflow, with the release of its tag",
        "site": "where the index is served: what it says now stays in it; in a workflow, the repository's page",
    }
)
def packages(c: Context, dest: str = "dist", url: str = "", site: str = "") -> None:
    """Pack the charts for a release: archives, checksums, and the index of a Helm repository. Nothing is pushed.

    A version that is out with other content is refused.
    """
    with errors_as_lines():
        from botyard.contracts import BadInput, BotyardError
        from botyard.host import toolbox
        from botyard.release import charts as packing
        from botyard.release import packages as packed
        from botyard.tools.helm import Helm

        repository, tag = os.environ.get("GITHUB_REPOSITORY", ""), os.environ.get("GITHUB_REF_NAME", "")
        if repository and tag:
            owner, _, name = repository.partition("/")
            server = os.environ.get("GITHUB_SERVER_URL") or "https://github.com"
            url = url or f"{server}/{repository}/releases/download/{tag}"
            site = site or f"https://{owner.lower()}.github.io/{name}"
        if not url or not site:
            raise BadInput("where will the archives lie, and the index?", "give --url and --site, as https://...")
        target = read_target(Flags(), any_cluster=True)
        paths = paths_for(target.cluster)
        try:
            old = packing.fetch(f"{site.rstrip('/')}/{packing.INDEX}", proxy=True)
        except BotyardError as error:
            told = f"what the index holds now is not known: {error.message}"
            raise BotyardError(told, "is --site right, and does this machine reach it?") from None
        folders = [paths.root / "charts" / name for name in ("rasa-action-server", "rasa")]
        [program] = toolbox.ensure(paths, target, ["helm"], print)
        helm = Helm(program.path, paths.state / "helm")
        made = packed.make(helm, folders, Path(dest), url, old)
        for file in made.archives:
            print(file)
        known = {name: [one["version"] for one in versions] for name, versions in made.index["entries"].items()}
        for name, versions in known.items():
            print(f"index: {name} {', '.join(versions)}")


_DEST = "the folder of the release; SHA256SUMS in it grows by what is made"


@task(help={"dest": _DEST})
def python(c: Context, dest: str = "dist") -> None:
    """Build the Python package for a release: the whole checkout as a source archive, and a wheel. Nothing is pushed.

    The same commit gives the same files. Needs: pip install -e '.[release]'
    """
    with errors_as_lines():
        from botyard.release import python_package

        for file in python_package.build(root_folder(), Path(dest).resolve()):
            print(file)


@task(help={"dest": _DEST + "; what lies there already is named in it by checksum"})
def sbom(c: Context, dest: str = "dist") -> None:
    """Write down what a release is made of, as CycloneDX: Python packages by version, and the images of the charts.

    Needs: pip install -e '.[release]'
    """
    with errors_as_lines():
        from botyard.release import python_package
        from botyard.release.packages import add_sums

        python_package.needs("cyclonedx")
        from botyard.release import sbom as material

        root, folder = root_folder(), Path(dest)
        moment = python_package.commit_time(root)
        folder.mkdir(parents=True, exist_ok=True)
        charts = [root / "charts" / name for name in ("rasa", "rasa-action-server")]
        archives = sorted(file for file in folder.glob("*") if file.suffix in (".tgz", ".gz", ".whl"))
        repository, tag = os.environ.get("GITHUB_REPOSITORY", ""), os.environ.get("GITHUB_REF_NAME", "")
        source = f"{repository}@{tag}" if repository and tag else ""
        text = material.make("botyard", charts, archives, moment, source)
        made = folder / material.FILE
        made.write_text(text, encoding="utf-8")
        add_sums(folder, [made])
        print(f"{made}: {material.summary(text)}")
