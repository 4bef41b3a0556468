"""ansible.builtin.include_tasks: the tasks of another file, run at this place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botyard.contracts import Context, Result
from botyard.modules.spec import arg

NAME = "ansible.builtin.include_tasks"
FREE_FORM = "file"
RETURNS = {"include": "the file", "include_args": "empty, for Ansible's sake"}
EXAMPLE = """\
- name: The tasks of more.yml, once for each language
  ansible.builtin.include_tasks: more.yml
  loop: [en, zh]
  loop_control: {loop_var: language}
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    file: str = arg("a file that holds a list of tasks; a relative path starts at the file it stands in")
    apply: dict[str, Any] | None = arg("keywords of a block around the tasks of the file, for example tags", None)


def run(args: Args, ctx: Context) -> Result:
    """Changes nothing itself, so it does the same in check mode; the tasks of the file run next."""
    return Result(msg=f"included: {args.file}", data={"include": args.file, "include_args": {}})
