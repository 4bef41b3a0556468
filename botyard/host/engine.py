"""The Docker engine: the user's own where one answers, else one that we install and start.

Observe, decide, act. Ours is a plain dockerd in a session of its own; it outlives this run and comes up again after it
was killed, with its images and containers.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from botyard.contracts import BadInput, BotyardError, TimedOut
from botyard.host import capabilities, dead_links, kernel, ledger, packages, processes, removal
from botyard.host.engine_config import SOCKET, Places, remove_half_gone, system_python, write_config
from botyard.process import run, spawn_detached
from botyard.tools import apt, docker
from botyard.wait import wait_until

START_TIMEOUT_S = 60
HUNG_STOP_TIMEOUT_S = 10  # it does not answer; it may not hear SIGTERM either
# Left by dockerd and containerd outside the folders that we give them.
ENGINE_LEAVES = (
    "/etc/docker",
    "/etc/docker/key.json",
    "/opt/containerd",
    "/run/containerd",
    "/run/docker",
    "/var/lib/containerd",
)
_SYSTEM_CONTAINERD = Path("/run/containerd/containerd.sock")


@dataclass(frozen=True)
class Engine:
    """What was found or done.

    Args:
        ours: we started it (now or in an earlier run).
        changes: what was changed on the machine just now, one line each.
    """

    ours: bool
    changes: list[str] = field(default_factory=list)


def is_ours(home: Path = ledger.HOST_HOME) -> bool:
    """Whether an engine that we started is running."""
    book = (
        ledger.read(home)
        if ledger.file_of(home).exists() and os.access(ledger.file_of(home), os.R_OK)
        else ledger.Ledger()
    )
    return book.engine is not None and processes.alive(book.engine)


def can_be_asked(home: Path = ledger.HOST_HOME, socket: Path = SOCKET) -> bool:
    """Whether an engine answers; False where there is none that could hold anything of ours.

    Raises:
        BotyardError: there is one, but it does not answer.
    """
    if docker.engine_answers():
        return True
    named = os.environ.get("DOCKER_HOST")
    if named:
        cure = "start that engine, or: unset DOCKER_HOST"
        raise BotyardError(f"no Docker engine answers at DOCKER_HOST={named}", cure)
    if ledger.file_of(home).exists():
        cure = "invoke down --all removes it with its data; invoke e2e starts it again"
        raise BotyardError("the Docker engine that we started does not answer", cure)
    if socket.exists() or platform.system() == "Darwin":
        raise BotyardError("the Docker engine does not answer", "start it and run this again")
    return False


def why_not_startable(home: Path = ledger.HOST_HOME) -> BadInput | None:
    """The reason why we cannot start an engine here, with the cure; None where we can."""
    named = os.environ.get("DOCKER_HOST")
    if named:
        return BadInput(f"no Docker engine answers at DOCKER_HOST={named}", "start that engine, or: unset DOCKER_HOST")
    if platform.system() == "Darwin":
        return BadInput("no Docker engine answers", "start Docker Desktop, Colima or OrbStack, then run this again")
    if platform.system() != "Linux":
        return BadInput("no Docker engine answers", "install Docker: https://docs.docker.com/engine/install/")
    if os.geteuid() != 0:
        return BadInput(
            "no Docker engine answers, and only root can start one",
            "start Docker and join its group (sudo usermod -aG docker $USER; log in again), or run this as root",
        )
    if not apt.is_debian():
        return BadInput(
            "no Docker engine answers, and it can be installed by itself on Debian and Ubuntu only",
            "install and start Docker: https://docs.docker.com/engine/install/",
        )
    strangers = [pid for pid in processes.find("dockerd") if not _is_our_dockerd(pid, Places(home))]
    if strangers:
        return BadInput(
            f"a Docker engine that is not ours runs (pid {strangers[0]}) but does not answer on {SOCKET}",
            "restart it (systemctl restart docker), or stop it and run this again",
        )
    hopeless = sorted(capabilities.NEEDED & set(capabilities.missing()))
    if hopeless:
        return BadInput(
            f"no Docker engine answers, and none could run nodes here: root lacks {', '.join(hopeless)}",
            "use a virtual machine, or a container started with --privileged",
        )
    return None


def ensure(
    *,
    programs: bool,
    check: bool,
    progress: Callable[[str], None],
    home: Path = ledger.HOST_HOME,
    places: Places | None = None,
) -> Engine:
    """Sees to it that an engine answers and that the kernel's limits carry a cluster.

    Args:
        programs: also install what images are built with from packages (debootstrap and the like).
        check: change nothing; ``changes`` says what would be.

    Raises:
        BadInput: no engine answers and none can be started here; what was tried is undone.
    """
    places = places or Places(home)
    answers = docker.engine_answers()
    if not answers and (reason := why_not_startable(home)):
        raise reason
    root = platform.system() == "Linux" and os.geteuid() == 0
    wanted = _wanted(answers, programs and root and apt.is_debian())
    plan = _plan(wanted, answers, root)
    if check:
        return Engine(ours=is_ours(home), changes=plan)
    if answers and root:
        _adopt(home, places)
    if not plan:
        return Engine(ours=is_ours(home))
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "lock", timeout=900):
        answers = docker.engine_answers()
        book, before = ledger.read(home), ledger.read(home)
        changes = kernel.raise_limits(book, home)
        try:
            if wanted and (new := packages.install(wanted, book, home, progress)):
                changes.append(f"installed {len(new)} packages with apt-get: {' '.join(new)}")
            if not answers:
                changes.append(_start(book, home, places, progress))
        except BotyardError as error:
            what = "this machine cannot be made ready" if answers else "the Docker engine cannot be started"
            log = _keep_log(places)
            removal.undo_since(before, home, places, progress)
            raise BadInput(f"{what} (nothing was left changed): {error.message}", error.cure or log) from error
    return Engine(ours=is_ours(home), changes=changes)


def _wanted(answers: bool, programs: bool) -> dict[str, tuple[str, ...]]:
    wanted: dict[str, tuple[str, ...]] = {} if answers else {**packages.ENGINE_PROGRAMS, **packages.CLIENT_PROGRAMS}
    return {**wanted, **packages.BUILD_PROGRAMS} if programs else wanted


def _plan(wanted: dict[str, tuple[str, ...]], answers: bool, root: bool) -> list[str]:
    plan = [f"{key} {now} -> {new}" for key, (now, new) in kernel.too_low().items()] if root else []
    if root and not kernel.MODULES.exists():
        plan.append(f"make {kernel.MODULES}")
    if absent := packages.missing(wanted):
        plan.append(f"install with apt-get: {', '.join(absent)}")
    if not answers:
        plan.append("start a Docker engine")
    return plan


def _start(book: ledger.Ledger, home: Path, places: Places, progress: Callable[[str], None]) -> str:
    """Starts dockerd and waits until it answers; returns what was done as a sentence."""
    _stop_packaged_service(book)
    lacking = capabilities.missing()
    if lacking:
        progress(
            f"root lacks {', '.join(lacking)} here: runc gets a wrapper ({places.wrapper}, run by {system_python()})"
        )
    write_config(places, wrapper=bool(lacking))
    places.run.mkdir(parents=True, exist_ok=True)
    kernel.note_made(book, home, *map(Path, ENGINE_LEAVES))
    _remember_forwarding(book, home)
    clear_stale(book, places)
    dead_links.clear()
    dockerd = packages.find("dockerd")
    if dockerd is None:
        raise BotyardError("there is no dockerd, even after apt-get", "apt-get install docker.io")
    progress(f"starting the Docker engine (log: {places.log})")
    said_before = places.log.stat().st_size if places.log.exists() else 0
    pid = spawn_detached([dockerd, "--config-file", places.config], places.log)
    book.engine = processes.identify(pid)
    ledger.write(book, home)

    def probe() -> tuple[bool, str]:
        if docker.engine_answers():
            return True, "the Docker engine answers"
        if processes.identify(pid) is None:
            raise BotyardError(f"dockerd ended at once: {_last_words(places.log, said_before)}")
        return False, "waiting for the Docker engine"

    try:
        wait_until("the Docker engine", probe, START_TIMEOUT_S, interval_s=0.2, progress=progress)
    except TimedOut as error:
        raise BotyardError(f"{error.message}: {_last_words(places.log, said_before)}") from error
    return f"started a Docker engine (pid {pid}, settings {places.config}, images and containers in {places.data})"


def _last_words(log: Path, said_before: int) -> str:
    """The line of this start that tells most."""
    with log.open("rb") as source:
        source.seek(said_before)
        lines = [line for line in source.read().decode(errors="replace").splitlines() if line.strip()]
    loud = [line for line in lines[-40:] if "failed to" in line or "level=fatal" in line or "level=error" in line]
    return (loud or lines or ["it said nothing"])[-1][-400:]


def _keep_log(places: Places) -> str:
    """Saves the engine's log before its folder goes; returns the cure that names it."""
    if not places.log.exists():
        return "see what apt-get says: apt-get install docker.io"
    kept = Path(tempfile.gettempdir()) / "botyard-dockerd.log"
    shutil.copyfile(places.log, kept)
    return f"see {kept}"


