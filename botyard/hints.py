"""What helps the reader of an error: the line that is meant, and the word that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path, PurePath

_MAX_SHOWN = 160  # characters of a line


def excerpt(file: Path, line: int, column: int) -> str:
    """A file's line, or the part of a long one, with a caret below the column; empty where there is no such line.

    Args:
        line: counts from 1, as ``column`` does.
    """
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    if not 0 < line <= len(lines):
        return ""
    begin = 0 if column < _MAX_SHOWN else column - _MAX_SHOWN // 2
    part = lines[line - 1][begin : begin + _MAX_SHOWN]
    text = "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in part)
    lead = "".join("\t" if c == "\t" else " " for c in text[: column - 1 - begin])
    return f"    {text}\n    {lead}^"


def close_to(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """``did you mean X?`` or an empty string."""
    names = sorted(set(known))
    found = difflib.get_close_matches(word, names, n=1, cutoff=cutoff)
    if not found:
        by_last = {n.rsplit(".", 1)[-1]: n for n in names}
        found = [by_last[n] for n in difflib.get_close_matches(word.rsplit(".", 1)[-1], by_last, n=1, cutoff=0.7)]
    return f"did you mean {found[0]}?" if found else ""


def close_file(name: str, known: Iterable[str]) -> str:
    """The file that was meant, or an empty string; endings do not count, as all YAML files have one of two."""
    stems = {PurePath(one).stem: one for one in sorted(known)}
    found = difflib.get_close_matches(PurePath(name).stem, stems, n=1)
    return stems[found[0]] if found else ""
