"""What a user types and reads: text in any locale, our errors as lines with the right exit code."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import traceback
from collections.abc import Iterator

from invoke.exceptions import Exit

from botyard.contracts import EXIT_FAILED, EXIT_INTERRUPTED, BadInput, BotyardError


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
