"""What playbooks and charts take, told to people and editors: made from the keyword tables, the modules and the charts.

``files()`` gives every generated file, ``write()`` puts them in place, ``stale()`` says which are out of date.
"""

from __future__ import annotations

import json
from pathlib import Path

from botyard.reference import chart_readme, charts, pages, schema
from botyard.reference.facts import COLLECTIONS

__all__ = ["COMMAND", "files", "stale", "write"]

COMMAND = "invoke doc --write"
_ROOT = Path(__file__).parents[2]


def files() -> dict[str, str]:
    """The generated files: path below the checkout -> text."""
    return {
        "docs/reference/modules.md": pages.index(),
        **{f"docs/reference/modules/{name}.md": pages.collection(name) for name in COLLECTIONS},
        "docs/reference/keywords.md": pages.keywords(),
        "docs/reference/charts.md": charts.page(),
        **{f"charts/{name}/README.md": chart_readme.page(_ROOT / "charts" / name) for name in charts.VERSIONS},
        "playbooks/schema.json": json.dumps(schema.playbook(), indent=1, ensure_ascii=False) + "\n",
    }


def write(root: Path) -> list[str]:
    """Writes what is not as it should be; returns those paths."""
    changed = _stale(root)
    for name, text in changed.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return list(changed)


def stale(root: Path) -> list[str]:
    """Paths of generated files that are missing or differ from what would be generated now."""
    return list(_stale(root))


def _stale(root: Path) -> dict[str, str]:
    return {name: text for name, text in files().items() if not _holds(root / name, text)}


def _holds(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8") == text