def _is_our_dockerd(pid: int, places: Places) -> bool:
    return str(places.config) in processes.command_line(pid)


def _adopt(home: Path, places: Places) -> None:
    """Notes an engine of ours that a run, killed at the wrong moment, started without noting it."""
    pid = _pid_in(places.pidfile, "dockerd")
    if pid is None or not _is_our_dockerd(pid, places):
        return
    book = ledger.read(home)
    found = processes.identify(pid)
    if found is not None and book.engine != found:
        book.engine = found
        ledger.write(book, home)


def clear_stale(book: ledger.Ledger, places: Places) -> None:
    """Removes pid files and sockets of processes that were killed, which would stop or mislead a new dockerd.

    And what a killed removal left.
    """
    if book.engine is not None and processes.alive(book.engine):
        processes.stop(book.engine, HUNG_STOP_TIMEOUT_S)  # ours runs but does not answer
    remove_half_gone(places)
    if _pid_in(places.pidfile, "dockerd") is None:
        places.pidfile.unlink(missing_ok=True)
    if _pid_in(places.containerd_pidfile, "containerd") is None:
        places.containerd_pidfile.unlink(missing_ok=True)
        for socket in ("containerd.sock", "containerd.sock.ttrpc", "containerd-debug.sock"):
            (places.containerd_pidfile.parent / socket).unlink(missing_ok=True)
    if places.socket.exists():
        places.socket.unlink()  # nobody answered on it
    # dockerd takes this file alone as proof that the system's containerd runs, and waits for it in vain.
    if _SYSTEM_CONTAINERD.exists() and not processes.find("containerd"):
        _SYSTEM_CONTAINERD.unlink()


def _pid_in(file: Path, program: str) -> int | None:
    """The pid in that file, where it runs and is that program."""
    try:
        pid = int(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    # A killed one whose parent has not yet asked after it (a zombie) still has its name.
    alive = processes.name(pid) == program and processes.identify(pid) is not None
    return pid if alive else None


def _stop_packaged_service(book: ledger.Ledger) -> None:
    """Where systemd runs, installing docker.io starts a service; ours takes its place, until the package goes again."""
    if "docker.io" in book.packages and Path("/run/systemd/system").exists():
        run(["systemctl", "disable", "--now", "docker.socket", "docker.service"], check=False, timeout_s=60)


def _remember_forwarding(book: ledger.Ledger, home: Path) -> None:
    """dockerd turns forwarding on and drops what it does not know; remember what was before."""
    key = "net.ipv4.ip_forward"
    now = kernel.read_sysctl(key)
    if now is not None and key not in book.sysctls and now != 1:
        book.sysctls[key] = [str(now), "1"]
    if not book.forward_policy:
        shown = run(["iptables", "-S", "FORWARD"], check=False, timeout_s=30).stdout.split()
        book.forward_policy = shown[2] if len(shown) > 2 else ""
    ledger.write(book, home)
