"""ansible.builtin.pause: waits a fixed time (runs never ask, so there is no prompt)."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from botyard.contracts import BotyardError, Context, Result
from botyard.modules.spec import arg

NAME = "ansible.builtin.pause"
RETURNS = {
    "delta": "seconds waited, whole",
    "stdout": "the same as a sentence",
    "stderr": "empty",
    "rc": "0",
}
EXAMPLE = """\
- name: Let it settle
  ansible.builtin.pause:
    seconds: 0.1
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    seconds: float = arg("seconds to wait", 0.0)
    minutes: float = arg("minutes to wait, added to seconds", 0.0)


def run(args: Args, ctx: Context) -> Result:
    """Waits, in check mode too, as Ansible does."""
    total_s = args.minutes * 60 + args.seconds
    if not total_s < threading.TIMEOUT_MAX:
        raise BotyardError(f"nobody waits {total_s} s", "give fewer")
    total_s = max(0.0, total_s)
    started = time.monotonic()
    if total_s >= 1:
        ctx.progress(f"waiting {total_s:.0f} s")
    time.sleep(total_s)
    waited_s = round(time.monotonic() - started, 2)
    return Result(data={"delta": int(waited_s), "stdout": f"Paused for {waited_s} seconds", "stderr": "", "rc": 0})
