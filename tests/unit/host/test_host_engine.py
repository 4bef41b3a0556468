from pathlib import Path

import pytest
from host_door import Door

from botyard.contracts import BadInput
from botyard.host import capabilities, dead_links, engine, engine_config, kernel, ledger, packages, processes, removal
from botyard.host.engine_config import RUNTIME, Places, config, write_config
from botyard.host.processes import Identity
from botyard.tools import apt, docker


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A Debian machine, root, no engine, nothing to raise; returns our home on it."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(apt, "is_debian", lambda: True)
    monkeypatch.setattr(docker, "engine_answers", lambda: False)
    monkeypatch.setattr(capabilities, "missing", list)
    monkeypatch.setattr(processes, "find", lambda program: [])
    monkeypatch.setattr(kernel, "too_low", lambda proc=None: {})
    monkeypatch.setattr(kernel, "MODULES", tmp_path)
    monkeypatch.setattr(dead_links, "NET", tmp_path / "no links")
    monkeypatch.setattr(packages, "find", lambda program: f"/usr/sbin/{program}")
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("platform.system", lambda: "Darwin"), "no Docker engine answers"),
        (("os.geteuid", lambda: 1000), "only root can start one"),
        (("botyard.tools.apt.is_debian", lambda: False), "on Debian and Ubuntu only"),
        (("botyard.host.processes.find", lambda program: [99]), "not ours runs \\(pid 99\\)"),
        (("botyard.host.capabilities.missing", lambda: ["CAP_SYS_ADMIN"]), "root lacks CAP_SYS_ADMIN"),
    ],
)
def test_one_clear_message_where_none_can_be_started(
    bare: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, object], message: str
) -> None:
    monkeypatch.setattr(*change)
    with pytest.raises(BadInput, match=message) as raised:
        engine.ensure(programs=True, check=False, progress=print, home=bare)
    assert raised.value.cure
    assert not bare.exists()


