"""How our pydantic models read what users write."""

from __future__ import annotations

from pydantic import ConfigDict

# Python's own regular expressions: pydantic's default engine takes 25 ms to compile a pattern such as `\w{0,89}`,
# at every start. There `$` also stands before a line's end, so patterns end in `\Z`.
STRICT = ConfigDict(extra="forbid", frozen=True, regex_engine="python-re")
