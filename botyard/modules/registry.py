"""The image registry beside the cluster: this machine and the nodes both know it as ``localhost:<port>``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from botyard.contracts import BadInput, Context, Result
from botyard.host import services
from botyard.modules.spec import arg
from botyard.targets import Target
from botyard.tools import docker

NAME = "botyard.core.registry"
RETURNS = {
    "address": "for this machine and for nodes",
    "internal": "its URL in the Docker network",
}
EXAMPLE = """\
- name: Registry away, with its images
  botyard.core.registry:
    state: absent
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    state: Literal["present", "absent"] = arg("absent takes the container and all its images away", "present")
    image: str = arg("image of the registry (reference or id); needed for present", "")


def run(args: Args, ctx: Context) -> Result:
    """Makes or removes the registry's container; check mode says whether it would."""
    target: Target = ctx.target
    service = services.registry(target, args.image)
    if args.state == "absent":
        changed = docker.engine_answers() and services.remove(service, check=ctx.check)
        done = ("would be removed" if ctx.check else "removed") if changed else "not there"
        return Result(changed=changed, msg=f"{service.name}: {done}")
    if not args.image:
        raise BadInput("botyard.core.registry: image is missing", "give the image of the registry")
    step = services.observe(service)
    if not ctx.check:
        services.act(step, service, ctx.progress)
    address = f"localhost:{target.ports.registry}"
    return Result(
        changed=step != "unchanged",
        msg=f"{service.name}: would {step}"
        if ctx.check and step != "unchanged"
        else f"{service.name} answers at {address}",
        data={"address": address, "internal": f"http://{service.name}:{service.port}"},
    )