def test_an_engine_named_by_docker_host_is_never_replaced(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:1")
    with pytest.raises(BadInput, match="DOCKER_HOST=tcp://elsewhere:1"):
        engine.ensure(programs=False, check=False, progress=print, home=bare)


def test_check_mode_says_what_would_be_done_and_writes_nothing(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find", lambda program: None)
    monkeypatch.setattr(kernel, "too_low", lambda proc=None: {"fs.x": (1, 2)})
    found = engine.ensure(programs=False, check=True, progress=print, home=bare)
    assert found.changes == [
        "fs.x 1 -> 2",
        "install with apt-get: dockerd, iptables, docker",
        "start a Docker engine",
    ]
    assert not bare.exists()


def test_the_users_engine_is_used_as_it_is(bare: Path, monkeypatch: pytest.MonkeyPatch, door: Door) -> None:
    monkeypatch.setattr(docker, "engine_answers", lambda: True)
    assert engine.ensure(programs=True, check=False, progress=print, home=bare) == engine.Engine(ours=False)
    assert door.calls == []
    assert not bare.exists()


def test_an_engine_that_does_not_start_leaves_nothing_changed(
    bare: Path, monkeypatch: pytest.MonkeyPatch, door: Door, tmp_path: Path
) -> None:
    door.expect("iptables", "-S", stdout="-P FORWARD ACCEPT\n")
    door.expect("/usr/sbin/iptables")
    door.expect("ip", "link", "delete", "docker0")
    places = Places(bare, tmp_path / "run", tmp_path / "docker.sock")

    def spawn(argv: list[str], log: Path) -> int:
        log.write_text("level=info starting\nlevel=error msg=bang\nfailed to start daemon: no cgroups\n")
        return 4_000_000  # above the largest pid: it ended at once

    monkeypatch.setattr(engine, "spawn_detached", spawn)
    monkeypatch.setattr(engine, "ENGINE_LEAVES", (str(tmp_path / "leaf"),))
    monkeypatch.setattr(engine, "_SYSTEM_CONTAINERD", tmp_path / "none")
    with pytest.raises(BadInput, match="failed to start daemon: no cgroups") as raised:
        engine.ensure(programs=False, check=False, progress=print, home=bare, places=places)
    assert raised.value.exit_code == 2
    assert not bare.exists()


def test_stale_pid_files_and_sockets_go_but_living_ones_stay(
    bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    places = Places(bare, tmp_path / "run", tmp_path / "docker.sock")
    places.containerd_pidfile.parent.mkdir(parents=True)
    places.pidfile.write_text("11")
    places.containerd_pidfile.write_text("12")
    (places.containerd_pidfile.parent / "containerd.sock").touch()
    places.socket.touch()
    places.half_gone.mkdir(parents=True)
    monkeypatch.setattr(engine, "_SYSTEM_CONTAINERD", tmp_path / "none")
    # 11 was killed and is a zombie: it keeps its name, but nobody is there.
    monkeypatch.setattr(processes, "name", {11: "dockerd", 12: "containerd"}.get)
    monkeypatch.setattr(processes, "identify", {12: processes.Identity(pid=12, start_ticks=1, boot_id="b")}.get)
    engine.clear_stale(ledger.Ledger(), places)
    assert not places.pidfile.exists()
    assert not places.socket.exists()
    assert not places.half_gone.exists()
    assert places.containerd_pidfile.exists()  # that one lives: the new dockerd takes it over
    monkeypatch.setattr(processes, "name", lambda pid: "sleep")
    engine.clear_stale(ledger.Ledger(), places)
    assert list(places.containerd_pidfile.parent.iterdir()) == []


def test_the_config_is_ours_alone_and_names_the_wrapper_only_where_wanted(tmp_path: Path) -> None:
    places = Places(tmp_path)
    plain = config(places, wrapper=False)
    assert plain["data-root"] == str(tmp_path / "docker")
    assert "default-runtime" not in plain
    assert config(places, wrapper=True)["default-runtime"] == RUNTIME
    assert write_config(places, wrapper=True)
    assert not write_config(places, wrapper=True)
    assert places.wrapper.stat().st_mode & 0o777 == 0o755
    assert places.wrapper.read_text().startswith("#!/")
    compile(places.wrapper.read_text(), "runc", "exec")


def test_undoing_a_part_keeps_what_an_earlier_run_did(tmp_path: Path, door: Door) -> None:
    earlier = ledger.Ledger(made=[str(tmp_path / "old")], engine=Identity(pid=1, start_ticks=0, boot_id="gone"))
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    home = tmp_path / "home"
    now = ledger.Ledger(made=[*earlier.made, str(tmp_path / "new")], engine=earlier.engine)
    ledger.write(now, home)
    removal.undo_since(earlier, home, Places(home, tmp_path / "run", tmp_path / "sock"), print)
    assert (tmp_path / "old").exists()
    assert not (tmp_path / "new").exists()
    assert ledger.read(home) == earlier
    assert door.calls == []


def test_a_setting_changed_by_others_since_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "sys/fs/inotify/max_user_instances"
    file.parent.mkdir(parents=True)
    file.write_text("999\n")
    assert kernel.restore({"fs.inotify.max_user_instances": ["128", "8192"]}, tmp_path) == []
    file.write_text("8192\n")
    assert kernel.restore({"fs.inotify.max_user_instances": ["128", "8192"]}, tmp_path)
    assert file.read_text() == "128"


def test_the_first_value_is_remembered_when_raised_twice(tmp_path: Path) -> None:
    folder = tmp_path / "sys/fs/inotify"
    folder.mkdir(parents=True)
    (folder / "max_user_instances").write_text("128")
    (folder / "max_user_watches").write_text("600000")
    book, home, modules = ledger.Ledger(), tmp_path / "home", tmp_path / "modules"
    assert len(kernel.raise_limits(book, home, tmp_path, modules)) == 2
    (folder / "max_user_instances").write_text("256")  # a reboot gave it another default
    kernel.raise_limits(book, home, tmp_path, modules)
    assert ledger.read(home).sysctls == {"fs.inotify.max_user_instances": ["128", "8192"]}
    assert ledger.read(home).made == [str(modules)]
    assert kernel.raise_limits(book, home, tmp_path, modules) == []


def test_a_killed_removal_leaves_no_half_of_the_engines_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(tmp_path)
    (places.data / "volumes").mkdir(parents=True)

    def killed(_folder: Path, ignore_errors: bool) -> None:
        assert ignore_errors
        if places.half_gone.exists():
            raise KeyboardInterrupt

    with monkeypatch.context() as here:
        here.setattr(engine_config.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            engine_config.remove_data(places)
    assert not places.data.exists() and (places.half_gone / "volumes").is_dir()
    (places.data / "volumes").mkdir(parents=True)  # an engine that came up meanwhile
    engine_config.remove_data(places)
    assert not places.data.exists() and not places.half_gone.exists()
