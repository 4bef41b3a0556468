"""Hides what must never be shown, however it is written: as it is, quoted, encoded, or line by line."""

from __future__ import annotations

import base64
import functools
import json
import math
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

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
            hidden = self.text(shown)
            return value if hidden == shown and math.isfinite(value) else hidden
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(item) for item in value]
        return self.text(value.decode(errors="replace") if isinstance(value, bytes) else str(value))

    def diffs(self, diffs: Iterable[Diff]) -> list[Diff]:
        return [Diff(self.text(d.header), self.text(d.before), self.text(d.after)) for d in diffs]


def _forms(value: str) -> Iterator[str]:
    """What to look for word by word: parts that no notation changes, and base64."""
    whole = value.strip()
    yield from (part for part in {whole, *map(str.strip, value.splitlines())} if _PLAIN.fullmatch(part))
    for data in {value.encode(errors="replace"), whole.encode(errors="replace")}:
        encoded = [line.decode() for line in (base64.b64encode(data), *base64.encodebytes(data).splitlines())]
        # Inside a longer text its base64 depends on where it starts: three cases, the shared first and last signs cut.
        for lead in range(3):
            every = base64.b64encode(bytes(lead) + data).decode()
            encoded.append(every[-(-lead * 8 // 6) : (lead + len(data)) * 8 // 6])
        for form in encoded:
            yield form
            yield form.translate(_URL_SAFE)
            yield form.rstrip("=")


def _patterns(value: str) -> Iterator[re.Pattern[str]]:
    """What to look for where the value has signs that JSON, YAML, a shell, a URL, XML or Python write in another way,
    each of them also inside another, and where YAML breaks a long line."""
    for part in sorted({value.strip(), *map(str.strip, value.splitlines())}, key=len, reverse=True):
        if len(part) >= MINIMUM and not _PLAIN.fullmatch(part):
            yield re.compile("".join(_sign(sign) for sign in re.findall(r"\s+|.", part)))


@functools.cache
def _sign(sign: str) -> str:
    """A pattern for one sign (or one run of blanks) in all these notations; it never backtracks far."""
    if _PLAIN.fullmatch(sign):
        return re.escape(sign)
    if sign.isspace():
        return r"(?:\s|\\[nrt]?|\+|(?i:%(?:25)*(?:0d|0a|09|20)))+"
    percent = "(?i:" + "".join(f"%(?:25)*{byte:02x}" for byte in sign.encode(errors="replace")) + ")"
    if sign == "\\":
        return rf"(?:\\|{percent})+"
    escape = rf"(?i:[xu]0*{ord(sign):x})"
    if sign in "'\"":  # a run, as a shell writes one quote as five signs
        return rf"(?:['\"]|\\{escape}?|&(?:#?\w+;)+|{percent})+"
    ways = [re.escape(sign), percent, rf"\\{escape}"]
    if sign in "&<>":
        ways.insert(0, r"&(?:#?\w+;)+")
    elif ord(sign) > 0xFFFF:
        ways.append(r"\\+".join(["", *json.dumps(sign)[1:-1].split("\\")[1:]]))
    return rf"\\*(?:{'|'.join(ways)})"


_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")  # written the same everywhere
_URL_SAFE = str.maketrans("+/", "-_")
