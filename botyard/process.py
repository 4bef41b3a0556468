"""The only door to child processes: argument lists, redaction, errors that can be pasted, no orphans."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from botyard.contracts import BotyardError, CommandError, Secret, TimedOut

Arg = str | Path | Secret

_LOOK_EVERY_S = 0.05
_RAISES = signal.default_int_handler  # KeyboardInterrupt

_children: set[subprocess.Popen[str]] = set()
_lock = threading.Lock()


@dataclass(frozen=True)
class Completed:
    """What a finished child process left behind. ``duration_s`` is wall clock."""

    argv: list[str]
    returncode: int
    stdout: str
    stderr: str
    duration_s: float


def run(
    argv: Sequence[Arg],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | Secret | None = None,
    timeout_s: float = 600,
    check: bool = True,
    on_line: Callable[[str], None] | None = None,
    secrets: Sequence[Secret] = (),
) -> Completed:
    """Runs one program to its end, in a process group of its own.

    Args:
        argv: the program and its arguments; a Secret is passed on but never shown.
        env: added to this process's environment.
        stdin: text for its standard input (otherwise it gets none).
        check: raise CommandError where the exit code is not 0.
        on_line: called with every line of stdout and stderr as it comes (already redacted).
        secrets: values hidden from what is returned, raised or passed to on_line.

    Raises:
        CommandError: it ended with another code than 0.
        TimedOut: it ran over timeout_s and was ended with its children.
        BotyardError: there is no such program.
    """
    hidden = [s.reveal() for s in [*secrets, *(a for a in argv if isinstance(a, Secret))] if s.reveal()]
    if isinstance(stdin, Secret):
        hidden.append(stdin.reveal())

    def redact(text: str) -> str:
        for value in hidden:
            text = text.replace(value, "***")
        return text

    plain = [a.reveal() if isinstance(a, Secret) else str(a) for a in argv]
    shown = [redact(a) for a in plain]
    started = time.monotonic()
    late: list[Callable[[], None]] = []
    child = _started(
        plain,
        shown[0],
        late,
        env={**os.environ, **env} if env else None,
        cwd=cwd,
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    out: list[str] = []
    err: list[str] = []
    faults: list[Exception] = []
    readers = [
        threading.Thread(target=_drain, args=(child.stdout, out, redact, on_line, faults), daemon=True),
        threading.Thread(target=_drain, args=(child.stderr, err, redact, on_line, faults), daemon=True),
    ]
    try:
        for reader in readers:
            reader.start()
        for interrupt in late:
            interrupt()
        if stdin is not None and child.stdin is not None:
            try:
                child.stdin.write(stdin.reveal() if isinstance(stdin, Secret) else stdin)
                child.stdin.close()
            except BrokenPipeError:
                pass  # it ended without reading; its exit code tells why
        _ended(child, readers, faults, started + timeout_s)
    except subprocess.TimeoutExpired:
        _end(child)
        raise TimedOut(" ".join(shown[:4]), timeout_s, "".join([*out, *err][-5:]).strip()) from None
    except BaseException:
        _end(child)
        raise
    finally:
        for reader in readers:
            if reader.ident is not None:
                reader.join(timeout=5)
        with _lock:
            _children.discard(child)
    done = Completed(shown, child.returncode, "".join(out), "".join(err), time.monotonic() - started)
    if check and done.returncode != 0:
        raise CommandError(done.argv, done.returncode, done.stdout, done.stderr)
    return done


def _started(argv: list[str], shown: str, late: list[Callable[[], None]], **options: Any) -> subprocess.Popen[str]:
    """A child in a process group of its own, known to ``end_children``; ``late`` takes what would have ended us.

    Raises:
        BotyardError: there is no such program, or it cannot be run.
    """
    try:
        with _ctrl_c_put_off(late):
            child: subprocess.Popen[str] = subprocess.Popen(
                argv, stdout=subprocess.PIPE, text=True, errors="replace", start_new_session=True, **options
            )
            with _lock:
                _children.add(child)
    except FileNotFoundError as error:
        raise BotyardError(f"program not found: {shown}", "run invoke doctor") from error
    except (OSError, ValueError) as error:  # no right to run it, no program, too long; a NUL in an argument
        reason = getattr(error, "strerror", None) or str(error)
        raise BotyardError(f"cannot start {shown!r}: {reason.lower()}", "can it be run in a terminal?") from error
    return child


@contextlib.contextmanager
def _ctrl_c_put_off(late: list[Callable[[], None]]) -> Iterator[None]:
    """What would end this run, Ctrl-C say, goes to ``late`` instead of into a child's start: it would not be ended."""
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is _RAISES]
    if threading.current_thread() is not threading.main_thread():
        numbers = []

    def note(number: int, frame: FrameType | None) -> None:
        late.append(lambda: _RAISES(number, frame))

    try:
        for number in numbers:
            signal.signal(number, note)
        yield
    finally:
        for number in numbers:
            signal.signal(number, _RAISES)


