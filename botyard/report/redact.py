"""Hides what must never be shown, however it is written: as it is, quoted, encoded, or line by line."""

from __future__ import annotations

import base64
import json
import math
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from botyard.contracts import Diff, Secret

STARS = "***"
MINIMUM = 6  # characters; what is shorter stands in half the words of a report and would give itself away by its gaps


class Redactor:
    """Replaces secrets by stars in all that people and files are told."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        # Replaced as a whole, never changed: other threads read them.
        self._forms: tuple[str, ...] = ()  # the longest first
        self._patterns: tuple[re.Pattern[str], ...] = ()
        self._lock = threading.Lock()

    def learn(self, value: Any) -> None:
        """Hides ``value``, and all that lies in it, from now on.

        One of fewer than MINIMUM characters is hidden where it is the whole text, not inside others.
        """
        if isinstance(value, Mapping):
            value = list(value.values())
        if isinstance(value, list | tuple | set | frozenset):
            for item in value:
                self.learn(item)
            return
        if value is None or isinstance(value, bool):
            return
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        text = value.reveal() if isinstance(value, Secret) else str(value)
        with self._lock:
            if not text.strip() or text in self._known:
                return
            self._known |= {text, text.strip()}
            forms = {form for form in _forms(text) if len(form) >= MINIMUM}
            self._forms = tuple(sorted(forms.union(self._forms), key=len, reverse=True))
            self._patterns = (*self._patterns, *_patterns(text))

    def unwrapped(self, value: Any) -> Any:
        """``value`` with every Secret in it learned and in plain text, for templates and arguments."""
        if isinstance(value, Secret):
            self.learn(value)
            return value.reveal()
        if isinstance(value, Mapping):
            return {key: self.unwrapped(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.unwrapped(item) for item in value]
        return value

    def text(self, text: str) -> str:
        """``text`` without secrets, and fit for any file (a lone surrogate is written as its escape)."""
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode()
        if text in self._known:
            return STARS
        for form in self._forms:
            text = text.replace(form, STARS)
        for pattern in self._patterns:
            text = pattern.sub(STARS, text)
        return text

    def clean(self, value: Any) -> Any:
        """A copy fit for JSON with every secret replaced."""
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int | float):
            shown = str(value)
            hidden = self.text(shown) if len(shown) >= MINIMUM else shown
            fit = isinstance(value, int) or math.isfinite(value)  # JSON knows no infinity
            return value if fit and hidden == shown else hidden
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(item) for item in value]
        return self.text(value.decode(errors="replace") if isinstance(value, bytes) else str(value))

    def diffs(self, diffs: Iterable[Diff]) -> list[Diff]:
        return [Diff(self.text(d.header), self.text(d.before), self.text(d.after)) for d in diffs]


def _forms(value: str) -> Iterator[str]:
    """What to look for as it stands: the value, its lines, and their base64."""
    whole = value.strip()
    yield from {whole, *map(str.strip, value.splitlines())}
    yield from (json.dumps(whole)[1:-1], quote(whole, safe="", errors="replace"))
    for data in {value.encode(errors="replace"), whole.encode(errors="replace")}:
        encoded = [line.decode() for line in (base64.b64encode(data), *base64.encodebytes(data).splitlines())]
        # Inside a longer text its base64 depends on where it starts: three cases, the shared first and last signs cut.
        for lead in range(3):
            every = base64.b64encode(bytes(lead) + data).decode()
            encoded.append(every[-(-lead * 8 // 6) : (lead + len(data)) * 8 // 6])
        for form in encoded:
            yield from (form, form.rstrip("="), form.translate(_URL_SAFE))


def _patterns(value: str) -> Iterator[re.Pattern[str]]:
    """The value and its lines where JSON, YAML, a shell, a URL, XML or Python write some signs in another way, each of
    them also inside another, and where YAML breaks a long line: letters and digits with anything between them."""
    for part in sorted({value.strip(), *map(str.strip, value.splitlines())}, key=len, reverse=True):
        runs = _PLAIN.findall(part)
        if runs != [part] and sum(map(len, runs)) >= MINIMUM:
            yield re.compile(_SIGNS.join(map(re.escape, runs)))


_URL_SAFE = str.maketrans("+/", "-_")
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")  # written the same everywhere
# What stands for other signs. Bounded, and with one way to read any text, so that none makes the search take long.
_SIGNS = (
    r"(?:(?:\\|%(?:25)*5[Cc])(?:[nrt]|[xu][0-9A-Fa-f]{2,4}|U[0-9A-Fa-f]{8})"
    r"|(?:&|%(?:25)*26)(?:amp(?:;|%(?:25)*3[Bb]))*(?:#|%(?:25)*23)?\w{2,8}(?:;|%(?:25)*3[Bb])"
    r"|%(?:25)*[0-9A-Fa-f]{2}|[^A-Za-z0-9_.~-]){1,400}"
)
