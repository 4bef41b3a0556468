"""``botyard.core.doctor``: is this machine fit? Refuses where the user must do something first."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from botyard.contracts import BadInput, Context, Result
from botyard.host import doctor

NAME = "botyard.core.doctor"
RETURNS = {
    "checks": "a list of name, status (ok, will_fix), detail and cure",
}
EXAMPLE = """\
- name: Look over this machine
  botyard.core.doctor:
  register: machine
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    pass


def run(args: Args, ctx: Context) -> Result:
    """Changes nothing, so it does the same in check mode; ends the run with exit code 2 where you must do something."""
    checks = doctor.examine(ctx.paths, ctx.target)
    blocking = [check for check in checks if check.status == "you_must"]
    if blocking:
        lines = [f"{check.name}: {check.detail}" for check in blocking]
        cures = [check.cure for check in blocking if check.cure]
        raise BadInput("this machine is not ready: " + "; ".join(lines), "; ".join(cures))
    will_fix = [check for check in checks if check.status == "will_fix"]
    for check in will_fix:
        ctx.progress(f"{check.name}: {check.detail}; will {check.cure}")
    msg = f"{len(checks)} checks, " + (f"{len(will_fix)} to be seen to" if will_fix else "all ok")
    return Result(msg=msg, data={"checks": [dataclasses.asdict(check) for check in checks]})
