"""The traffic generator counts what was lost and never speaks twice at once for one person."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from botyard.contracts import BadInput
from botyard.verify.rest import LostReply, Reply
from botyard.verify.traffic import Loss, Tally, Traffic

HERE = "http://127.0.0.1:5005"


def test_counts_answers_and_losses() -> None:
    def speak(_url: str, _sender: str, message: str, *, timeout_s: float) -> Reply:
        if message == "bad":
            raise LostReply("empty", "nothing")
        return Reply(["x"], [])

    with Traffic(HERE, ["good", "bad"], rate_per_s=20, senders=2, speak=speak) as people:
        people.run_for(0.45)
    tally = people.tally
    assert tally.sent == tally.answered + len(tally.losses) >= 4
    assert tally.answered and {loss.kind for loss in tally.losses} == {"empty"}
    assert 4 <= tally.sent <= 12  # bounded: 20 a second


def test_one_person_waits_for_the_answer() -> None:
    talking: Counter[str] = Counter()
    most: list[int] = []
    lock = threading.Lock()

    def speak(_url: str, sender: str, _message: str, *, timeout_s: float) -> Reply:
        with lock:
            talking[sender] += 1
            most.append(talking[sender])
        time.sleep(0.1)
        with lock:
            talking[sender] -= 1
        return Reply(["x"], [])

    with Traffic(HERE, ["hi"], rate_per_s=20, senders=1, speak=speak) as people:
        people.run_for(0.3)
    assert max(most) == 1


@pytest.mark.parametrize("url", ["http://example.org:5005", "http://127.0.0.1.example.org", "http://localhost:5005"])
def test_goes_to_this_machine_only(url: str) -> None:
    with pytest.raises(BadInput):
        Traffic(url, ["hi"])


@pytest.mark.parametrize("rate", [0, 21, -1])
def test_rate_is_bounded(rate: float) -> None:
    with pytest.raises(BadInput):
        Traffic(HERE, ["hi"], rate_per_s=rate)


def test_summary_names_the_losses() -> None:
    tally = Tally(3, 2, [Loss(1.0, 0.2, "s", "empty", "HTTP 200 with an empty list")], [0.1, 0.2])
    assert tally.summary().splitlines() == [
        "3 sent, 2 answered, 1 lost (1 empty), slowest 0.2 s",
        "  at 1.0 s after 0.2 s: empty: HTTP 200 with an empty list",
    ]
