"""``botyard.core.summary``: lines that the recap at the end of the run repeats, where a reader looks last."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import Context, Result
from botyard.modules.spec import arg

NAME = "botyard.core.summary"
RETURNS = {
    "summary_lines": "the lines",
}
EXAMPLE = """\
- name: Where to talk to the bot
  botyard.core.summary:
    lines:
      - "talk to the bot: invoke talk hello"
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    lines: list[str] = arg("lines for the recap")


def run(args: Args, ctx: Context) -> Result:
    """Changes nothing, so it does the same in check mode."""
    return Result(data={"summary_lines": args.lines})
