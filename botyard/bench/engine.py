"""Our engine beside the real ansible-playbook: the same file, the same machine, in turn."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from botyard.bench import released
from botyard.bench.engines import Engine, on_cluster, ours, theirs
from botyard.bench.figure import Figure
from botyard.bench.watched import Watched
from botyard.contracts import BotyardError, Paths
from botyard.targets import Target

MANY = 100
ROUNDS = 3
# Ansible sends a module for the first and starts a Python for it; the second it does in its own process.
TRIVIAL: Mapping[str, object] = {
    "command": {"ansible.builtin.command": {"argv": ["true"]}},
    "debug": {"ansible.builtin.debug": {"msg": "hello"}},
}
START_WANTED_S = 0.4
RELEASE_WANTED_S = 1.5


@dataclass(frozen=True)
class Pair:
    """What both engines took for one file, round by round."""

    ours: list[Watched]
    theirs: list[Watched]


def figures(target: Target, paths: Paths, progress: Callable[[str], None], *, cluster: bool = True) -> Iterator[Figure]:
    """Measures one figure after the other; nothing on the machine or the cluster is changed.

    Args:
        progress: gets a line a round, and the reason where figures are left out.
        cluster: also the release, where there is one.

    Raises:
        BotyardError: a run failed, or one that should change nothing did.
    """
    with tempfile.TemporaryDirectory(prefix="botyard-bench-") as folder:
        place = Path(folder)
        pair = ours(target, paths), theirs(paths, place, progress)
        yield from _trivial(pair, place, progress)
        if not cluster:
            progress("left out: the release playbook (--without-cluster)")
            return
        variables, why_not = released.variables(target, paths)
        if why_not:
            progress(f"left out: the release playbook: {why_not}")
            return
        file = place / "release.json"
        file.write_text(variables)
        yield from _release((pair[0], on_cluster(pair[1], target, paths, progress)), file, progress)


def write_trivial(file: Path, task: object, count: int) -> Path:
    """A playbook of one task, ``count`` times."""
    tasks = [{"name": f"Task {number}", **dict(task)} for number in range(1, count + 1)]  # type: ignore[call-overload]
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    file.write_text(yaml.safe_dump([play], sort_keys=False))
    return file


def _trivial(engines: tuple[Engine, Engine], place: Path, progress: Callable[[str], None]) -> Iterator[Figure]:
    for kind, task in TRIVIAL.items():
        one, many = (write_trivial(place / f"{kind}-{count}.yml", task, count) for count in (1, MANY))
        short, long = in_turn(engines, [one, many], progress)
        mine, other = per_task_s(short.ours, long.ours), per_task_s(short.theirs, long.theirs)
        yield Figure(
            f"(f) seconds per task, {kind}", 1000 * mine, 1000 * other, 0.01 if kind == "command" else None,
            f"({MANY} tasks - 1 task) / {MANY - 1}", "ms",
        )  # fmt: skip
        if kind == "command":
            first = statistics.median(run.first_task_s for run in long.ours)
            beside = statistics.median(run.first_task_s for run in long.theirs)
            yield Figure(
                f"(g) start to first task / {START_WANTED_S} s", first, START_WANTED_S, 1.0,
                f"ansible-playbook: {beside:.2f} s",
            )  # fmt: skip
            yield _memory("(h) memory, these tasks", engines, many)


def _release(engines: tuple[Engine, Engine], variables: Path, progress: Callable[[str], None]) -> Iterator[Figure]:
    for engine in engines:
        engine.run(released.PLAYBOOK, variables)  # the real Ansible's Helm home gets to know the repository
    (pair,) = in_turn(engines, [released.PLAYBOOK], progress, variables)
    for run in (*pair.ours, *pair.theirs):
        if run.counts["changed"]:
            raise BotyardError(f"the release playbook changed {run.counts['changed']} tasks", "run: invoke release")
    mine, other = _seconds(pair.ours), _seconds(pair.theirs)
    yield Figure("(i) release without a change", mine, other, 0.1)
    yield Figure(f"(j) release without a change / {RELEASE_WANTED_S} s", mine, RELEASE_WANTED_S, 1.0)
    yield _memory("(k) memory, release without a change", engines, released.PLAYBOOK, variables)


def in_turn(
    engines: tuple[Engine, Engine],
    files: list[Path],
    progress: Callable[[str], None],
    variables: Path | None = None,
) -> list[Pair]:
    """Each file by each engine, ROUNDS times, as figures are medians; one pair a file."""
    pairs = [Pair([], []) for _ in files]
    for number in range(1, ROUNDS + 1):
        for file, pair in zip(files, pairs, strict=True):
            for engine, into in zip(engines, (pair.ours, pair.theirs), strict=True):
                into.append(engine.run(file, variables))
                progress(f"round {number}: {file.stem}: {engine.name}: {into[-1].duration_s:.2f} s")
    return pairs


def per_task_s(short: list[Watched], long: list[Watched]) -> float:
    """What one more task costs, all that is written about it at the end included."""
    return (_seconds(long) - _seconds(short)) / (MANY - 1)


def _seconds(runs: list[Watched]) -> float:
    return statistics.median(run.duration_s for run in runs)


def _memory(name: str, engines: tuple[Engine, Engine], file: Path, variables: Path | None = None) -> Figure:
    """One more run of each, not timed: looking at its memory slows it."""
    mine, other = (engine.memory_mb(file, variables) for engine in engines)
    return Figure(name, mine, other, 0.5, "all processes, shared pages counted once", "MB")
