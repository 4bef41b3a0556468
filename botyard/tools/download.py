"""Files over HTTP: resumed where a connection breaks, checked by sha256, complete or not there at all."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from botyard.contracts import BotyardError
from botyard.later import later

if TYPE_CHECKING:
    import requests
else:
    requests = later("requests")

CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 30
ATTEMPTS = 5
_CHUNK = 1 << 16  # the chunk that a broken connection cuts is lost, so small
_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


def sha256_of(file: Path) -> str:
    """Hex sha256 of a file's content."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def fetch_checksum(url: str) -> str:
    """The sha256 in a published checksum file (the value alone, or ``value  name``).

    Raises:
        BotyardError: it can't be fetched, or holds no sha256.
    """
    try:
        answer = requests.get(url, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S))
        answer.raise_for_status()
    except requests.RequestException as error:
        raise BotyardError(f"cannot fetch {url}: {_why(error)}", _NETWORK_CURE) from error
    found = _SHA256.search(answer.text[:4096].lower())
    if found is None:
        raise BotyardError(f"{url} holds no sha256", "see what that address serves; a proxy's login page, perhaps")
    return found[0]


_NETWORK_CURE = (
    "look at the network and HTTPS_PROXY; or, in values/targets.yml, set sources.download_base to a mirror or "
    "sources.mode to packages"
)


def download(
    url: str,
    dest: Path,
    sha256: str,
    *,
    progress: Callable[[str], None],
    attempts: int = ATTEMPTS,
    pause_s: float = 1.0,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Fetches one file to ``dest``; what has come stays in ``dest.part``, and this run or a later one goes on with it.

    The caller holds a lock where two runs could want the same file.

    Raises:
        BotyardError: it didn't come after all attempts, or has another checksum (then nothing of it is kept).
    """
    part = dest.with_name(dest.name + ".part")
    dest.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, attempts + 1):
        try:
            _fetch(url, part, progress)
            break
        except requests.RequestException as error:
            if attempt == attempts or not _worth_another(error):
                raise BotyardError(f"cannot fetch {url}: {_why(error)}", _NETWORK_CURE) from error
            have = part.stat().st_size if part.exists() else 0
            progress(f"{url}: broke off after {have >> 20} MB ({_why(error)}); going on")
            sleep(min(pause_s * 2 ** (attempt - 1), 15))
    found = sha256_of(part)
    if found != sha256:
        part.unlink()
        raise BotyardError(
            f"{url} has sha256 {found} instead of {sha256}; it was thrown away",
            "try again; if it stays so, what is served there is not what was locked: do not use it",
        )
    part.replace(dest)


def _fetch(url: str, part: Path, progress: Callable[[str], None]) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)) as answer:
        if answer.status_code == 416:  # nothing is left to send, or the part is longer than the file
            total = answer.headers.get("Content-Range", "").rpartition("/")[2]
            if total == str(have):
                return
            part.unlink()
            raise requests.ConnectionError("the part on disk is longer than the file; begun anew")
        answer.raise_for_status()
        resumed = answer.status_code == 206
        start = have if resumed else 0
        length = int(answer.headers.get("Content-Length", 0))
        progress(f"fetching {url}" + (f", from {start >> 20} MB on" if start else ""))
        with part.open("ab" if resumed else "wb") as sink:
            got = 0
            for chunk in answer.iter_content(_CHUNK):
                sink.write(chunk)
                got += len(chunk)
        if length and got < length:
            raise requests.ConnectionError(f"{got} of {length} bytes came")


def _worth_another(error: requests.RequestException) -> bool:
    """Whether asking again could help: not where the server understood and said no."""
    code = error.response.status_code if error.response is not None else 0
    return not 400 <= code < 500 or code in (408, 429)


def _why(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"HTTP {error.response.status_code}"
    text = str(error)
    for sign, meaning in (
        ("NameResolutionError", "its host name cannot be resolved"),
        ("timed out", "no answer in time"),
        ("refused", "connection refused"),
        ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted here (set REQUESTS_CA_BUNDLE to your CA bundle)"),
    ):
        if sign in text:
            return meaning
    return text[:200]
