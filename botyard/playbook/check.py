"""What the loaders of plays and of tasks share: keywords, variables and templates that must hold before the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from botyard.playbook import keywords
from botyard.playbook.source import Map, Where, refuse
from botyard.playbook.template import Scope, Templar, TemplateFailed, texts_of

_TASKS = ("tasks", "handlers", "block", "rescue", "always")


class Checker:
    """Raises BadInput, with file:line:column, the line and a caret.

    Args:
        extra_vars: what templates that are worked out before the run may use, besides variables of the play.
    """

    def __init__(self, templar: Templar, extra_vars: Mapping[str, Any]) -> None:
        self.templar = templar
        self._extra = extra_vars

    def keywords(self, entry: Map, known: dict[str, str], what: str) -> None:
        """All keys are known, all values of their kind, all templates and expressions well-formed."""
        for key, value in entry.items():
            if key not in known:
                keywords.refuse_unknown(str(key), known, entry.keys_at[key], what)
            if value is None and known[key] in ("map", "list"):
                refuse(entry.keys_at[key], f"{key} is empty", "fill it or take it out")
            keywords.check_value(str(key), known[key], value, entry.at(key))
            if known[key] == "conditions":
                for text in texts_of(value):
                    self.templar.check_expression(text)
            elif key not in _TASKS:
                self.templar.check(value)
        if "vars" in entry:
            self.vars(entry["vars"])

    def vars(self, own: Map) -> None:
        self.templar.check(own)
        for key in own:
            if not isinstance(key, str) or not key.isidentifier():
                refuse(own.keys_at[key], f"{key!r} is not a variable name", "letters, digits and _ only")

    def early(self, value: Any, where: Where, own: Iterable[Map], playbook: Path) -> str:
        """The text of a template that must be known before the run; ``own``: variables, the weakest first."""
        self.templar.check(value)
        layers: list[Mapping[str, Any]] = [self._extra, *reversed([*own]), {"playbook_dir": str(playbook.parent)}]
        try:
            return str(self.templar.render(value, Scope(self.templar, layers)))
        except TemplateFailed as error:
            cure = f"{error.cure}; only extra vars and the play's own vars are known here".removeprefix("; ")
            return refuse(where, error.message.splitlines()[0].partition(": ")[2], cure)
