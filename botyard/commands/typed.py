"""What was typed wrong on the command line: said with what was meant. Invoke alone says only "No idea what it is"."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.exceptions import Exit, ParseError
from invoke.parser import Parser
from invoke.program import Program

from botyard.contracts import BadInput
from botyard.hints import close_to

if TYPE_CHECKING:
    from invoke.parser.context import ParserContext

_NO_VALUE = re.compile(r"Flag <Argument: (?P<name>[^ >]+).*needed value and was not given one!")
_MISSING = re.compile(r"'(?P<task>.*)' did not receive required positional arguments: '(?P<name>.*)'")
_UNKNOWN = re.compile(r"No idea what '(?P<word>.*)' is!", re.DOTALL)


# What ansible-playbook calls otherwise, for `invoke play`.
_INVENTORY = "there is no inventory: everything runs on this machine, and the place is chosen by --target"
_OF_ANSIBLE = {
    "-i": _INVENTORY, "--inventory": _INVENTORY, "--limit": _INVENTORY, "-C": "write --check", "-D": "write --diff",
    "--syntax-check": "write --list-tasks: it checks the files and runs nothing",
    "-v": "the report of each run holds everything; --debug shows tracebacks",
    "--become": "tasks run as the user who started botyard", "--step": "write --start-at-task NAME",
}  # fmt: skip


def refuse(words: Sequence[str], contexts: Sequence[ParserContext]) -> None:
    """Reads the command line as Invoke will, and says more where Invoke would refuse it.

    Raises:
        Exit: with the message and exit code 2.
    """
    if "--complete" in words:  # a shell asks while the user still types
        return
    _help(words, contexts)
    _as_of_ansible(words)
    core = Parser(initial=Program().initial_context, ignore_unknown=True).parse_argv(list(words))
    try:
        Parser(initial=Program().initial_context, contexts=contexts).parse_argv(core.unparsed)
    except ParseError as error:
        told = _told(error, sorted(str(context.name) for context in contexts))
        raise Exit(f"botyard: {told}", told.exit_code) from None


def _as_of_ansible(words: Sequence[str]) -> None:
    """A flag of ansible-playbook's given to `play`: those that mean something else here, where they stand so."""
    if not words or words[0] != "play":
        return
    for word, after in zip(words[1:], [*words[2:], ""], strict=True):
        flag = "-v" if re.fullmatch("-v+", word) else word.partition("=")[0]
        ours = flag == "-i" and (not after or after.startswith("-"))  # --list-tags
        if cure := "" if ours else _OF_ANSIBLE.get(flag):
            told = BadInput(f"play has no flag {word!r} as ansible-playbook has it", cure)
            raise Exit(f"botyard: {told}", told.exit_code)


def _help(words: Sequence[str], contexts: Sequence[ParserContext]) -> None:
    """``talk --help``, too: Invoke would take the word for what a task that needs one is given."""
    if len(words) == 2 and words[1] in ("--help", "-h"):
        task = next((one for one in contexts if one.name == words[0]), None)
        if task is not None and task.positional_args:
            os.execv(sys.executable, [sys.executable, "-m", "invoke", "--help", words[0]])  # noqa: S606


def _told(error: ParseError, names: list[str]) -> BadInput:
    task = str(error.context.name) if error.context is not None and error.context.name else ""
    unknown = _UNKNOWN.fullmatch(str(error))
    all_tasks, all_flags = "invoke --list tells all tasks", f"invoke --help {task}".rstrip() + " tells all flags"
    if unknown is None:
        empty, missing = _NO_VALUE.match(str(error)), _MISSING.fullmatch(str(error))
        said = f"{task} --{empty['name'].replace('_', '-')} needs a value" if empty else str(error)
        said = f"{task} needs one more word, the {missing['name']}" if missing else said
        return BadInput(said, all_flags if task else all_tasks)
    word = unknown["word"]
    if word.startswith("-") and error.context is not None:
        flags = [flag for flag in error.context.flags if flag.startswith("--")]
        return BadInput(f"{task or 'invoke'} has no flag {word!r}", _close(word, flags) + all_flags)
    quotes = "put words that belong together into quotes; " if error.context and error.context.positional_args else ""
    return BadInput(f"there is no task {word!r}", quotes + _close(word, names) + all_tasks)


def _close(word: str, known: list[str]) -> str:
    hint = close_to(word, known, cutoff=0.5)
    return f"{hint} " if hint else ""
