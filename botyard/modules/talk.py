"""``botyard.core.talk``: say something to the released bot; no reply is a failure."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import Context, Result
from botyard.modules.spec import arg
from botyard.verify.rest import LostReply, say
from botyard.verify.way_in import base_url

NAME = "botyard.core.talk"
RETURNS = {"texts": "what the bot said, a text each; nothing in check mode"}
EXAMPLE = """\
- name: It answers
  botyard.core.talk:
    text: hello
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    text: str = arg("what to say")
    sender: str = arg("who says it; the bot remembers a sender", "botyard")


def run(args: Args, ctx: Context) -> Result:
    """Failed where nothing comes back, which Rasa's channel tells by an empty list; silent in check mode."""
    if ctx.check:
        return Result(msg=f"would say {args.text!r}")
    with base_url(ctx.target, ctx.paths.state) as url:
        try:
            reply = say(url, args.sender, args.text)
        except LostReply as lost:
            return Result(failed=True, msg=f"{args.text!r}: {lost}")
    return Result(msg=f"{args.text!r}: {reply.text or reply.lines[0]}", data={"texts": reply.texts})
