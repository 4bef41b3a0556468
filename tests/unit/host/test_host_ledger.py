from pathlib import Path

import pytest

from botyard.contracts import BotyardError
from botyard.host import ledger, processes
from botyard.host.processes import Identity


def test_nothing_written_is_an_empty_ledger(tmp_path: Path) -> None:
    assert ledger.read(tmp_path) == ledger.Ledger()


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    book = ledger.Ledger(sysctls={"a.b": ["1", "2"]}, made=["/x"], packages=["p"], forward_policy="ACCEPT")
    book.engine = Identity(pid=5, start_ticks=6, boot_id="b")
    ledger.write(book, tmp_path / "new")
    assert ledger.read(tmp_path / "new") == book
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["host-changes.json"]


@pytest.mark.parametrize("text", ["", "[]", '{"made": 1, "unknown": 2}', '{"engine": {"pid": 1}}'])
def test_a_damaged_ledger_is_told_and_not_overwritten(tmp_path: Path, text: str) -> None:
    ledger.file_of(tmp_path).write_text(text)
    with pytest.raises(BotyardError, match="damaged"):
        ledger.read(tmp_path)
    assert ledger.file_of(tmp_path).read_text() == text


def proc_with(folder: Path, pid: int, name: str, state: str, start: int) -> Path:
    (folder / str(pid)).mkdir(parents=True)
    (folder / "sys/kernel/random").mkdir(parents=True, exist_ok=True)
    (folder / "sys/kernel/random/boot_id").write_text("boot\n")
    rest = " ".join(["1"] * 18)
    (folder / str(pid) / "stat").write_text(f"{pid} ({name}) {state} {rest} {start} 0 0")
    (folder / str(pid) / "comm").write_text(f"{name}\n")
    return folder


def test_a_name_with_blanks_and_brackets_does_not_confuse(tmp_path: Path) -> None:
    proc = proc_with(tmp_path, 7, "a) S (b", "S", 4242)
    assert processes.identify(7, proc) == Identity(pid=7, start_ticks=4242, boot_id="boot")


def test_a_pid_used_again_is_not_ours(tmp_path: Path) -> None:
    proc = proc_with(tmp_path, 7, "other", "S", 2)
    assert not processes.alive(Identity(pid=7, start_ticks=1, boot_id="boot"), proc)
    assert not processes.alive(Identity(pid=7, start_ticks=2, boot_id="before"), proc)
    assert processes.alive(Identity(pid=7, start_ticks=2, boot_id="boot"), proc)


def test_a_zombie_is_not_alive_and_not_found(tmp_path: Path) -> None:
    proc = proc_with(tmp_path, 7, "dockerd", "Z", 2)
    assert processes.identify(7, proc) is None
    assert processes.find("dockerd", proc) == []
