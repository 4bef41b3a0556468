"""A bot's expected conversations: read from bots/<bot>/conversations.yml, played over any channel."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yaml.error import MarkedYAMLError

from botyard import yaml11
from botyard.contracts import BadInput, BotyardError

FILE = "conversations.yml"
EXAMPLES = "bots/tea/conversations.yml has examples"
REGULAR = "put a backslash before . ( ) [ ] ? * + that stand for themselves"
GREETINGS = {"zh": "你好", "de": "Hallo", "fr": "Bonjour", "es": "Hola"}  # hello for every other language
TOKEN = "{token}"  # noqa: S105 - a placeholder in conversations.yml

Speak = Callable[[str, str], str]
"""Sends (sender, message) and returns all texts of the reply, a line each; raises LostReply where there is none."""


class WrongReply(BotyardError):
    """The bot answered, but not what was expected."""


@dataclass(frozen=True)
class Turn:
    """What the user says, and the regular expression that the reply must hold."""

    say: str
    expect: str


@dataclass(frozen=True)
class Conversation:
    """One conversation; ``language`` is a code such as zh or en, '' where none was given."""

    name: str
    turns: tuple[Turn, ...]
    language: str = ""

    @property
    def remembers(self) -> bool:
        """Whether a later reply must hold what the user told before."""
        told = [i for i, turn in enumerate(self.turns) if TOKEN in turn.say]
        return bool(told) and any(TOKEN in turn.expect for turn in self.turns[told[0] + 1 :])


def load_conversations(bot_dir: Path) -> list[Conversation]:
    """Reads them all; a bot without that file has one: any reply to a greeting in its language will do.

    Raises:
        BadInput: the bot's folder is gone, the file is not YAML, has no conversation in it, a wrong shape or a bad
            regular expression.
    """
    file = bot_dir / FILE
    shown = f"{bot_dir.name}/{FILE}"
    if not bot_dir.is_dir():
        raise BadInput(f"the released bot's folder {bot_dir} is gone", "release it from where it is now: invoke e2e")
    if not file.is_file():
        return [_any_reply(bot_dir)]
    try:
        document = yaml11.texts(file.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        raise BadInput(f"{shown}:{mark.line + 1 if mark else 0}: not valid YAML: {error.problem}", EXAMPLES) from None
    items = document.get("conversations") if isinstance(document, dict) else None
    if not isinstance(items, list) or not items:
        raise BadInput(f"{shown} has no list named conversations", EXAMPLES)
    return [_conversation(shown, number, item) for number, item in enumerate(items, 1)]


def _any_reply(bot_dir: Path) -> Conversation:
    config = yaml11.texts((bot_dir / "config.yml").read_text(encoding="utf-8")) or {}
    language = str(config.get("language") or "en")
    return Conversation("greet_any_reply", (Turn(GREETINGS.get(language, "hello"), r"\S"),), language)


def _conversation(shown: str, number: int, item: Any) -> Conversation:
    where = f"{shown}: conversation {number}"
    try:
        turns = tuple(Turn(str(turn["say"]), str(turn["expect"])) for turn in item["turns"])
        found = Conversation(str(item["name"]), turns, str(item.get("language", "")))
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{where}: needs name and turns, each with say and expect ({error})", EXAMPLES) from None
    if not turns:
        raise BadInput(f"{where}: has no turns", EXAMPLES)
    for turn in turns:
        try:
            re.compile(turn.expect.replace(TOKEN, "x"))
        except re.error as error:
            raise BadInput(f"{where}: {turn.expect!r} is no regular expression: {error}", REGULAR) from None
    return found


def new_token() -> str:
    """A word of letters and digits that nobody used before."""
    return f"T{uuid.uuid4().hex[:7]}"


def play(conversation: Conversation, speak: Speak, *, sender: str = "", token: str = "") -> list[str]:
    """Plays one conversation to its end with a sender of its own; returns the replies.

    Raises:
        WrongReply: a reply does not hold what was expected; names the turn.
        LostReply: from ``speak``.
    """
    who = sender or f"check-{conversation.name}-{uuid.uuid4().hex[:8]}"
    word = token or new_token()
    replies = []
    for number, turn in enumerate(conversation.turns, 1):
        message = turn.say.replace(TOKEN, word)
        reply = speak(who, message)
        wanted = turn.expect.replace(TOKEN, word)
        if not re.search(wanted, reply, re.DOTALL):
            raise WrongReply(
                f"conversation {conversation.name}, turn {number}: "
                f"to {message!r} the bot said {reply!r}, expected {wanted!r}",
                f"train again or mend {FILE}",
            )
        replies.append(reply)
    return replies


def pick(conversations: list[Conversation], word: str, language: str = "") -> Conversation | None:
    """The first conversation whose name starts with ``word``, in that language where one is given."""
    for conversation in conversations:
        if conversation.name.startswith(word) and language in ("", conversation.language):
            return conversation
    return None
