"""Values that are of the wanted type as they stand. Most are, and for those pydantic need not be imported: that takes
60 ms of every start."""

from __future__ import annotations

import contextlib
import types
import typing
from pathlib import Path
from typing import Any

_SCALARS = (str, int, float, bool, types.NoneType)


class Unsure(Exception):
    """It may need a conversion or a refusal: a matter for pydantic."""


def plain(value: Any, hint: Any) -> Any:
    """The value as pydantic would give it for that hint.

    Raises:
        Unsure: only pydantic can tell.
    """
    origin = typing.get_origin(hint)
    inner = typing.get_args(hint)
    if hint is Any:
        return value
    if hint in _SCALARS:
        return _if(type(value) is hint, value)
    if hint is Path:
        return Path(_if(type(value) is str, value))
    if origin is typing.Literal:
        return _if(type(value) is str and value in inner, value)
    if origin in (typing.Union, types.UnionType):
        return _first(value, [one for one in inner if one is not Path])
    if origin is list:
        return [plain(one, inner[0]) for one in _if(type(value) is list, value)]
    if origin is dict:
        return {plain(k, inner[0]): plain(v, inner[1]) for k, v in _if(type(value) is dict, value).items()}
    raise Unsure


def _first(value: Any, hints: list[Any]) -> Any:
    for hint in hints:
        with contextlib.suppress(Unsure):
            return plain(value, hint)
    raise Unsure


def _if(certain: bool, value: Any) -> Any:
    if not certain:
        raise Unsure
    return value
