"""Signed URLs of a model: those that end within 90 days are refused, by all the ways of signing there are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from botyard.release.signed_url import expiry, problem

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BASE = "https://store.example/models/bot.tar.gz"


def values(url: Any) -> dict[str, Any]:
    return {"applicationSettings": {"initialModel": url}}


@pytest.mark.parametrize(
    ("query", "end"),
    [
        ("sv=2024-11-04&se=2027-01-02T03%3A04%3A05Z&sr=b&sig=S3CRET", datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("sv=2024-11-04&se=2027-01-02&sr=b&sig=S3CRET", datetime(2027, 1, 2, tzinfo=UTC)),
        (
            "X-Amz-Date=20261125T120000Z&X-Amz-Expires=3600&X-Amz-Signature=S3CRET",
            datetime(2026, 11, 25, 13, tzinfo=UTC),
        ),
        (
            "X-Goog-Date=20261125T120000Z&X-Goog-Expires=60&X-Goog-Signature=S",
            datetime(2026, 11, 25, 12, 1, tzinfo=UTC),
        ),
        ("AWSAccessKeyId=a&Expires=86400&Signature=S3CRET", datetime(1970, 1, 2, tzinfo=UTC)),
        ("", None),
        ("expires=5", None),
    ],
)
def test_the_end_is_read(query: str, end: datetime | None) -> None:
    assert expiry(f"{BASE}?{query}") == end


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("2026-11-25T11:59:59Z", "has expired on 2026-11-25"),
        ("2027-02-23T11:59:59Z", "expires on 2027-02-23"),
        ("2027-02-23T12:00:00Z", None),
    ],
)
def test_ninety_days_are_the_least(end: str, told: str | None) -> None:
    found = problem(values(f"{BASE}?sv=1&se={end}&sig=S3CRET"), NOW)
    assert (found is None) is (told is None)
    if found is not None:
        assert str(told) in found.message and "S3CRET" not in found.message + found.cure


@pytest.mark.parametrize(
    "query",
    [
        "sv=1&se=soon&sig=S", "sv=1&si=policy&sig=S", "X-Amz-Expires=60&X-Amz-Signature=S",
        "X-Amz-Date=20261125T120000Z&X-Amz-Signature=S", "X-Amz-Date=20261125T120000Z&X-Amz-Expires=9999999999999999",
    ],
)  # fmt: skip
def test_one_whose_end_cannot_be_read_is_refused(query: str) -> None:
    found = problem(values(f"{BASE}?{query}"), NOW)
    assert found is not None and "cannot be read" in found.message


@pytest.mark.parametrize("given", [values(BASE), values(""), values(None), {"applicationSettings": None}, {}, None])
def test_others_pass(given: Any) -> None:
    assert problem(given, NOW) is None
