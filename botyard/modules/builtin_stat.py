"""ansible.builtin.stat: what lies at a path."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import Any, Literal

from botyard.contracts import BotyardError, Context, Result
from botyard.modules.builtin_files import under
from botyard.modules.spec import arg

NAME = "ansible.builtin.stat"
RETURNS = {
    "stat": "`exists`; where it does also path, mode, isdir, isreg, islnk, size, uid, gid, mtime, atime, ctime, "
    "executable, readable, writeable; checksum of a file; lnk_target and lnk_source of a link",
}
EXAMPLE = """\
- name: Is there a settings file?
  ansible.builtin.stat:
    path: settings.json
  register: settings

- name: There is none
  ansible.builtin.debug:
    msg: no settings yet
  when: not settings.stat.exists
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    path: str = arg("what to look at", aliases=("dest", "name"))
    follow: bool = arg("look at what a link points to", False)
    get_checksum: bool = arg("add the checksum of a regular file", True)
    checksum_algorithm: Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"] = arg(
        "how the checksum is made", "sha1", aliases=("checksum", "checksum_algo")
    )


def run(args: Args, ctx: Context) -> Result:
    """Changes nothing, so it does the same in check mode; ``stat.exists`` is false where there is nothing."""
    path = under(ctx.basedir, args.path)
    try:
        found = path.stat() if args.follow else path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Result(data={"stat": {"exists": False}})
    except OSError as error:
        raise BotyardError(f"cannot look at {path}: {error.strerror}") from None
    kind = found.st_mode
    data: dict[str, Any] = {
        "exists": True,
        "path": str(path),
        "mode": f"{stat.S_IMODE(kind):04o}",
        "isdir": stat.S_ISDIR(kind),
        "isreg": stat.S_ISREG(kind),
        "islnk": stat.S_ISLNK(kind),
        "size": found.st_size,
        "uid": found.st_uid,
        "gid": found.st_gid,
        "mtime": found.st_mtime,
        "atime": found.st_atime,
        "ctime": found.st_ctime,
        "executable": os.access(path, os.X_OK),
        "readable": os.access(path, os.R_OK),
        "writeable": os.access(path, os.W_OK),
    }
    if data["islnk"]:
        data["lnk_target"] = str(path.readlink())
        data["lnk_source"] = str(path.resolve())
    if data["isreg"] and args.get_checksum and data["readable"]:
        with path.open("rb") as stream:
            data["checksum"] = hashlib.file_digest(stream, args.checksum_algorithm).hexdigest()
    return Result(data={"stat": data})
