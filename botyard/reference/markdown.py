"""What all generated pages have in common."""

from __future__ import annotations

from collections.abc import Sequence

MADE = "<!-- Made by `invoke doc --write`: do not edit. -->\n\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; bars inside of cells are kept."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
