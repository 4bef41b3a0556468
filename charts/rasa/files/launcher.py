"""Starts Rasa with its secrets read from files, so that no process list shows them.

Usage: python launcher.py run --enable-api ...   (whatever ``rasa`` takes)

Rasa 3.6 takes its token and its JWT secret only as flags. They are added here to ``sys.argv`` inside the process;
the command line that the kernel shows stays as it was. Environment:

- ``BOTYARD_AUTH_TOKEN_FILE``: file with the token for ``?token=``.
- ``BOTYARD_JWT_SECRET_FILE``: file with the secret of HS256 JSON web tokens.
- ``BOTYARD_MODEL_FILE``: the model to serve. Rasa would silently serve another one where it is missing; this refuses.
- ``BOTYARD_TERMINATION_LOG``: where the reason of a refusal goes besides stderr (default /dev/termination-log).

It works with any Rasa 3 image. What speeds Rasa up here is left out where that Rasa does not fit.
Only the standard library and Rasa itself are used.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

EXIT_REFUSED = 2


class RefusedError(Exception):
    """Starting would serve something wrong or without its lock; the message says why."""


def read_secret(variable: str) -> str | None:
    """The content of the file that an environment variable names, without its last newline.

    Raises:
        RefusedError: the variable is set and its file is missing or empty.
    """
    path = os.environ.get(variable)
    if not path:
        return None
    try:
        value = Path(path).read_text(encoding="utf-8").strip("\r\n")
    except OSError as error:
        raise RefusedError(f"{variable}: cannot read {path}: {error.strerror}") from error
    if not value:
        raise RefusedError(f"{variable}: {path} is empty; Rasa would be open to everyone")
    return value


def arguments(given: list[str]) -> list[str]:
    """Rasa's arguments: the given ones with the model and the secrets added.

    Raises:
        RefusedError: a secret cannot be read or the model file does not exist.
    """
    if not given or given[0] != "run":
        return list(given)
    added = []
    model = os.environ.get("BOTYARD_MODEL_FILE")
    if model:
        if not Path(model).is_file():
            raise RefusedError(f"no model file {model}; Rasa would silently serve another one")
        if not any(word in ("-m", "--model") or word.startswith("--model=") for word in given):
            added.append(f"--model={model}")
    token = read_secret("BOTYARD_AUTH_TOKEN_FILE")
    if token:
        added.append(f"--auth-token={token}")
    secret = read_secret("BOTYARD_JWT_SECRET_FILE")
    if secret:
        added += [f"--jwt-secret={secret}", "--jwt-method=HS256"]
    return [given[0], *added, *given[1:]]


def let_wait_take_coroutines() -> bool:
    """Python 3.11 took coroutines away from ``asyncio.wait``; Sanic 21.12's websockets still hand some in.

    Returns:
        whether it was changed here (an older Python, or one where that was done already, is left alone).
    """
    original = asyncio.wait
    if sys.version_info < (3, 11) or getattr(original, "__module__", "") != "asyncio.tasks":
        return False

    @functools.wraps(original)
    async def wait(fs: Any, **options: Any) -> Any:
        return await original([asyncio.ensure_future(f) if inspect.isawaitable(f) else f for f in fs], **options)

    wait.__module__ = "botyard"
    asyncio.wait = asyncio.tasks.wait = wait  # type: ignore[assignment]
    return True


def speed_up_validation() -> bool:
    """Builds the validator of action server replies once, where Rasa builds and checks it for every reply.

    A reply that it finds wrong goes to Rasa's own check, which words the error.

    Returns:
        whether this Rasa fits.
    """
    try:
        from jsonschema.validators import validator_for
        from rasa.core.actions.action import RemoteAction

        slow: Callable[[Any, Any], bool] = RemoteAction._validate_action_result
        schema = RemoteAction.action_response_format_spec()
        if list(inspect.signature(slow).parameters) != ["self", "result"]:
            return False
        kind = validator_for(schema)
        kind.check_schema(schema)
        validator = kind(schema)
        if not validator.is_valid({"events": [], "responses": []}):
            return False
    except (ImportError, AttributeError, TypeError, ValueError):
        return False

    def validate_action_result(self: Any, result: Any) -> bool:
        return True if validator.is_valid(result) else slow(self, result)

    RemoteAction._validate_action_result = validate_action_result
    return True


def try_sql_connections_before_use() -> bool:
    """A connection that the database has closed meanwhile is replaced, at one short question for each use.

    Rasa keeps connections in a pool. Once the database was started again, it would take the first dead one of each pod
    for a conversation that cannot be had, and answer with its memory lost.

    Returns:
        whether this Rasa has SQLAlchemy.
    """
    try:
        import sqlalchemy

        original: Callable[..., Any] = sqlalchemy.create_engine
    except (ImportError, AttributeError):
        return False

    @functools.wraps(original)
    def create_engine(*words: Any, **options: Any) -> Any:
        return original(*words, **{"pool_pre_ping": True, **options})

    sqlalchemy.create_engine = create_engine
    return True


def main() -> None:
    try:
        wanted = arguments(sys.argv[1:])
    except RefusedError as error:
        print(f"launcher: {error}", file=sys.stderr)
        with contextlib.suppress(OSError):  # not in Kubernetes
            Path(os.environ.get("BOTYARD_TERMINATION_LOG") or "/dev/termination-log").write_text(str(error))
        sys.exit(EXIT_REFUSED)
    let_wait_take_coroutines()
    with contextlib.suppress(ImportError):
        import skops.io  # noqa: F401 (imported early, Rasa is ready in half the time)
    import rasa.__main__

    if wanted[:1] == ["run"]:
        speed_up_validation()
        try_sql_connections_before_use()
    sys.argv = ["rasa", *wanted]
    rasa.__main__.main()


if __name__ == "__main__":
    main()
