"""ansible.builtin.assert: every expression must be true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botyard.contracts import Context, Result
from botyard.modules.spec import Expression, arg

NAME = "ansible.builtin.assert"
RETURNS = {
    "assertion": "the first expression that is not true",
    "evaluated_to": "what it gave",
}
EXAMPLE = """\
- name: The answer is right
  ansible.builtin.assert:
    that:
      - answer == 42
      - answer is not string
    fail_msg: "the answer is {{ answer }}"
  vars: {answer: 42}
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    that: Any = arg("one expression or a list of them", expression=True)
    fail_msg: str | list[str] | None = arg("said where one is false", None, aliases=("msg",))
    success_msg: str | list[str] | None = arg("said where all are true", None)
    quiet: bool = arg("say nothing where all are true", False)


def run(args: Args, ctx: Context) -> Result:
    """Fails at the first expression that is not true; changes nothing, so it does the same in check mode."""
    conditions: list[Expression] = args.that if isinstance(args.that, list) else [args.that]
    for condition in conditions:
        value = condition.evaluate()
        if not isinstance(value, bool):
            text = f"the condition {condition.text!r} gives {type(value).__name__}, not true or false"
            return Result(failed=True, msg=text)
        if not value:
            message = _text(args.fail_msg) or "Assertion failed"
            told = message if args.fail_msg else f"{message}: {condition.text}"
            data = {"msg": message, "assertion": condition.text, "evaluated_to": False}
            return Result(failed=True, msg=told, data=data)
    message = _text(args.success_msg) or "All assertions passed"
    return Result(msg="" if args.quiet else message, data={"msg": message})


def _text(message: str | list[str] | None) -> str:
    return "\n".join(message) if isinstance(message, list) else message or ""
