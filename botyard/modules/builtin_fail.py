"""ansible.builtin.fail: ends the playbook with a message."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import Context, Result
from botyard.modules.spec import arg

NAME = "ansible.builtin.fail"


@dataclass(frozen=True, kw_only=True)
class Args:
    msg: str = arg("why", "Failed as requested from task")


def run(args: Args, ctx: Context) -> Result:
    """Always fails."""
    return Result(failed=True, msg=args.msg)
