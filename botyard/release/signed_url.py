"""When does a signed URL of a model end? A pod that is moved after that finds no model, and does not start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from botyard.release.arithmetic import Problem

LEAST = timedelta(days=90)
_CURE = (
    "leave it out and let the model travel as an image (applicationSettings.initialModelImage), or sign the URL for "
    f"more than {LEAST.days} days"
)


def expiry(url: str) -> datetime | None:
    """When a URL signed for Azure Blob Storage, S3 or Google Cloud Storage ends; None where it is not signed.

    Raises:
        ValueError: it is signed, and its end cannot be read.
    """
    query = {key.lower(): value for key, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    for prefix in ("x-amz-", "x-goog-"):
        if f"{prefix}signature" in query or f"{prefix}expires" in query:
            start = datetime.strptime(query.get(f"{prefix}date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return _after(start, query.get(f"{prefix}expires", ""))
    if "se" in query:
        end = datetime.fromisoformat(query["se"])
        return end if end.tzinfo else end.replace(tzinfo=UTC)
    # A stored access policy of Azure's (si) holds the end; who looks from outside cannot read it.
    if "sig" in query and "sv" in query:
        raise ValueError("its end is not in it")
    # The older signatures of S3 and Google: seconds since 1970.
    if "expires" in query and "signature" in query:
        return _after(datetime.fromtimestamp(0, UTC), query["expires"])
    return None


def without_secrets(url: str) -> str:
    """The URL as it may be shown: who knows its query, or user and password, may fetch the file."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if url else ""


def _after(start: datetime, seconds: str) -> datetime:
    try:
        return start + timedelta(seconds=int(seconds))
    except OverflowError:
        raise ValueError("its end is out of range") from None


def problem(values: Any, now: datetime) -> Problem | None:
    """What is wrong with ``applicationSettings.initialModel`` of these values; the signature is never shown."""
    settings = values.get("applicationSettings") if isinstance(values, dict) else None
    url = settings.get("initialModel") if isinstance(settings, dict) else None
    if not isinstance(url, str) or not url:
        return None
    key = "applicationSettings.initialModel"
    try:
        end = expiry(url)
    except ValueError:
        return Problem(f"{key}: a signed URL whose end cannot be read: pods that start after it find no model", _CURE)
    if end is None or end >= now + LEAST:
        return None
    told = "has expired" if end <= now else "expires"
    return Problem(f"{key}: the signed URL {told} on {end:%Y-%m-%d}: pods that start after that find no model", _CURE)
