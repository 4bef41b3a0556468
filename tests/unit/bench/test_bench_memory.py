"""Which processes count, and what they hold together."""

from __future__ import annotations

import subprocess
from pathlib import Path

from botyard.bench.watched import Memory, descendants, held_mb


def process(folder: Path, pid: str, state: str = "S", children: str = "", pss_kb: int | None = 1024) -> Path:
    """A process of one thread, as /proc shows it; without ``pss_kb`` it has just ended."""
    thread = folder / pid / "task" / pid
    thread.mkdir(parents=True)
    (thread / "children").write_text(children)
    (thread / "stat").write_text(f"{pid} (a (D) name) {state} 1 1\n")
    if pss_kb is not None:
        text = f"0-1 ---p 0 00:00 0 [rollup]\nRss: 90000 kB\nPss: {pss_kb:10} kB\nPss_Dirty: 1 kB\n"
        (folder / pid / "smaps_rollup").write_text(text)
    return folder / pid


def test_what_is_shared_counts_once(tmp_path: Path) -> None:
    parent = process(tmp_path, "1", pss_kb=40960)
    worker = process(tmp_path, "3", pss_kb=10240)
    ended = process(tmp_path, "4", pss_kb=None)
    assert held_mb([parent, worker, ended]) == 50
    assert held_mb([]) == 0


def test_a_child_between_vfork_and_exec_is_left_out(tmp_path: Path) -> None:
    watcher = process(tmp_path, "1", children="2")
    process(tmp_path, "2", state="D", children="3 4 ")
    process(tmp_path, "3", children="5")
    process(tmp_path, "4", children="6")
    process(tmp_path, "5")
    assert [child.name for child in descendants(watcher)] == ["2", "3", "5"]


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
