import json
import resource
from pathlib import Path

import pytest

from botyard.host import capabilities, runc_wrapper

GLOBALS = ["--root", "/r", "--log", "/l.json", "--log-format", "json", "--systemd-cgroup"]


@pytest.mark.parametrize(
    ("argv", "file"),
    [
        ([*GLOBALS, "create", "--bundle", "/b", "--pid-file", "/p", "id"], "/b/config.json"),
        ([*GLOBALS, "create", "--bundle=/b", "id"], "/b/config.json"),
        ([*GLOBALS, "run", "-b", "/b", "id"], "/b/config.json"),
        (["--root=/create", "run", "id"], "./config.json"),
        ([*GLOBALS, "exec", "--process", "/p.json", "--detach", "id"], "/p.json"),
        ([*GLOBALS, "exec", "id", "sh"], ""),
        ([*GLOBALS, "kill", "--all", "create", "9"], ""),
        ([*GLOBALS, "state", "id"], ""),
        (["--version"], ""),
        ([], ""),
    ],
)
def test_the_file_that_describes_a_process(argv: list[str], file: str) -> None:
    assert runc_wrapper.file_to_edit(argv) == file


def test_only_what_the_machine_cannot_give_is_taken_out() -> None:
    process = {
        "args": ["x"],
        "oomScoreAdj": -500,
        "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "ambient": None},
        "rlimits": [
            {"type": "RLIMIT_NOFILE", "hard": 10**9, "soft": 10**9},
            {"type": "RLIMIT_X", "hard": 1, "soft": 1},
        ],
    }
    runc_wrapper.trim(process, {"CAP_CHOWN"})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert process["capabilities"] == {"bounding": ["CAP_CHOWN"], "ambient": []}
    assert process["oomScoreAdj"] == 0
    assert process["args"] == ["x"]
    limit = process["rlimits"][0]
    assert limit["hard"] == (hard if hard != resource.RLIM_INFINITY else 10**9)


def test_with_sys_resource_limits_stay() -> None:
    process = {"oomScoreAdj": -500, "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 10**9, "soft": 5}]}
    runc_wrapper.trim(process, {"CAP_SYS_RESOURCE"})
    assert process == {"oomScoreAdj": -500, "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 10**9, "soft": 5}]}


@pytest.mark.parametrize("whole", [True, False])
def test_a_whole_config_and_a_process_alone(tmp_path: Path, whole: bool) -> None:
    process = {"capabilities": {"effective": ["CAP_SYS_ADMIN", "CAP_BPF"]}}
    file = tmp_path / "f.json"
    file.write_text(json.dumps({"process": process, "root": 1} if whole else process))
    runc_wrapper.edit(str(file), {"CAP_BPF"})
    trimmed = {"capabilities": {"effective": ["CAP_BPF"]}}
    assert json.loads(file.read_text()) == ({"process": trimmed, "root": 1} if whole else trimmed)


def test_main_edits_then_becomes_runc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runc = tmp_path / "runc"
    runc.write_text("")
    runc.chmod(0o755)
    (tmp_path / "config.json").write_text('{"process": {"capabilities": {"effective": ["CAP_NONE_SUCH"]}}}')
    became: list[list[str]] = []
    monkeypatch.setattr(runc_wrapper, "RUNC", ("/none", str(runc)))
    monkeypatch.setattr("os.execv", lambda path, argv: became.append(argv))
    monkeypatch.setattr("sys.argv", ["wrapper", "create", "--bundle", str(tmp_path), "id"])
    monkeypatch.setattr("sys.exit", lambda why: None)
    runc_wrapper.main()
    assert became == [[str(runc), "create", "--bundle", str(tmp_path), "id"]]
    assert "CAP_NONE_SUCH" not in (tmp_path / "config.json").read_text()


def test_missing_capabilities_are_named(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "sys/kernel").mkdir(parents=True)
    (tmp_path / "self/status").write_text("Name:\tx\nCapBnd:\t000001fffeffffff\n")
    (tmp_path / "sys/kernel/cap_last_cap").write_text("40\n")
    assert capabilities.missing(tmp_path) == ["CAP_SYS_RESOURCE"]
    (tmp_path / "self/status").write_text("CapBnd:\t000001ffffffffff\n")
    assert capabilities.missing(tmp_path) == []
