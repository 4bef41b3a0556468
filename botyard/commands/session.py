"""From flags to a run: paths, target and bot are read and checked, then the playbooks run."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from botyard.contracts import EXIT_FAILED, EXIT_INTERRUPTED, BadInput, BotyardError, Paths

if TYPE_CHECKING:
    from botyard.playbook import RunReport
    from botyard.targets import Target


@dataclass(frozen=True)
class Flags:
    """The flags that every playbook task has."""

    target: str = "kind"
    bot: str = "tea"
    sources: str = ""
    tags: str = ""
    skip_tags: str = ""
    start_at_task: str = ""
    check: bool = False
    diff: bool = False
    recreate: bool = False
    everything: bool = False
    list_tasks: bool = False
    plain: bool = False
    debug: bool = False


def as_typed(text: str) -> str:
    """A word of the command line as UTF-8, whatever the locale made of it.

    Raises:
        BadInput: its bytes are no UTF-8.
    """
    try:
        return os.fsencode(text).decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"{text!a} is not UTF-8", "set the terminal to UTF-8 and type it again") from None


def mend_streams() -> None:
    """Makes standard output and error take any text: an ASCII locale must not stop a run, nor must a closed one."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for good
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _of_the_system(error: OSError) -> tuple[str, str]:
    """What the operating system refused, and what the reader can do about it."""
    if isinstance(error, BrokenPipeError):
        # Nobody reads on (``| head``); what is still in the buffer must not fail a second time.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
        return "nobody reads the output any more, so the run was ended", "write it to a file, then look at that"
    where = f"{error.filename}: " if error.filename else ""
    cures = {
        errno.ENOSPC: "make room: docker system df, invoke cache.show",
        errno.EACCES: "run this as the user that it belongs to",
        errno.EPERM: "run this as the user that it belongs to",
        errno.EROFS: "set XDG_CACHE_HOME to a folder that can be written, and work in a checkout that can be",
    }
    text = error.strerror or str(error)
    return f"{where}{text[:1].lower()}{text[1:]}", cures.get(error.errno or 0, "")


@contextlib.contextmanager
def errors_as_lines(debug: bool = False) -> Iterator[None]:
    """Turns our errors into one clear message and the right exit code; a traceback only with --debug."""
    mend_streams()
    try:
        yield
    except (Exit, SystemExit):
        raise
    except KeyboardInterrupt:
        raise Exit("interrupted", EXIT_INTERRUPTED) from None
    except BotyardError as error:
        if debug:
            traceback.print_exc()
        raise Exit(f"botyard: {error}", error.exit_code) from None
    except OSError as error:
        if debug:
            traceback.print_exc()
        message, cure = _of_the_system(error)
        raise Exit(f"botyard: {BotyardError(message, cure)}", EXIT_FAILED) from None
    except Exception as error:  # noqa: BLE001 - the last door: a user sees a sentence, never a bare traceback
        if debug:
            traceback.print_exc()
        text = f"botyard: internal error: {type(error).__name__}: {error}\n  cure: run again with --debug and report it"
        raise Exit(text, EXIT_FAILED) from None


def root_folder() -> Path:
    """The checkout: the folder that holds botyard/ and playbooks/."""
    return Path(__file__).resolve().parents[2]


def paths_for(cluster: str) -> Paths:
    """Where things lie for one cluster; see contracts.Paths."""
    root = root_folder()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "botyard"
    return Paths(root=root, state=root / ".botyard" / cluster, cache=cache)


def read_target(flags: Flags) -> Target:
    """The target that the flags name, with --sources put over what values/targets.yml says."""
    from botyard.targets import load_target

    target = load_target(root_folder(), flags.target)
    if not flags.sources:
        return target
    if flags.sources not in ("auto", "registries", "packages"):
        raise BadInput(f"unknown sources {flags.sources!r}", "use auto, registries or packages")
    return target.model_copy(update={"sources": target.sources.model_copy(update={"mode": flags.sources})})


