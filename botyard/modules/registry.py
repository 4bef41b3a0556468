"""The image registry beside the cluster: this machine and the nodes both know it as ``localhost:<port>``."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import Context, Result
from botyard.host import services
from botyard.modules.beside import State, run_service
from botyard.modules.spec import arg
from botyard.targets import Target

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
    state: State = arg("absent takes the container and all its images away", "present")
    image: str = arg("image of the registry (reference or id); needed for present", "")


def run(args: Args, ctx: Context) -> Result:
    """Makes or removes the registry's container; check mode says whether it would."""
    target: Target = ctx.target
    service = services.registry(target, args.image)
    address = f"localhost:{target.ports.registry}"
    data = {"address": address, "internal": f"http://{service.name}:{service.port}"}
    return run_service(service, args.state, address, data, ctx)
