"""ansible.builtin.include_tasks: the tasks of another file, run at this place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botyard.contracts import Context, Result
from botyard.modules.spec import arg

NAME = "ansible.builtin.include_tasks"
FREE_FORM = "file"
RETURNS = {
    "include": "the name of the file",
    "include_args": "an empty mapping, for Ansible's sake",
}
EXAMPLE = """\
- name: Each service
  ansible.builtin.include_tasks: service.yml
  vars: {port: 8080}
  loop: [web, api]
  loop_control: {loop_var: service}
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    file: str = arg("a file that holds a list of tasks; a relative path starts at the file it stands in")
    apply: dict[str, Any] | None = arg("keywords of a block around the tasks of the file, for example tags", None)


def run(args: Args, ctx: Context) -> Result:
    """Changes nothing itself, so it does the same in check mode; the tasks of the file run next."""
    return Result(msg=f"included: {args.file}", data={"include": args.file, "include_args": {}})
