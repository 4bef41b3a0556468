"""The repository's own playbooks load, every module they use is there, and nothing asks for a name that nobody sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from botyard.commands.given_values import given_values
from botyard.commands.session import Flags, paths_for, read_target, variables_for
from botyard.contracts import BadInput
from botyard.playbook import RunOptions, check_playbooks, list_tasks

ROOT = Path(__file__).parents[3]
PREPARED = ["host.yml", "services.yml"]


@pytest.mark.parametrize("file", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda file: file.name)
def test_loads(file):
    assert any(line.startswith("      ") for line in list_tasks([file]))


def options(flags, needs_bot=True):
    target = read_target(flags)
    variables = variables_for(flags, target, ROOT / "run", needs_bot=needs_bot)
    return RunOptions(paths=paths_for(target.cluster), target=target, extra_vars=variables, check=flags.check)


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize(
    ("files", "needs_bot"),
    [
        (["e2e.yml"], True),
        (["release_all.yml"], True),
        ([*PREPARED, "images.yml"], True),
        ([*PREPARED, "bot.yml"], True),
        ([*PREPARED, "cluster.yml"], True),
        (["verify.yml"], False),
        (["down.yml"], False),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_every_name_is_set(files, needs_bot, everything, check):
    flags = Flags(everything=everything, check=check)
    check_playbooks([ROOT / "playbooks" / file for file in files], ctx=options(flags, needs_bot))


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("file", "extra"),
    [
        ("deploy.yml", {"given": given_values([], []), "timeout_s": 900, "charts_version": ""}),
        ("publish_charts.yml", {}),
        ("rollback.yml", {"to": 0, "greeting": "hello"}),
    ],
)
def test_every_name_is_set_for_a_cluster_that_exists(file, extra, check):
    found = options(Flags(check=check))
    check_playbooks([ROOT / "playbooks" / file], ctx=replace(found, extra_vars={**found.extra_vars, **extra}))


def test_a_release_without_what_it_needs_is_refused_before_it_runs():
    with pytest.raises(BadInput, match=r"release\.yml:\d+:\d+: '\w+' is undefined"):
        check_playbooks([ROOT / "playbooks/release.yml"], ctx=options(Flags()))
