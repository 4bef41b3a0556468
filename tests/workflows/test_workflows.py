"""What GitHub runs: safe by two checkers, pinned, and with no shell but Invoke tasks."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import platformdirs
import pytest
import yaml

from botyard.commands import menu
from botyard.contracts import Paths
from botyard.host import recipe
from botyard.process import run
from botyard.release import sbom

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github/workflows"
FILES = sorted(FOLDER.glob("*.yml"))
PATHS = Paths(root=ROOT, state=ROOT / ".botyard/workflows", cache=Path(platformdirs.user_cache_dir("botyard")))


def steps() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{file.stem}/{job}/{step['name']}", step)
        for file in FILES
        for job, body in yaml.safe_load(file.read_text())["jobs"].items()
        for step in body["steps"]
    ]


def test_zizmor_finds_nothing_even_when_it_is_pedantic() -> None:
    done = run(["zizmor", "--offline", "--persona", "pedantic", "--format", "json", FOLDER], timeout_s=60, check=False)
    assert json.loads(done.stdout) == [], done.stdout


def test_zizmor_would_find_what_is_unsafe(tmp_path: Path) -> None:
    unsafe = FILES[0].read_text().replace("invoke test --quick", "echo ${{ github.event.pull_request.title }}")
    (tmp_path / "ci.yml").write_text(unsafe)
    done = run(["zizmor", "--offline", "--format", "json", tmp_path / "ci.yml"], timeout_s=60, check=False)
    assert "template-injection" in {finding["ident"] for finding in json.loads(done.stdout)}


def test_actionlint_finds_nothing() -> None:
    if recipe.go.find() is None:
        pytest.skip("there is no Go to build actionlint with")
    folder, _ = recipe.make(PATHS, recipe.ACTIONLINT.name, print)
    argv = [folder / "actionlint", "-no-color", "-shellcheck=", "-pyflakes="]
    done = run([*argv, *FILES], timeout_s=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    wrong = FILES[0].read_text().replace("runs-on:", "run-on:")
    (unsafe := PATHS.state / "wrong.yml").parent.mkdir(parents=True, exist_ok=True)
    unsafe.write_text(wrong)
    assert run([*argv, unsafe], timeout_s=60, check=False).returncode == 1


@pytest.mark.parametrize(("name", "step"), steps(), ids=[name for name, _ in steps()])
def test_actions_are_pinned_and_shell_is_invoke(name: str, step: dict[str, Any]) -> None:
    if "uses" in step:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", step["uses"]), name
        return
    program, *words = shlex.split(step["run"])
    if [program, *words[:2]] == ["pip", "install", "-e"]:
        return
    assert program == "invoke" and "\n" not in step["run"].strip(), name
    menu(words)  # refuses a task or flag that there is not


def test_every_pin_names_its_version_and_one_action_has_one_pin() -> None:
    pins: dict[str, set[str]] = {}
    for file in FILES:
        for action, rest in re.findall(r"uses: (\S+)@(.+)", file.read_text()):
            assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+(\.\d+)?", rest), f"{file.name}: {action}@{rest}"
            pins.setdefault(action, set()).add(rest)
    assert pins and all(len(found) == 1 for found in pins.values()), pins


# What a job may write, and nothing else may.
WRITES = {
    ("deploy", "plan"): {"id-token"},
    ("deploy", "comment"): {"pull-requests"},
    ("deploy", "deploy"): {"id-token"},
    ("release", "release"): {"contents", "id-token", "attestations"},
    ("release", "pages"): {"pages", "id-token"},
    ("release", "registry"): {"packages"},
}


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (file.stem, name, body) for file in FILES for name, body in yaml.safe_load(file.read_text())["jobs"].items()
    ]


def test_nobody_may_more_than_a_job_needs() -> None:
    for file in FILES:
        assert yaml.safe_load(file.read_text())["permissions"] == {}
    found = {(file, name): {key for key, value in body["permissions"].items() if value == "write"}
             for file, name, body in jobs()}  # fmt: skip
    assert {key: value for key, value in found.items() if value} == WRITES
    for _, name, body in jobs():
        assert set(body["permissions"].values()) <= {"read", "write"}, name
        assert body["timeout-minutes"] <= 240


def test_no_secret_is_stored_and_no_workflow_runs_for_strangers() -> None:
    for file in FILES:
        text = file.read_text()
        assert "secrets." not in text, f"{file.name}: a stored secret"
        assert not re.search(r"pull_request_target|workflow_run|issue_comment", text), file.name


def test_an_identity_is_only_had_in_an_environment_and_never_by_a_fork() -> None:
    having = [(file, name, body) for file, name, body in jobs() if "id-token" in body["permissions"]]
    assert having
    for file, name, body in having:
        assert body.get("environment"), f"{file}/{name}: nobody can be asked for approval"
    deploy = {name: body for file, name, body in jobs() if file == "deploy"}
    assert "head.repo.full_name == github.repository" in deploy["plan"]["if"]
    assert "event_name != 'pull_request'" in deploy["deploy"]["if"]
    assert {deploy["plan"]["environment"], deploy["deploy"]["environment"]} == {"aks-plan", "aks"}


def test_a_deploy_is_alone_and_is_never_cancelled_half_way() -> None:
    document = yaml.safe_load((FOLDER / "deploy.yml").read_text())
    assert document["concurrency"] == {
        "group": "deploy-${{ github.event_name == 'pull_request' && github.ref || 'aks' }}",
        "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
    }


def test_what_writes_a_comment_is_not_the_pull_requests_own_code() -> None:
    writer = yaml.safe_load((FOLDER / "deploy.yml").read_text())["jobs"]["comment"]
    checkouts = [step for step in writer["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"]["ref"] for step in checkouts] == ["${{ github.event.pull_request.base.sha }}"]


def test_azure_is_asked_for_all_tokens_right_after_the_login() -> None:
    for name, body in yaml.safe_load((FOLDER / "deploy.yml").read_text())["jobs"].items():
        uses = [step.get("uses", step.get("run", "")) for step in body["steps"]]
        at = [number for number, what in enumerate(uses) if what.startswith("azure/login@")]
        for number in at:
            assert uses[number + 1] == "invoke target.login --target aks", name
        assert bool(at) == ("id-token" in body["permissions"]), name


# Of a release, in order: the SBOM names the archives by their checksums.
PARTS = ("packages", "python", "sbom")


def test_a_release_is_tested_first_and_off_where_nobody_turned_it_on() -> None:
    document = yaml.safe_load((FOLDER / "release.yml").read_text())
    assert document[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads `on` so
    assert document["concurrency"] == {"group": "release", "cancel-in-progress": False}
    build, *later = (document["jobs"][name] for name in ("build", "release", "pages", "registry"))
    assert build["if"] == "${{ vars.RELEASE_CHARTS == 'yes' }}"
    runs = [step["run"] for step in build["steps"] if "run" in step]
    assert runs[-4:] == ["invoke test --quick", *(f"invoke publish.{one} --dest dist" for one in PARTS)]
    # None has an `if` of its own: they run only where what they need has passed.
    assert [job["needs"] for job in later] == ["build", "release", "release"]
    assert not any("if" in job for job in later)
    assert not any("cache" in step.get("with", {}) for job in (build, *later) for step in job["steps"])


def test_all_that_is_released_is_attested_with_what_it_is_made_of() -> None:
    steps = yaml.safe_load((FOLDER / "release.yml").read_text())["jobs"]["release"]["steps"]
    attested = [step["with"] for step in steps if step.get("uses", "").startswith("actions/attest@")]
    assert [one["subject-path"].split() for one in attested] == [["dist/*.tgz", "dist/*.tar.gz", "dist/*.whl"]] * 2
    assert [one.get("sbom-path") for one in attested] == [None, f"dist/{sbom.FILE}"]
    names = [step["name"] for step in steps]
    assert names.index("What they are made of") < names.index("Release")  # what is out is never without its proof
