"""ansible.builtin.fail: ends the playbook with a message."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import Context, Result
from botyard.modules.spec import arg

NAME = "ansible.builtin.fail"
RETURNS: dict[str, str] = {}
EXAMPLE = """\
- name: Stop where a port is taken by something else
  ansible.builtin.fail:
    msg: "port {{ port }} is not for us"
  when: port < 1024
  vars: {port: 8080}
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    msg: str = arg("why", "Failed as requested from task")


def run(args: Args, ctx: Context) -> Result:
    """Always fails, in check mode too."""
    return Result(failed=True, msg=args.msg)
