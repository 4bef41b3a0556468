"""``helm test``: asks the Service whether a model is loaded, and where REST is on says something to the bot.

Standard library only, Python 3.8 or later. Environment: ``BOT_URL``; ``BOT_MESSAGE``, may be empty (nothing is said);
``BOT_TIMEOUT_S`` of each question (default 60). Ends with 0, or with 1 and one line on stderr.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
import uuid
from typing import Any


class SilentError(Exception):
    """The bot does not answer as it should; the message says how."""


def ask(url: str, timeout_s: float, body: Any = None) -> Any:
    """What the server answers, as JSON.

    Raises:
        SilentError: it does not answer, or with an error or something else.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310 (ours)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as reply:  # noqa: S310 (ours)
            return json.loads(reply.read())
    except urllib.error.HTTPError as error:
        raise SilentError(f"{url} answers HTTP {error.code}: {error.read(200).decode(errors='replace')}") from error
    except (OSError, ValueError) as error:
        raise SilentError(f"{url}: {error}") from error


def talk(url: str, message: str, timeout_s: float) -> str:
    """What was found, in a sentence.

    Raises:
        SilentError: no model is loaded, or the bot has nothing to say.
    """
    model = ask(f"{url}/webhooks/botyard/ready", timeout_s).get("model_id")
    if not message:
        return f"model {model} is loaded"
    said = {"sender": f"helm-test-{uuid.uuid4().hex[:8]}", "message": message}
    replies = ask(f"{url}/webhooks/rest/webhook", timeout_s, said)
    if not replies:
        raise SilentError(f"model {model} answers nothing to {message!r}: is its action server there?")
    return f"model {model} answers {message!r}: {json.dumps(replies, ensure_ascii=False)}"


def main() -> int:
    env = os.environ
    try:
        print(talk(env["BOT_URL"], env.get("BOT_MESSAGE", ""), float(env.get("BOT_TIMEOUT_S") or 60)))
    except SilentError as error:
        print(f"talk: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