def _ended(
    child: subprocess.Popen[str], readers: Sequence[threading.Thread], faults: Sequence[Exception], deadline_s: float
) -> None:
    """Waits until it has ended; raises TimeoutExpired at the deadline (monotonic clock), or what on_line raised.

    The end of its output wakes us at once; ``Popen.wait`` sleeps up to 50 ms between two looks.
    """
    for reader in readers:
        while reader.is_alive() and child.poll() is None and time.monotonic() < deadline_s and not faults:
            reader.join(timeout=_LOOK_EVERY_S)  # a grandchild may hold the pipe open
    for fault in faults:
        raise fault
    child.wait(timeout=max(0.0, deadline_s - time.monotonic()))


def _drain(
    stream: object,
    into: list[str],
    redact: Callable[[str], str],
    on_line: Callable[[str], None] | None,
    faults: list[Exception],
) -> None:
    """Reads to the end whatever happens: a child that nobody reads would wait for ever."""
    for line in stream:  # type: ignore[attr-defined]
        clean = redact(line)
        into.append(clean)
        if on_line is not None and clean.strip() and not faults:
            try:
                on_line(clean.rstrip("\n"))
            except Exception as fault:  # noqa: BLE001 - raised again by the thread that waits
                faults.append(fault)


def _end(child: subprocess.Popen[str], grace_s: float = 10) -> None:
    """Asks it and its children to end; kills them after ``grace_s``, or at once where Ctrl-C comes a second time."""
    for sig in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, sig)
            child.wait(timeout=grace_s)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        except KeyboardInterrupt:
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(child.pid, signal.SIGKILL)
                child.wait(timeout=2)  # else it stays as a zombie
            raise


def end_children() -> int:
    """Ends every child process that is still running (Ctrl-C came); returns how many there were."""
    with _lock:
        running = list(_children)
    for child in running:
        _end(child)
    return len(running)


@contextlib.contextmanager
def background(argv: Sequence[Arg], on_line: Callable[[str], None]) -> Iterator[subprocess.Popen[str]]:
    """Runs a program beside this one for as long as the block lasts, such as one that forwards a port.

    Args:
        on_line: called with every line that it prints, from another thread.
    """
    late: list[Callable[[], None]] = []
    plain = [str(a) for a in argv]
    child = _started(plain, plain[0], late, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    reader = threading.Thread(target=_drain, args=(child.stdout, [], str, on_line, []), daemon=True)
    try:
        reader.start()
        for interrupt in late:
            interrupt()
        yield child
    finally:
        _end(child)
        with _lock:
            _children.discard(child)


def spawn_detached(argv: Sequence[Arg], log: Path, *, env: Mapping[str, str] | None = None) -> int:
    """Starts a program that outlives this run (the Docker engine) with its output in ``log``; returns its pid."""
    with log.open("ab") as sink:
        child = subprocess.Popen(
            [str(a) for a in argv],
            env={**os.environ, **env} if env else None,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return child.pid
