"""The depot beside the cluster: charts and models over plain HTTP, for this machine and for pods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from botyard.contracts import BadInput, Context, Result
from botyard.host import services
from botyard.modules.spec import arg
from botyard.targets import Target
from botyard.tools import docker

NAME = "botyard.core.depot"
RETURNS = {
    "url": "from this machine",
    "cluster_url": "from pods",
}
EXAMPLE = """\
- name: Depot away, with its files
  botyard.core.depot:
    state: absent
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    state: Literal["present", "absent"] = arg("absent takes the container and all its files away", "present")
    image: str = arg("image of the depot (reference or id); needed for present", "")


def run(args: Args, ctx: Context) -> Result:
    """Makes or removes the depot's container; check mode says whether it would."""
    target: Target = ctx.target
    service = services.depot(target, args.image)
    if args.state == "absent":
        changed = docker.engine_answers() and services.remove(service, check=ctx.check)
        done = ("would be removed" if ctx.check else "removed") if changed else "not there"
        return Result(changed=changed, msg=f"{service.name}: {done}")
    if not args.image:
        raise BadInput("botyard.core.depot: image is missing", "give the image of the depot")
    step = services.observe(service)
    if not ctx.check:
        services.act(step, service, ctx.progress)
    url = f"http://127.0.0.1:{target.ports.depot}"
    return Result(
        changed=step != "unchanged",
        msg=f"{service.name}: would {step}"
        if ctx.check and step != "unchanged"
        else f"{service.name} answers at {url}/",
        data={"url": url, "cluster_url": f"http://{service.name}"},
    )
