"""The depot beside the cluster: charts and models over plain HTTP, for this machine and for pods."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import Context, Result
from botyard.host import services
from botyard.modules.beside import State, run_service
from botyard.modules.spec import arg
from botyard.targets import Target

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
    state: State = arg("absent takes the container and all its files away", "present")
    image: str = arg("image of the depot (reference or id); needed for present", "")


def run(args: Args, ctx: Context) -> Result:
    """Makes or removes the depot's container; check mode says whether it would."""
    target: Target = ctx.target
    service = services.depot(target, args.image)
    url = f"http://127.0.0.1:{target.ports.depot}"
    data = {"url": url, "cluster_url": f"http://{service.name}"}
    return run_service(service, args.state, f"{url}/", data, ctx)
