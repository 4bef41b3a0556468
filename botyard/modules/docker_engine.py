"""``botyard.core.docker_engine``: an engine answers, or all that we changed on the host is undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from botyard.contracts import Context, Result
from botyard.host import engine, removal, sources
from botyard.modules.spec import arg
from botyard.tools import docker

NAME = "botyard.core.docker_engine"
RETURNS = {
    "changes": "what was done, as sentences",
    "ours": "whether botyard started the engine (started)",
}
EXAMPLE = """\
- name: Docker engine answers
  botyard.core.docker_engine:
    state: started
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    state: Literal["started", "asked", "absent"] = arg(
        "an engine answers; one that is here can be asked; leftovers and host changes of ours are gone", "started"
    )


def run(args: Args, ctx: Context) -> Result:
    """Installs, configures and starts only what is missing; check mode says what it would do."""
    if args.state == "absent":
        done = removal.absent(check=ctx.check, progress=ctx.progress)
        return Result(changed=bool(done), msg="; ".join(done) or "nothing of ours is left", data={"changes": done})
    if args.state == "asked":
        return Result(msg="it answers" if engine.can_be_asked() else "there is none here, so nothing to take away")
    docker.take_as_empty(ctx.check and not docker.engine_answers())
    packages = sources.choose(ctx.paths, ctx.target, write=not ctx.check).mode == "packages"
    found = engine.ensure(programs=packages, check=ctx.check, progress=ctx.progress)
    msg = "; ".join(found.changes) or ("our engine answers" if found.ours else "an engine answers")
    return Result(changed=bool(found.changes), msg=msg, data={"ours": found.ours, "changes": found.changes})
