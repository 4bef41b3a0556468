"""What the modules of containers beside the cluster (depot, registry) have in common."""

from __future__ import annotations

from typing import Any, Literal

from botyard.contracts import BadInput, Context, Result
from botyard.host import services
from botyard.tools import docker

State = Literal["present", "absent"]


def run_service(service: services.Service, state: State, address: str, data: dict[str, Any], ctx: Context) -> Result:
    """Makes the container, or takes it and its files away.

    Args:
        address: where it answers, for the message.
        data: what ``register`` gives where it is present.

    Raises:
        BadInput: no image is given, or what is there is not ours.
        BotyardError: it does not come up.
    """
    if state == "absent":
        changed = docker.engine_answers() and services.remove(service, check=ctx.check)
        done = ("would be removed" if ctx.check else "removed") if changed else "not there"
        return Result(changed=changed, msg=f"{service.name}: {done}")
    if not service.image:
        raise BadInput(f"{service.name}: image is missing", "give the image that it is made from")
    step = services.observe(service)
    if not ctx.check:
        services.act(step, service, ctx.progress)
    would = ctx.check and step != "unchanged"
    msg = f"{service.name}: would {step}" if would else f"{service.name} answers at {address}"
    return Result(changed=step != "unchanged", msg=msg, data=data)
