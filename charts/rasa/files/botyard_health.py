"""A Rasa channel that only tells whether this pod serves its model; for probes and proxies, without a token.

Name it in credentials.yml: ``botyard_health.HealthChannel: {}``. Then ``GET /webhooks/botyard/ready`` answers
200 with the model's id and file once the model of ``BOTYARD_MODEL_FILE`` is loaded (any model where that is not set),
else 503 with the reason. Before the first 200 one message is parsed, as tokenisers load their dictionaries only then:
a new pod would be slow with its first guest. A pod that is to end (its preStop left ``/tmp/botyard-leaving``)
answers 404, which a gateway takes as: send no more, but let it finish.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import botyard_gateway
from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

LEAVING = Path("/tmp/botyard-leaving")  # noqa: S108 (the pod's own)


def readiness(agent: Any) -> tuple[int, dict[str, Any]]:
    """HTTP status and body for an agent (None while Rasa starts)."""
    pod = os.environ.get("HOSTNAME") or socket.gethostname()
    if LEAVING.exists():
        return 404, {"reason": "this pod is to end", "pod": pod}
    if agent is None or not agent.is_ready():
        return 503, {"reason": "no model is loaded", "pod": pod}
    loaded = Path(str(agent.processor.model_filename)).name
    expected = Path(os.environ.get("BOTYARD_MODEL_FILE", "")).name
    if expected and loaded != expected:
        return 503, {"reason": f"serves {loaded} instead of {expected}", "pod": pod}
    return 200, {"model_id": agent.model_id, "model_file": loaded, "pod": pod}


class HealthChannel(InputChannel):
    """Takes no messages; answers ``GET /webhooks/botyard/ready``."""

    @classmethod
    def name(cls) -> str:
        return "botyard"

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        webhook = Blueprint("botyard_health", __name__)
        botyard_gateway.mark_sessions()
        LEAVING.unlink(missing_ok=True)  # of a container of this pod that was started again

        @webhook.listener("before_server_start")
        async def watch(app: Any, loop: Any) -> None:
            botyard_gateway.watch_app(app, loop)

        @webhook.route("/ready", methods=["GET"])
        async def ready(request: Request) -> HTTPResponse:
            agent = getattr(request.app.ctx, "agent", None)
            status, body = readiness(agent)
            if status == 200 and request.app.ctx.__dict__.get("botyard_warm") != agent.model_id:
                await agent.parse_message("hello")
                request.app.ctx.botyard_warm = agent.model_id
            return response.json(body, status=status)

        return webhook