def play(files: list[str | Path], flags: Flags, *, needs_bot: bool = True, extra: dict[str, Any] | None = None) -> None:
    """Runs playbooks (names in playbooks/ or paths) and ends the process with their exit code unless that is 0."""
    with errors_as_lines(flags.debug):
        report = run(files, flags, needs_bot=needs_bot, extra=extra)
    if report is not None and report.exit_code:
        raise Exit(code=report.exit_code)


def run(
    files: list[str | Path], flags: Flags, *, needs_bot: bool = True, extra: dict[str, Any] | None = None
) -> RunReport | None:
    """Like ``play``, but returns the report (None where tasks were only listed)."""
    from botyard import playbook

    target = read_target(flags)
    paths = paths_for(target.cluster)
    run_dir = paths.state / "runs" / time.strftime("%Y%m%d-%H%M%S")
    variables: dict[str, Any] = {
        "root": str(paths.root),
        "state": str(paths.state),
        "cache": str(paths.cache),
        "run_dir": str(run_dir),
        "recreate": flags.recreate,
        "everything": flags.everything,
        "target": {
            **target.model_dump(),
            "context": target.context,
            "network": target.network,
            "kubeconfig": str(paths.state / "kubeconfig"),
        },
    }
    if needs_bot:
        from botyard.host.bot import load_bot

        bot = load_bot(paths.root, flags.bot)
        variables["bot"] = {
            "name": bot.name, "dir": str(bot.dir), "extra_apt": bot.extra_apt, "extra_pip": bot.extra_pip,
        }  # fmt: skip
    variables.update(extra or {})
    found = [paths.root / "playbooks" / f if isinstance(f, str) else f for f in files]
    tags, skip = _words(flags.tags), _words(flags.skip_tags)
    if flags.list_tasks:
        for line in playbook.list_tasks(found, tags=tags, skip_tags=skip, extra_vars=variables, target=target):
            print(line)
        return None
    options = playbook.RunOptions(
        paths=paths,
        target=target,
        extra_vars=variables,
        check=flags.check,
        diff=flags.diff,
        tags=tags,
        skip_tags=skip,
        start_at_task=flags.start_at_task or None,
        run_dir=run_dir,
        console="plain" if flags.plain or not sys.stdout.isatty() else "rich",
        debug=flags.debug,
    )
    must_be_writable(paths.cache)
    with one_run_at_a_time(target.cluster, all_clusters=flags.everything):
        return playbook.run_playbooks(found, ctx=options)


def must_be_writable(cache: Path) -> None:
    """Makes the cache folder where there is none.

    Raises:
        BadInput: it cannot be written.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()
    except OSError as error:
        raise BadInput(
            f"the cache folder {cache} cannot be written: {error.strerror}",
            "set XDG_CACHE_HOME to a folder that can be",
        ) from None


@contextlib.contextmanager
def one_run_at_a_time(cluster: str, *, all_clusters: bool = False) -> Iterator[None]:
    """Holds this machine's lock on a cluster; the kernel frees it when a run is killed.

    The locks do not lie in the cache: clusters and the engine are the machine's, whatever XDG_CACHE_HOME says.

    Args:
        all_clusters: hold the locks of all clusters: ``down --all`` takes the engine away from under every one.
    Raises:
        BadInput: another run works on that cluster now, from whichever checkout.
    """
    from filelock import FileLock, Timeout

    folder = Path(tempfile.gettempdir()) / f"botyard-{os.getuid()}"
    names = {cluster}
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if all_clusters:
                names |= {file.stem for file in folder.glob("*.lock")}
            for name in sorted(names):
                holder = folder / f"{name}.pid"
                held.enter_context(FileLock(folder / f"{name}.lock").acquire(timeout=0))
                holder.write_text(f"{os.getpid()}\n")
        except Timeout:
            pid = holder.read_text().strip() if holder.is_file() else "unknown"
            raise BadInput(
                f"another run (process {pid}) is working on cluster {name}", "wait for it to end, or stop it"
            ) from None
        except OSError as error:
            raise BadInput(
                f"the folder for locks {folder} cannot be written: {error.strerror}", "set TMPDIR to one that can be"
            ) from None
        yield


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
