"""ansible.builtin.copy: a file or folder with this content."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botyard.contracts import BotyardError, Context, Result
from botyard.modules.builtin_files import WRITTEN, did_you_mean, mode_of, put, read, under
from botyard.modules.spec import arg

NAME = "ansible.builtin.copy"
RETURNS = WRITTEN
EXAMPLE = """\
- name: A settings file
  ansible.builtin.copy:
    dest: settings.json
    content: "{{ {'language': 'en'} | to_nice_json }}"
    mode: "0644"
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    dest: str = arg("where to; a trailing / means: into this folder")
    src: str | None = arg("file or folder to copy; a folder with a trailing / gives its content", None)
    content: Any = arg("text of the file; a list or mapping is written as JSON", None)
    mode: str | int | None = arg('octal permissions as text, "0644"; "preserve" takes those of src', None)
    directory_mode: str | int | None = arg("octal permissions of folders made on the way", None)
    force: bool = arg("replace a file that differs", True)
    backup: bool = arg("keep the replaced file beside the new one", False)
    remote_src: bool = arg("taken for Ansible's sake; src is always on this machine", False)


def run(args: Args, ctx: Context) -> Result:
    """Compares by content and mode; check mode writes nothing and says whether it would."""
    if (args.src is None) == (args.content is None):
        raise BotyardError("copy takes either src or content", "give one of them")
    dest = under(ctx.basedir, args.dest)
    into = args.dest.endswith("/") or dest.is_dir()
    if args.src is None:
        if into:
            raise BotyardError(f"copy with content needs a file as dest, {dest} is a folder", "add the file's name")
        text = args.content if isinstance(args.content, str) else json.dumps(args.content)
        return _one(args, dest, text.encode(), mode_of(args.mode), ctx)
    source = under(ctx.basedir, args.src)
    if source.is_dir():
        return _folder(args, source, dest if args.src.endswith("/") else dest / source.name, ctx)
    content = read(source)
    if content is None:
        raise BotyardError(f"no such file: {source}", did_you_mean(source))
    mode = stat.S_IMODE(source.stat().st_mode) if args.mode == "preserve" else mode_of(args.mode)
    return _one(args, dest / source.name if into else dest, content, mode, ctx)


def _one(args: Args, dest: Path, content: bytes, mode: int | None, ctx: Context) -> Result:
    if not args.force and dest.exists():
        return Result(data={"dest": str(dest)}, msg="exists, and force is false")
    if args.dest.endswith("/") and not dest.parent.is_dir() and not ctx.check:
        dest.parent.mkdir(parents=True)
    return put(dest, content, ctx, mode=mode, backup=args.backup)


def _folder(args: Args, source: Path, dest: Path, ctx: Context) -> Result:
    whole = Result(data={"dest": f"{under(ctx.basedir, args.dest)}/"})
    folder_mode = mode_of(args.directory_mode)
    for item in [source, *sorted(source.rglob("*"))]:
        target = dest / item.relative_to(source)
        if item.is_dir():
            if not target.is_dir():
                whole.changed = True
                if not ctx.check:
                    target.mkdir(parents=True)
                    if folder_mode is not None:
                        target.chmod(folder_mode)
            continue
        mode = stat.S_IMODE(item.stat().st_mode) if args.mode == "preserve" else mode_of(args.mode)
        if not args.force and target.exists():
            continue
        one = put(target, read(item) or b"", ctx, mode=mode, backup=args.backup)
        whole.changed = whole.changed or one.changed
        whole.diff += one.diff
    return whole
