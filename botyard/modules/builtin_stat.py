"""ansible.builtin.stat: what lies at a path."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import Any

from botyard.contracts import BotyardError, Context, Result
from botyard.modules.builtin_files import under
from botyard.modules.spec import arg

NAME = "ansible.builtin.stat"


@dataclass(frozen=True, kw_only=True)
class Args:
    path: str = arg("what to look at", aliases=("dest", "name"))
    follow: bool = arg("look at what a link points to", False)
    get_checksum: bool = arg("add the checksum of a regular file", True)
    checksum_algorithm: str = arg("sha1, sha256 and so on", "sha1", aliases=("checksum", "checksum_algo"))


def run(args: Args, ctx: Context) -> Result:
    """Never changes anything; ``stat.exists`` is false where there is nothing."""
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
