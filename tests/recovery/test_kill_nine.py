"""kill -9 of `invoke e2e` and all its children at five moments; each time a second run ends green.

Needs a machine on which `invoke e2e` works (see the README); run by `invoke test --all`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from slow_lane import DEADLINE_S, INVOKE, ROOT, invoke

# What is done before, the line of the first run to wait for, and how long after it the kill comes.
MOMENTS = {
    "engine starts": ("stop the engine", "TASK [Docker engine answers]", 0.7),
    "nodes come up": ("down", "TASK [Kind cluster]", 12.0),
    "an image is on its way": ("down", "botyard/rasa: sending", 3.0),
    "helm waits for Rasa": ("cluster down", "Helm install myrasa: myrasa: 0 of", 4.0),
    "a check has broken something": ("nothing", "passed test_a_dead_action_server_fails", 8.0),
}


def children_of(pid: int) -> list[int]:
    """All processes below one, children that started sessions of their own included."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue  # it ended meanwhile
        parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found = list(parents.get(pid, []))
    for child in found:
        found.extend(parents.get(child, []))
    return found


def kill_nine(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def prepare(how: str) -> None:
    if how == "down":
        invoke("down")
    elif how == "cluster down":
        invoke("play", "playbooks/cluster_down.yml")
    elif how == "stop the engine":
        # As on a machine that lost all its processes: the engine, its containerd, the shims and all containers.
        lines = {int(e.name): _command_line(e) for e in Path("/proc").iterdir() if e.name.isdigit()}
        engines = [pid for pid, line in lines.items() if b"dockerd\0" in line and b"/var/lib/botyard/" in line]
        if not engines:
            pytest.skip("the engine is the user's own: it is not killed")
        shims = [pid for pid, line in lines.items() if b"containerd-shim" in line]
        victims = [*engines, *shims]
        kill_nine([*victims, *(child for pid in victims for child in children_of(pid))])
        time.sleep(2)


def _command_line(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("moment", list(MOMENTS))
def test_a_killed_run_is_mended_by_the_next(moment: str, tmp_path: Path) -> None:
    how, sign, later_s = MOMENTS[moment]
    prepare(how)
    log = tmp_path / "first.log"
    with log.open("wb") as sink:
        first = subprocess.Popen([*INVOKE, "e2e", "--plain"], cwd=ROOT, stdout=sink, stderr=sink,
                                 stdin=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    deadline = time.monotonic() + DEADLINE_S
    while sign not in log.read_text(errors="replace"):
        assert first.poll() is None, f"it ended before {sign!r}:\n{log.read_text()[-3000:]}"
        assert time.monotonic() < deadline, f"never saw {sign!r}"
        time.sleep(0.1)
    time.sleep(later_s)
    assert first.poll() is None, "it ended before the kill"
    kill_nine([first.pid, *children_of(first.pid)])
    first.wait()

    invoke("e2e", "--skip-tags", "disruptive")
