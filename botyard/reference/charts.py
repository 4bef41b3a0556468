"""docs/reference/charts.md: what our charts make of every key of the retired official ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from botyard import yaml11
from botyard.reference.markdown import MADE, table

_OFFICIAL = Path(__file__).parent / "official"
VERSIONS = {"rasa": "1.17.8", "rasa-action-server": "1.0.9"}


def official(chart: str) -> dict[str, dict[str, Any]]:
    """The keys of an official chart: ``default`` there, and one of ``does``, ``none`` (why not) and ``refused``."""
    known: dict[str, dict[str, Any]] = yaml11.load((_OFFICIAL / f"{chart}.yml").read_text(encoding="utf-8"))
    return known


def official_values(chart: str) -> dict[str, Any]:
    """The official chart's own values file, whole."""
    values: dict[str, Any] = {}
    for key, told in official(chart).items():
        place = values
        *parents, last = key.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = told["default"]
    return values


def page() -> str:
    """The page."""
    parts = [
        f"{MADE}# Values of the official charts\n\nThe official charts `rasa` and `rasa-action-server` were retired in "
        "2025. A values file written for them works here unchanged; this page says what each of their keys does. "
        "Keys that neither chart knows pass. What our charts have besides is in their own READMEs "
        "([rasa](../../charts/rasa/README.md), [rasa-action-server](../../charts/rasa-action-server/README.md)).\n"
    ]
    for chart, version in VERSIONS.items():
        rows = [(f"`{key}`", _code(told["default"]), _here(told)) for key, told in official(chart).items()]
        parts.append(f"## {chart} {version}\n\n{table(('key', 'default there', 'here'), rows)}")
    return "\n".join(parts)


def _here(told: dict[str, Any]) -> str:
    if "does" in told:
        return str(told["does"])
    if "refused" in told:
        return f"**refused**: {told['refused']}"
    return f"**no effect**: {told['none']}"


def _code(default: Any) -> str:
    return "" if default is None else f"`{json.dumps(default, ensure_ascii=False)}`"
