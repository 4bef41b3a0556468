"""Arguments of kubernetes.core.helm."""

from __future__ import annotations

import pytest

from botyard.contracts import BadInput
from botyard.modules.helm import seconds


@pytest.mark.parametrize(("text", "wanted"), [("90", 90), ("300s", 300), ("5m", 300), ("1h", 3600)])
def test_durations(text: str, wanted: int) -> None:
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "5 min", "-3s", "1h30m"])
def test_bad_durations_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no duration"):
        seconds(text)
