"""Which processes count, and what they hold together."""

from __future__ import annotations

import subprocess
from pathlib import Path

from botyard.bench.watched import Memory, descendants, held_mb


def process(folder: Path, name: str, text: str | None) -> Path:
    (folder / name).mkdir()
    if text is not None:
        (folder / name / "smaps_rollup").write_text(text)
    return folder / name


def rollup(rss_kb: int, pss_kb: int) -> str:
    return f"0-1 ---p 0 00:00 0 [rollup]\nRss: {rss_kb:10} kB\nPss: {pss_kb:10} kB\nPss_Dirty: 1 kB\n"


def test_what_is_shared_counts_once(tmp_path: Path) -> None:
    parent = process(tmp_path, "1", rollup(90000, 40960))
    between_vfork_and_exec = process(tmp_path, "2", rollup(90000, 40960))
    worker = process(tmp_path, "3", rollup(90000, 10240))
    ended = process(tmp_path, "4", None)
    assert held_mb([parent, between_vfork_and_exec, worker, ended]) == 50
    assert held_mb([]) == 0


def test_children_and_theirs_are_seen() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 30 & echo $!; wait"], stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        grandchild = shell.stdout.readline().strip()
        try:
            seen = list(descendants())
            of_the_shell = list(descendants(Path("/proc") / str(shell.pid)))
        finally:
            subprocess.run(["kill", grandchild], check=True)
    assert {Path("/proc") / str(shell.pid), Path("/proc") / grandchild} <= set(seen)
    assert of_the_shell == [Path("/proc") / grandchild]


def test_the_peak_is_kept_after_the_end() -> None:
    memory = Memory()
    with memory.watching():
        subprocess.run(["sleep", "0.2"], check=True)
    assert 0 < memory.peak_mb < 30
