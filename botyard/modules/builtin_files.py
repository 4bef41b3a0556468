"""What copy, template, file and stat share: modes, content compared and put in place by one rename."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from pathlib import Path
from typing import Any

from botyard.contracts import BotyardError, Context, Diff, Result
from botyard.hints import close_to

_MAX_DIFF_BYTES = 100_000
_replacing = threading.Lock()  # playbooks side by side may write one file
# What a module that writes one file returns.
WRITTEN = {
    "dest": "the file written",
    "checksum": "its SHA-1",
    "size": "its bytes",
    "mode": 'its permissions, as "0644"',
    "state": "`file`",
    "path": "the same as dest, where its content was right",
    "backup_file": "where the replaced file was kept (backup)",
}


def under(base: Path, name: str) -> Path:
    """A path as the playbook means it: relative ones start at the playbook's folder.

    Raises:
        BotyardError: no path can be of that name.
    """
    try:
        os.fsencode(name)
        path = Path(name).expanduser()
    except (ValueError, RuntimeError):  # half a character; the folder of a user that there is not
        path = None
    if path is None or "\0" in name:
        raise BotyardError(f"{name!r} is no path", "mend it")
    return base / path


def mode_of(mode: str | int | None) -> int | None:
    """Permission bits from "0644" (text, octal) or 0644 (a YAML number, already read as octal); None: leave as is.

    Raises:
        BotyardError: symbolic or senseless modes.
    """
    if mode is None or mode == "preserve":
        return None
    try:
        bits = int(mode, 8) if isinstance(mode, str) else mode
    except ValueError:
        raise BotyardError(f"mode {mode!r} is not octal", 'write it as text: "0644"') from None
    if not 0 <= bits <= 0o7777:
        raise BotyardError(f"mode {mode!r} is out of range", 'write it as text: "0644"')
    return bits


def path_info(path: Path) -> dict[str, Any]:
    """Mode, size and kind (as ``state``) of what lies there, which modules for files tell as Ansible's do."""
    if not path.exists():
        return {}
    found = path.lstat()
    kind = "link" if path.is_symlink() else "directory" if path.is_dir() else "hard" if found.st_nlink > 1 else "file"
    return {"mode": f"{stat.S_IMODE(found.st_mode):04o}", "size": found.st_size, "state": kind}


def sha1_of(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def read(file: Path) -> bytes | None:
    """The content, or None where there is no such file."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BotyardError(f"cannot read {file}: {error.strerror}") from None


def put(dest: Path, content: bytes, ctx: Context, *, mode: int | None = None, backup: bool = False) -> Result:
    """Makes ``dest`` hold ``content`` with ``mode``; changed is decided by both.

    Raises:
        BotyardError: the folder is missing, or no right to write.
    """
    before = read(dest)
    old_mode = stat.S_IMODE(dest.stat().st_mode) if before is not None else None
    new_content, new_mode = before != content, mode is not None and old_mode != mode
    data: dict[str, Any] = {"dest": str(dest), "checksum": sha1_of(content)}
    result = Result(changed=new_content or new_mode, data=data)
    if ctx.diff and new_content:
        result.diff.append(Diff(str(dest), _text(before), _text(content)))
    if ctx.diff and new_mode and old_mode is not None:
        result.diff.append(Diff(f"{dest} mode", f"{old_mode:04o}\n", f"{mode:04o}\n"))
    if not new_content:
        data["path"] = str(dest)
    if not result.changed:
        data |= path_info(dest)
        return result
    if ctx.check:
        data.clear()  # as in Ansible: nothing is known of a file that is not written
        return result
    try:
        if new_content:
            if backup and before is not None:
                saved = dest.with_name(f"{dest.name}.{sha1_of(before)[:12]}~")
                _replace(saved, before, old_mode)
                data["backup_file"] = str(saved)
            _replace(dest, content, mode if mode is not None else old_mode)
        elif mode is not None:
            dest.chmod(mode)
    except FileNotFoundError:
        raise BotyardError(f"there is no folder {dest.parent}", "make it first with ansible.builtin.file") from None
    except OSError as error:
        raise BotyardError(f"cannot write {dest}: {error.strerror}") from None
    data |= path_info(dest)
    return result


def _replace(dest: Path, content: bytes, mode: int | None) -> None:
    """Writes beside ``dest`` and renames. The name beside it is always the same, so that the next run takes away what
    a killed one left; it is made anew, so that nobody else holds it open."""
    half = dest.with_name(f".{dest.name}.botyard")
    with _replacing:
        half.unlink(missing_ok=True)
        handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            half.chmod(mode if mode is not None else 0o666 & ~_umask())
            half.replace(dest)
        except BaseException:
            half.unlink(missing_ok=True)
            raise


def _umask() -> int:
    # Reading the umask by setting it would race with other threads.
    for line in Path("/proc/self/status").read_text().splitlines() if Path("/proc/self/status").exists() else []:
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    return 0o022


def _text(content: bytes | None) -> str:
    if content is None:
        return ""
    if len(content) > _MAX_DIFF_BYTES or b"\0" in content:
        return f"({len(content)} bytes, sha1 {sha1_of(content)})\n"
    return content.decode(errors="replace")


def did_you_mean(file: Path) -> str:
    """A cure for a missing source file."""
    siblings = [p.name for p in file.parent.iterdir()] if file.parent.is_dir() else []
    return close_to(file.name, siblings)
