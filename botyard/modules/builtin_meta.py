"""ansible.builtin.meta: a word to the engine itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from botyard.contracts import Context, Result
from botyard.modules.spec import arg

NAME = "ansible.builtin.meta"
FREE_FORM = "action"
RETURNS = {"action": "the same word"}
EXAMPLE = """\
- name: Handlers that were notified run now, not at the end of the play
  ansible.builtin.meta: flush_handlers
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    action: Literal["flush_handlers", "end_play", "noop"] = arg(
        "flush_handlers: run the notified handlers now; end_play: leave out the rest of the play; noop: nothing"
    )


def run(args: Args, ctx: Context) -> Result:
    """Done by the engine right after this task, in check mode too; not counted in the recap."""
    return Result(data={"action": args.action})
