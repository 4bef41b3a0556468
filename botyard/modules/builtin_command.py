"""ansible.builtin.command: one program with its arguments, without a shell."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botyard import process
from botyard.contracts import BotyardError, Context, Result
from botyard.modules.builtin_files import under
from botyard.modules.spec import arg

NAME = "ansible.builtin.command"
FREE_FORM = "cmd"
RETURNS = {
    "cmd": "the command as a list",
    "rc": "its exit code",
    "stdout": "what it printed",
    "stderr": "what it printed there",
    "stdout_lines": "the same as a list of lines",
    "stderr_lines": "the same as a list of lines",
    "delta": "seconds that it took",
}
EXAMPLE = """\
- name: Which kernel is this?
  ansible.builtin.command: uname -r
  register: kernel
  changed_when: false

- name: Say it
  ansible.builtin.debug:
    msg: "kernel {{ kernel.stdout | default('unknown') }}"
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    cmd: str | None = arg("the command as one line; split like a shell would, but never run by one", None)
    argv: list[str] | None = arg("the command as a list", None)
    chdir: str | None = arg("folder to run in", None)
    creates: str | None = arg("do nothing where this path (or pattern) exists", None)
    removes: str | None = arg("do nothing where this path (or pattern) does not exist", None)
    stdin: str | None = arg("text for its standard input", None)
    stdin_add_newline: bool = arg("end that text with a newline", True)
    strip_empty_ends: bool = arg("strip empty lines from the end of stdout and stderr", True)
    expand_argument_vars: bool = arg("put the values of $NAME, ${NAME} and ~ into arguments, as Ansible does", True)
    timeout_s: float = arg("seconds after which it is ended", 3600)


def run(args: Args, ctx: Context) -> Result:
    """Always changed where it ran (say changed_when); skipped in check mode unless creates or removes tells."""
    if (args.cmd is None) == (args.argv is None):
        raise BotyardError("command takes either cmd or argv", "give one of them")
    try:
        argv = args.argv if args.argv is not None else shlex.split(args.cmd or "")
    except ValueError as error:
        raise BotyardError(f"cannot split the command: {error}", "close the quotes, or use argv") from None
    if not argv:
        raise BotyardError("the command is empty", "name a program")
    folder = under(ctx.basedir, args.chdir) if args.chdir else None
    base = folder or ctx.basedir
    for path, unwanted, why in ((args.creates, True, "exists"), (args.removes, False, "does not exist")):
        if path is not None and _exists(base, path) is unwanted:
            message = f"{'Would' if ctx.check else 'Did'} not run command since '{path}' {why}"
            return Result(data=_nothing(argv, message, f"skipped, since {path} {why}"), msg=message)
    if ctx.check:
        told = bool(args.creates or args.removes)
        message = "Command would have run if not in check mode"
        return Result(changed=told, skipped=not told, data=_nothing(argv, message), msg=message)
    if folder is not None and not folder.is_dir():
        raise BotyardError(f"no such folder: {folder}", "mend chdir")
    stdin = args.stdin + "\n" if args.stdin is not None and args.stdin_add_newline else args.stdin
    words = [_expanded(word, ctx.environment) for word in argv] if args.expand_argument_vars else argv
    try:
        done = process.run(
            words, env=ctx.environment, cwd=folder, stdin=stdin, timeout_s=args.timeout_s, check=False,
            on_line=ctx.progress,
        )  # fmt: skip
    except BotyardError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        return _not_started(argv, error.message, error.__cause__)
    out, err = (_ends(text) if args.strip_empty_ends else text for text in (done.stdout, done.stderr))
    data: dict[str, Any] = {
        "cmd": argv,
        "rc": done.returncode,
        "stdout": out,
        "stderr": err,
        "stdout_lines": out.splitlines(),
        "stderr_lines": err.splitlines(),
        "delta": round(done.duration_s, 3),
    }
    failed = done.returncode != 0
    data["msg"] = "non-zero return code" if failed else ""
    return Result(changed=True, failed=failed, msg=data["msg"], data=data)


def _not_started(argv: list[str], message: str, why: OSError) -> Result:
    """What Ansible registers of a program that is not there or cannot be run."""
    data = _nothing(argv, "Error executing command.") | {"cmd": shlex.join(argv), "rc": why.errno}
    return Result(failed=True, msg=message, data=data)


def _expanded(word: str, own: Mapping[str, str]) -> str:
    known = {**os.environ, **own}
    whole = re.sub(r"\$(?:(\w+)|\{([^}]*)\})", lambda name: known.get(name[1] or name[2], name[0]), word)
    return os.path.expanduser(whole) if whole.startswith("~") else whole  # noqa: PTH111 - a Path drops a last /


def _nothing(argv: list[str], message: str, out: str = "") -> dict[str, Any]:
    """What is registered of a program that did not run."""
    lines = {"stdout_lines": out.splitlines(), "stderr_lines": list[str]()}
    return {"cmd": argv, "rc": 0, "stdout": out, "stderr": "", "msg": message, **lines}


def _exists(base: Any, path: str) -> bool:
    whole = under(base, path)
    return whole.exists() or next(iter(whole.parent.glob(whole.name)), None) is not None


def _ends(text: str) -> str:
    return text.rstrip("\r\n")
