"""Holds what two engines made of one playbook against each other."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.engines import RECAP, Ran

# Keys of a result that are not compared: times, who owns what, how Ansible called the module, and what it tells people.
# docs/reference/playbooks.md names those that a playbook could read and that ours does not give. Ansible tells its
# callback nothing of failed and skipped either: there the status does.
LEFT_OUT = frozenset(
    """
    body cookies cookies_string date delta deprecations diff echo elapsed end exception
    failed_when_suppressed_exception gid group include_args invocation last_modified md5sum owner redirected server
    src start stop uid user_input warnings
    """.split()  # noqa: SIM905 - a list would be a line a word
)
LEFT_OUT_OF_STAT = frozenset(
    """
    atime attr_flags attributes block_size blocks charset ctime dev device_type gr_name inode isblk ischr isfifo
    isgid issock isuid mimetype mtime nlink pw_name rgrp roth rusr version wgrp woth wusr xgrp xoth xusr
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Difference:
    """A place where they differ, as words joined by dots, and what each has there."""

    place: str
    ours: Any
    ansible: Any

    def __str__(self) -> str:
        return f"{self.place}:\n    ours:    {self.ours!r}\n    ansible: {self.ansible!r}"


_NOTHING = "(not there)"
# What Ansible itself says of a failure starts with these; ours must say something too, but with its own words.
_OF_ANSIBLE = (
    "Task failed: ", "Conditional result (", "The `loop` value must resolve to ", "Could not find or access ", "file (",
    "Unexpected AnsibleActionFail error: Could not find or access ", "Status code was ", "Failed to create object: ",
    "Failure when executing Helm command",
)  # fmt: skip


def compare(ours: Ran, ansible: Ran) -> list[Difference]:
    """All differences: success, the seven counts, tasks in order, what is registered at the end, files."""
    return list(_differences(ours, ansible))


def _differences(ours: Ran, ansible: Ran) -> Iterator[Difference]:
    yield from _values("success", ours.success, ansible.success)
    for name in RECAP:
        yield from _values(f"recap.{name}", ours.recap[name], ansible.recap[name])
    order, other_order = ([_title(task) for task in ran.tasks] for ran in (ours, ansible))
    yield from _values("order", order, other_order)
    for number, (mine, other) in enumerate(zip(ours.tasks, ansible.tasks, strict=False), 1):
        if order != other_order:
            break  # there is no telling which belong together
        place = f"{number} {_title(mine)}"
        for name in ("module", "handler", "status"):
            yield from _values(f"{place}.{name}", mine[name], other[name])
        if "censored" in other["result"] or not mine["result"]:
            yield from _values(f"{place}.hidden", not mine["result"], "censored" in other["result"])
        else:
            yield from _values(place, _told(mine["result"]), _told(other["result"]))
    names = {*ours.registered, *ansible.registered} - {"ansible_failed_task", "ansible_failed_result", "ansible_facts"}
    for name in sorted(names):
        pair = (_result(ran.registered[name]) if name in ran.registered else _NOTHING for ran in (ours, ansible))
        yield from _values(f"registered.{name}", *pair)
    yield from _values("files", ours.files, ansible.files)


def _title(task: Mapping[str, Any]) -> str:
    return str(task["name"] or task["module"])


def _told(result: Mapping[str, Any]) -> Any:
    """A result as a task gives it."""
    return {
        key: item for key, item in _result({"changed": False, **result}).items() if key not in ("failed", "skipped")
    }


def _result(value: Any) -> Any:
    """A result without what is left out; any other value as it is."""
    if not isinstance(value, Mapping) or "changed" not in value:
        return value
    kept = {key: item for key, item in value.items() if not (key in LEFT_OUT or key.startswith("_ansible_"))}
    if isinstance(kept.get("results"), list):
        # Those of an include have no verdict of their own in Ansible.
        extra = {"changed": False, "failed": False}
        kept["results"] = [_result(extra | item if "include" in item else item) for item in kept["results"]]
    if isinstance(kept.get("stat"), Mapping):
        kept["stat"] = {key: item for key, item in kept["stat"].items() if key not in LEFT_OUT_OF_STAT | LEFT_OUT}
    return kept


def _values(place: str, ours: Any, ansible: Any) -> Iterator[Difference]:
    if isinstance(ours, Mapping) and isinstance(ansible, Mapping):
        for key in sorted({*ours, *ansible}, key=str):
            yield from _values(f"{place}.{key}", ours.get(key, _NOTHING), ansible.get(key, _NOTHING))
    elif isinstance(ours, list) and isinstance(ansible, list) and not place.endswith("order"):
        for index, (mine, other) in enumerate(itertools.zip_longest(ours, ansible, fillvalue=_NOTHING)):
            yield from _values(f"{place}.{index}", mine, other)
    elif _own_words(ours, ansible) or (_paused(ours) and _paused(ansible)):
        pass
    elif type(ours) is not type(ansible) or ours != ansible:
        yield Difference(place, ours, ansible)


def _paused(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(r"Paused for [0-9.]+ seconds", text) is not None


def _own_words(ours: Any, ansible: Any) -> bool:
    return (
        isinstance(ansible, str)
        and ansible.startswith(_OF_ANSIBLE)
        and isinstance(ours, str)
        and ours not in ("", _NOTHING)
    )
