"""ansible.builtin.set_fact: variables for the tasks that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botyard.contracts import Context, Result
from botyard.modules.spec import arg

NAME = "ansible.builtin.set_fact"
ARGS_INTO = "facts"
RETURNS = {
    "ansible_facts": "the names and their values",
}
EXAMPLE = """\
- name: Note where the bot answers
  ansible.builtin.set_fact:
    bot_url: http://127.0.0.1:5005
    languages: [en, zh]
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    facts: dict[str, Any] = arg("names and values; any name may be given")


def run(args: Args, ctx: Context) -> Result:
    """Changes nothing outside the run, so it does the same in check mode."""
    return Result(data={"ansible_facts": dict(args.facts)})
