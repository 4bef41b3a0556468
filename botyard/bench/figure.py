"""One figure: what was measured beside what it is held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A ratio measured within one run, and the ratio that is wanted at most.

    Args:
        measured, against: both in ``unit``.
        wanted: None where nothing is promised, only told.
    """

    name: str
    measured: float
    against: float
    wanted: float | None
    note: str = ""
    unit: str = "s"

    @property
    def ratio(self) -> float:
        return self.measured / self.against

    @property
    def missed(self) -> bool:
        return self.wanted is not None and self.ratio > self.wanted

    def line(self) -> str:
        verdict = "" if self.wanted is None else f" (wanted <= {self.wanted}) {'MISSED' if self.missed else 'ok'}"
        return (
            f"{self.name}: {_shown(self.measured)} {self.unit} / {_shown(self.against)} {self.unit}"
            f" = {_shown(self.ratio)}{verdict}{'  ' + self.note if self.note else ''}"
        )


def _shown(value: float) -> str:
    """Three digits that count: 0.0123, 1.23, 12.3, 1234."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
