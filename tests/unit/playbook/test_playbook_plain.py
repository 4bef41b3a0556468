"""What is taken as it stands is what pydantic would have made of it."""

from __future__ import annotations

import dataclasses
import itertools
import typing
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from botyard import modules
from botyard.playbook.arguments import _CONFIG
from botyard.playbook.plain import Unsure, plain

VALUES: list[Any] = [
    None, True, False, 0, 1, -3, 2.5, "", "yes", "present", "7", "a/b", [], ["x"], [1], [True], ["x", 1], {}, {"a": 1},
    {"a": "x"}, {"a": ["x"]}, {1: "x"}, {"a": None}, [{}], [{"a": 1}], ("x",), {"x"}, b"x", [["x"]], {"a": {"b": 1}},
]  # fmt: skip
HINTS = sorted(
    {
        str(hint): hint
        for name in modules.MODULES
        for hint in typing.get_type_hints(modules.load(name).Args).values()
        if not dataclasses.is_dataclass(hint)
    }.items()
)


def test_for_every_argument_of_every_module() -> None:
    plainly = 0
    for (name, hint), value in itertools.product(HINTS, VALUES):
        try:
            found = plain(value, hint)
        except Unsure:
            continue
        plainly += 1
        wanted = TypeAdapter(hint, config=_CONFIG).validate_python(value)
        assert (found, type(found)) == (wanted, type(wanted)), f"{value!r} for {name}"
        assert repr(found) == repr(wanted), f"{value!r} for {name}: true is 1, but not the same"
    assert plainly > 100


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("7", int),
        (1, bool),
        (True, int),
        (1, float),
        (5, str),
        (Path("x"), str),
        ([1], list[str]),
        ("x", str.__class__),
    ],
)
def test_what_needs_a_conversion_or_a_refusal_is_left_to_pydantic(value: Any, hint: Any) -> None:
    with pytest.raises(Unsure):
        plain(value, hint)
