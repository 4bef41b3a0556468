"""ansible.builtin.debug: says something."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botyard.contracts import BotyardError, Context, Result
from botyard.modules.spec import Expression, arg

NAME = "ansible.builtin.debug"
RETURNS = {
    "msg": "what was said, where msg is given",
}
EXAMPLE = """\
- name: What is in it?
  ansible.builtin.debug:
    var: colours | length
  vars: {colours: [red, green]}
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    msg: Any = arg("what to say; a list or mapping is shown as JSON", "Hello world!")
    var: Expression | None = arg("an expression whose value is shown; not together with msg", None, expression=True)
    verbosity: int = arg("taken for Ansible's sake; everything is shown", 0)


def run(args: Args, ctx: Context) -> Result:
    """Changes nothing, so it does the same in check mode. With var, the expression's text is the registered key."""
    if args.var is None:
        text = args.msg if isinstance(args.msg, str) else _shown(args.msg)
        return Result(msg=text, data={"msg": args.msg})
    if args.msg != "Hello world!":
        raise BotyardError("debug takes msg or var, not both", "take one of them out")
    value = args.var.evaluate()
    return Result(msg=f"{args.var.text}: {_shown(value)}", data={args.var.text: value})


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, indent=4, sort_keys=True, default=str, ensure_ascii=False)
    except TypeError:  # keys of several kinds, or of one that JSON does not know
        return str(value)
