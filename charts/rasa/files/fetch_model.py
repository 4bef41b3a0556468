"""Downloads the model of a pod before Rasa starts: with retries, resumed, checked, under its name only when whole.

What Rasa would only be silent about is refused here: an archive that is no model of Rasa 3, and one that an older Rasa
made than the Rasa of this image takes.

Standard library only, Python 3.8 or later, so it runs in any Rasa image. Environment:

- ``MODEL_URL``: http or https; the file is named by the last part of its path, without the query.
- ``MODEL_FILE``: another name for it; may be empty.
- ``MODEL_DIR``: where it goes (default /app/models). Other models there are removed: Rasa would pick the newest.
- ``MODEL_SHA256``: what its content must be; may be empty.
- ``MODEL_ATTEMPTS`` (default 6), ``MODEL_TIMEOUT_S`` of one silence (default 30), ``MODEL_BACKOFF_S`` (default 1,
  doubled with each attempt up to 30).

Ends with 0 and the file in place, or with 1 and one line on stderr and in ``BOTYARD_TERMINATION_LOG``
(default /dev/termination-log). The query of the URL is never printed: it may hold a signature.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import importlib.util
import json
import os
import re
import signal
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

GZIP = b"\x1f\x8b"
CHUNK = 1 << 20
ABOUT = "metadata.json"
RETRIED_STATUS = (408, 425, 429)


class GivenUpError(Exception):
    """Trying again would not help; the message says why, in one line."""


class TryAgainError(Exception):
    """This attempt failed; another may not."""


def shown(url: str) -> str:
    """The URL without user, password and query."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def file_name(url: str) -> str:
    """What the model is called on disk.

    Raises:
        GivenUpError: the URL is of another scheme or names no file.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise GivenUpError(f"MODEL_URL is no http or https address: {shown(url)}")
    name = unquote(parts.path).rsplit("/", 1)[-1]
    if name in ("", ".", ".."):
        raise GivenUpError(f"MODEL_URL names no file: {shown(url)}")
    return name


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


def about(model: Path) -> dict[str, Any]:
    """What a model says of itself.

    Raises:
        GivenUpError: it is no model of Rasa 3, or damaged.
    """
    try:
        with tarfile.open(model, "r|gz") as archive:
            for member in archive:
                if member.name in (ABOUT, f"./{ABOUT}"):
                    found = json.load(archive.extractfile(member) or b"")
                    return found if isinstance(found, dict) else {}
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        raise GivenUpError(f"no model but a damaged archive ({error or type(error).__name__})") from error
    raise GivenUpError(f"no model of Rasa 3: the archive holds no {ABOUT}")


def oldest_taken() -> str:
    """The oldest Rasa whose models the Rasa of this image takes; '' where that cannot be told. Rasa is not imported:
    that takes seconds."""
    spec = importlib.util.find_spec("rasa")
    file = Path(spec.origin).with_name("constants.py") if spec and spec.origin else None
    if file is None or not file.is_file():
        return ""
    found = re.search(r"""^MINIMUM_COMPATIBLE_VERSION\s*=\s*["']([^"']+)""", file.read_text(encoding="utf-8"), re.M)
    return found[1] if found else ""


def refuse_what_rasa_would(model: Path) -> None:
    """Rasa itself would start, answer every message with an empty list and say why in its log alone.

    Raises:
        GivenUpError: an older Rasa made it, or it is no model.
    """
    made_by = str(about(model).get("rasa_open_source_version") or "")
    oldest = oldest_taken()
    if made_by and oldest and numbers(made_by) < numbers(oldest):
        raise GivenUpError(
            f"the model was made by Rasa {made_by}, the Rasa of this image takes those of {oldest} and newer: "
            "train it with this image"
        )


def numbers(version: str) -> list[int]:
    """The first three numbers of a version, as in 3.6.21 or 3.7.0b1."""
    return [int(part) for part in re.findall(r"\d+", version)[:3]]


class Download:
    """One model on its way; ``part`` holds what has come so far and is kept for the next attempt."""

    def __init__(self, url: str, part: Path, timeout_s: float, keep_part: bool) -> None:
        self.url = url
        self.part = part
        self.timeout_s = timeout_s
        self.version: str | None = None  # ETag or date of what part holds
        if not keep_part and part.exists():
            part.unlink()  # nothing tells which content it is a part of

    def attempt(self) -> None:
        """Fetches what is missing.

        Raises:
            TryAgainError: the connection or the server failed; part keeps what came.
            GivenUpError: the server said no, or sent something that is no model.
        """
        have = self.part.stat().st_size if self.part.exists() else 0
        request = urllib.request.Request(self.url, headers={"User-Agent": "botyard"})  # noqa: S310 (scheme was checked)
        if have:
            request.add_header("Range", f"bytes={have}-")
            if self.version:
                request.add_header("If-Range", self.version)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as reply:  # noqa: S310 (scheme was checked)
                self._take(reply, have)
        except urllib.error.HTTPError as error:
            if error.code == 416:
                self.part.unlink()
                raise TryAgainError("the part here does not fit the file there; from the start") from error
            if error.code >= 500 or error.code in RETRIED_STATUS:
                raise TryAgainError(f"HTTP {error.code}") from error
            raise GivenUpError(f"HTTP {error.code} {error.reason} from {shown(self.url)}") from error
        except (http.client.HTTPException, OSError) as error:  # URLError, time-outs and resets are OSErrors
            raise TryAgainError(str(getattr(error, "reason", "") or error) or type(error).__name__) from error

    def _take(self, reply: http.client.HTTPResponse, have: int) -> None:
        resumed = have > 0 and reply.status == 206
        tag = reply.headers.get("ETag", "")
        self.version = (tag if tag and not tag.startswith("W/") else None) or reply.headers.get("Last-Modified")
        first = b"" if resumed else reply.read(2)
        if not resumed and first != GZIP:
            kind = reply.headers.get("Content-Type", "unknown type")
            hint = "; a web page: for GitHub add ?raw=true" if "html" in kind else ""
            raise GivenUpError(f"no model (gzip) but {kind} from {shown(self.url)}{hint}")
        length = reply.headers.get("Content-Length")
        expected = (have if resumed else 0) + int(length) if length else None
        with self.part.open("ab" if resumed else "wb") as file:
            file.write(first)
            for chunk in iter(lambda: reply.read(CHUNK), b""):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        size = self.part.stat().st_size
        if expected is not None and size < expected:
            raise TryAgainError(f"the connection ended after {size} of {expected} bytes")


def fetch(url: str, name: str, folder: Path, sha256: str, attempts: int, timeout_s: float, backoff_s: float) -> Path:
    """Brings the model and returns where it is.

    Raises:
        GivenUpError: it cannot be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / name
    part = folder / f"{name}.part"
    if sha256 and final.is_file() and sha256_of(final) == sha256:
        print(f"fetch_model: {final} is there already", flush=True)
        return final
    download = Download(url, part, timeout_s, keep_part=bool(sha256))
    last = ""
    for number in range(1, attempts + 1):
        try:
            download.attempt()
            found = sha256_of(part)
            if not sha256 or found == sha256:
                refuse_what_rasa_would(part)
                part.replace(final)
                print(f"fetch_model: {final} sha256 {found}", flush=True)
                return final
            part.unlink()
            last = f"the content has sha256 {found}, not {sha256}"
        except TryAgainError as error:
            last = str(error)
        if number < attempts:
            pause_s = min(30.0, backoff_s * 2 ** (number - 1))
            print(f"fetch_model: attempt {number} of {attempts}: {last}; again in {pause_s:g} s", flush=True)
            time.sleep(pause_s)
    raise GivenUpError(f"gave up on {shown(url)} after {attempts} attempts: {last}")


def remove_others(folder: Path, kept: Path) -> None:
    for other in folder.iterdir():
        if other != kept and other.is_file() and other.name.endswith((".tar.gz", ".part")):
            other.unlink()
            print(f"fetch_model: removed {other.name}", flush=True)


def main() -> int:
    env = os.environ
    folder = Path(env.get("MODEL_DIR") or "/app/models")
    try:
        if not env.get("MODEL_URL"):
            raise GivenUpError("MODEL_URL is not set")
        in_url = file_name(env["MODEL_URL"])
        name = env.get("MODEL_FILE") or in_url
        if Path(name).name != name:
            raise GivenUpError(f"MODEL_FILE is no plain file name: {name}")
        model = fetch(
            env["MODEL_URL"],
            name,
            folder,
            (env.get("MODEL_SHA256") or "").strip().lower(),
            attempts=int(env.get("MODEL_ATTEMPTS") or 6),
            timeout_s=float(env.get("MODEL_TIMEOUT_S") or 30),
            backoff_s=float(env.get("MODEL_BACKOFF_S") or 1),
        )
        remove_others(folder, model)
    except (GivenUpError, OSError, ValueError) as error:
        message = f"model download failed: {error}".replace("\n", " ")
        print(f"fetch_model: {message}", file=sys.stderr, flush=True)
        with contextlib.suppress(OSError):  # not in Kubernetes
            Path(env.get("BOTYARD_TERMINATION_LOG") or "/dev/termination-log").write_text(message)
        return 1
    return 0


if __name__ == "__main__":
    # In its container this is process 1, which the kernel sends no signal that it does not ask for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
