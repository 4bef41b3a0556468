"""What others may take from this checkout: its charts, into a registry."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from botyard.commands.main import HELP
from botyard.commands.session import Flags, play
from botyard.commands.streams import errors_as_lines


@task(help={key: HELP[key] for key in ("target", "check", "plain", "debug")})
def charts(c: Context, target: str = "", check: bool = False, plain: bool = False, debug: bool = False) -> None:
    """Push the charts, by the versions in their Chart.yaml, to the target's registry as OCI artifacts.

    A version that is there with the same content is fine, with other content it is refused. No cluster is asked.
    Then: invoke deploy --target aks --version 0.3.0
    """
    with errors_as_lines(debug):
        from botyard.commands.session import read_target
        from botyard.contracts import BadInput
        from botyard.host import registry_place

        if not target:
            raise BadInput("where to? there is no --target", "name one: invoke target.list shows them")
        flags = Flags(target, check=check, plain=plain, debug=debug)
        registry_place.of(read_target(flags, any_cluster=True))  # says what is wrong before helm is built
    play(["publish_charts.yml"], flags, needs_bot=False, any_cluster=True, needs_cluster=False)
