"""One playbook, run by this engine and by the real ansible-playbook: what happened, in the same words."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import BadInput, Paths
from botyard.playbook import RunOptions, run_playbooks
from botyard.playbook import run as runner
from botyard.playbook.model import META
from botyard.report.redact import Redactor

CALLBACK = Path(__file__).parent / "callback"
RECAP = ("ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored")
_ANSIBLE_TIMEOUT_S = 300


@dataclass(frozen=True)
class Options:
    """The flags of a run, as both engines have them."""

    check: bool = False
    diff: bool = False
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    start_at_task: str | None = None
    extra_vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Ran:
    """What one engine made of a playbook.

    Args:
        tasks: in order; each with name (None where it has none), module, handler, status and result.
        registered: what tasks registered and set, as it stands at the end.
        files: of the playbook's folder, afterwards: mode and content.
        said: what it printed, for a reader of a failed test.
    """

    success: bool
    recap: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RECAP, 0))
    tasks: list[dict[str, Any]] = field(default_factory=list)
    registered: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    said: str = ""


def by_ansible(env: Path, playbook: Path, options: Options, environment: Mapping[str, str] | None = None) -> Ran:
    """Runs ``ansible-playbook`` of the environment ``env`` in the playbook's folder."""
    home = playbook.parent.parent / f"{playbook.parent.name}.ansible"
    out = home / "out.json"
    home.mkdir(parents=True, exist_ok=True)
    (home / "ansible.cfg").touch()  # so that nobody's own is read
    words: list[str | Path] = [env / "bin" / "ansible-playbook", playbook.name]
    words += ["--check"] if options.check else []
    words += ["--diff"] if options.diff else []
    words += ["--tags", ",".join(options.tags)] if options.tags else []
    words += ["--skip-tags", ",".join(options.skip_tags)] if options.skip_tags else []
    words += ["--start-at-task", options.start_at_task] if options.start_at_task else []
    words += ["--extra-vars", json.dumps(options.extra_vars)] if options.extra_vars else []
    settings = {
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACK),
        "ANSIBLE_CONFIG": str(home / "ansible.cfg"),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_STDOUT_CALLBACK": "conformance",
        "CONFORMANCE_OUT": str(out),
        "LC_ALL": "C.UTF-8",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(
        words,
        cwd=playbook.parent,
        env={**kept, **settings, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_ANSIBLE_TIMEOUT_S,
        check=False,
    )
    ran = Ran(done.returncode == 0, said=done.stdout)
    if out.exists():  # not where it refused the playbook before the run
        told = json.loads(out.read_text(encoding="utf-8"))
        ran.recap, ran.registered = told["recap"], told["registered"]
        ran.tasks = [task for task in told["tasks"] if task["module"] != META]  # of those it tells only skipped ones
    ran.files = files_of(playbook.parent)
    shutil.rmtree(home)
    return ran


def by_ours(playbook: Path, options: Options, paths: Paths | None = None, target: Any = None) -> Ran:
    """Runs our engine in this process, in the playbook's folder."""
    aside = playbook.parent.parent / "botyard"
    lanes: list[runner.Lane] = []

    class Kept(runner.Lane):
        """Hands its variables to us."""

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            lanes.append(self)

    told = RunOptions(
        paths=paths or Paths(root=aside, state=aside / "state", cache=aside / "cache"),
        target=target,
        extra_vars=options.extra_vars,
        check=options.check,
        diff=options.diff,
        tags=list(options.tags),
        skip_tags=list(options.skip_tags),
        start_at_task=options.start_at_task,
        console="plain",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(playbook.parent)
        patch.setattr(runner, "Lane", Kept)
        try:
            report = run_playbooks([playbook], ctx=told)
        except BadInput as error:
            return Ran(False, files=files_of(playbook.parent), said=str(error))
    tasks = [
        {
            "name": None if task.name == task.module else task.name,
            "module": task.module,
            "handler": task.handler,
            # To Ansible a rescued task is a failed one; only its recap tells.
            "status": "failed" if task.status == "rescued" else task.status,
            "result": task.data or {},
        }
        for task in report.tasks
        if task.module != META
    ]
    return Ran(
        report.exit_code == 0, report.counts(), tasks, Redactor().clean(lanes[0].facts), files_of(playbook.parent)
    )


def files_of(folder: Path) -> dict[str, str]:
    """Mode and content of everything below ``folder``, by path."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if "__pycache__" in path.parts:
            continue
        mode = f"{stat.S_IMODE(path.lstat().st_mode):04o}"
        if path.is_symlink():
            found[str(path.relative_to(folder))] = f"-> {path.readlink()}"
        elif path.is_dir():
            found[str(path.relative_to(folder))] = f"{mode} folder"
        else:
            found[str(path.relative_to(folder))] = f"{mode} {path.read_bytes()!r}"
    return found
