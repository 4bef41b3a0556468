"""What every check with traffic asks in the end."""

from __future__ import annotations

from botyard.verify.traffic import Tally


def lost_nothing(tally: Tally) -> None:
    """Every message had a readable answer, and none was refused."""
    assert tally.sent > 10, "too little traffic to prove anything"
    assert not tally.losses, tally.summary()
    print(tally.summary())
