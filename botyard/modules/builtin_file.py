"""ansible.builtin.file: a path is a folder, a file, a link, or not there."""

from __future__ import annotations

import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from botyard.contracts import BotyardError, Context, Result
from botyard.modules.builtin_files import mode_of, path_info, under
from botyard.modules.spec import arg

NAME = "ansible.builtin.file"
State = Literal["absent", "directory", "file", "link", "touch"]
RETURNS = {
    "path": "the path; `dest` for state link and touch",
    "src": "what a link points to",
    "state": "what it is now",
    "mode": "its permissions",
    "size": "its bytes",
}
EXAMPLE = """\
- name: A folder
  ansible.builtin.file:
    path: made/by/botyard
    state: directory
    mode: "0755"
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    path: str = arg("the path", aliases=("dest", "name"))
    state: State | None = arg("what it shall be; by default what it is, else file", None)
    mode: str | int | None = arg('octal permissions as text, "0755"', None)
    src: str | None = arg("what a link points to", None)
    force: bool = arg("replace what stands in the way of a link", False)
    recurse: bool = arg("set the mode of everything below a folder too", False)


def run(args: Args, ctx: Context) -> Result:
    """Changed is decided by kind, link target and mode; check mode touches nothing and says whether it would."""
    path = under(ctx.basedir, args.path)
    state = args.state or ("directory" if path.is_dir() else "file")
    mode = mode_of(args.mode)
    result = Result(data={"dest" if state in ("link", "touch") else "path": str(path)})
    if state == "file" and not path.is_file():
        message = f"{path} is no file: make it with ansible.builtin.copy, or use state: touch"
        return Result(failed=True, msg=message, data={"path": str(path), "state": "absent", **path_info(path)})
    try:
        if state == "absent":
            result.changed = _remove(path, ctx)
        elif state == "link":
            result.changed = _link(args, path, ctx)
        else:
            new = [folder for folder in path.parents if not folder.exists()] if state == "directory" else []
            result.changed = _make(path, state, ctx) or result.changed
            below = sorted(path.rglob("*")) if args.recurse and state == "directory" and path.is_dir() else []
            for one in [path, *new, *below]:
                result.changed = _set_mode(one, mode, ctx) or result.changed
    except OSError as error:
        raise BotyardError(f"cannot make {path} {state}: {error.strerror}") from None
    if state == "absent":
        result.data["state"] = "absent"
    if state == "link":
        result.data["src"] = args.src
    result.data |= path_info(path)
    return result


def _remove(path: Path, ctx: Context) -> bool:
    if not path.exists() and not path.is_symlink():
        return False
    if not ctx.check:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return True


def _link(args: Args, path: Path, ctx: Context) -> bool:
    if args.src is None:
        raise BotyardError("state: link needs src", "give what the link points to")
    if path.is_symlink() and str(path.readlink()) == args.src:
        return False
    if path.is_symlink() or path.exists():
        if not path.is_symlink() and not args.force:
            raise BotyardError(f"{path} is in the way of the link", "remove it or set force: true")
        _remove(path, ctx)
    if not ctx.check:
        path.symlink_to(args.src)
    return True


def _make(path: Path, state: str, ctx: Context) -> bool:
    if state == "directory":
        if path.is_dir():
            return False
        if path.exists():
            raise BotyardError(f"{path} exists and is no folder", "remove it first")
        if not ctx.check:
            path.mkdir(parents=True)
        return True
    if state == "touch":
        if not ctx.check:
            path.touch()
        return True
    return False


def _set_mode(path: Path, mode: int | None, ctx: Context) -> bool:
    if mode is None or not path.exists() or stat.S_IMODE(path.stat().st_mode) == mode:
        return False
    if not ctx.check:
        path.chmod(mode)
    return True
