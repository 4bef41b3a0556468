"""The comparer sees each kind of difference, and nothing where there is none."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest
from conformance.compare import compare
from conformance.engines import Ran


def ran() -> Ran:
    shell = {"changed": True, "failed": False, "rc": 0, "stdout": "hi", "msg": "", "start": "now"}
    loop = {"changed": False, "msg": "All items completed", "results": [{"changed": False, "item": 1}]}
    tasks = [
        {"name": "one", "module": "ansible.builtin.command", "handler": False, "status": "changed", "result": shell},
        {"name": None, "module": "ansible.builtin.debug", "handler": True, "status": "ok", "result": loop},
    ]
    return Ran(True, tasks=tasks, registered={"r": dict(shell), "fact": 5}, files={"a.txt": "0644 b'hi'"})


def test_the_same_twice_is_no_difference() -> None:
    assert compare(ran(), ran()) == []


PLANTED: dict[str, Callable[[Ran], object]] = {
    "success": lambda it: setattr(it, "success", False),
    "recap.rescued": lambda it: it.recap.update(rescued=1),
    "recap.unreachable": lambda it: it.recap.update(unreachable=1),
    "order": lambda it: it.tasks.reverse(),
    "1 one.status": lambda it: it.tasks[0].update(status="ok"),
    "1 one.module": lambda it: it.tasks[0].update(module="ansible.builtin.fail"),
    "2 ansible.builtin.debug.handler": lambda it: it.tasks[1].update(handler=False),
    "1 one.changed": lambda it: it.tasks[0]["result"].update(changed=False),
    "1 one.rc": lambda it: it.tasks[0]["result"].update(rc="0"),
    "1 one.stdout": lambda it: it.tasks[0]["result"].pop("stdout"),
    "1 one.extra": lambda it: it.tasks[0]["result"].update(extra=None),
    "1 one.hidden": lambda it: it.tasks[0].update(result={"censored": "hidden"}),
    "2 ansible.builtin.debug.results.0.item": lambda it: it.tasks[1]["result"]["results"][0].update(item=2),
    "2 ansible.builtin.debug.results.1": lambda it: it.tasks[1]["result"]["results"].append({"changed": False}),
    "registered.r.failed": lambda it: it.registered["r"].update(failed=True),
    "registered.fact": lambda it: it.registered.update(fact=True),
    "registered.more": lambda it: it.registered.update(more=1),
    "files.a.txt": lambda it: it.files.update({"a.txt": "0600 b'hi'"}),
    "files.b.txt": lambda it: it.files.update({"b.txt": "0644 b''"}),
}


@pytest.mark.parametrize("place", PLANTED)
def test_a_planted_difference_is_seen_at_its_place(place: str) -> None:
    ours, ansible = deepcopy(ran()), deepcopy(ran())
    PLANTED[place](ansible)
    assert [difference.place for difference in compare(ours, ansible)] == [place]


def test_times_are_no_difference_and_words_only_where_ansible_words_a_failure_itself() -> None:
    ours, ansible = deepcopy(ran()), deepcopy(ran())
    ansible.tasks[0]["result"]["start"] = "later"
    ours.tasks[1]["result"]["msg"] = "x.yml:1:1: 'a' is undefined"
    ansible.tasks[1]["result"]["msg"] = "Task failed: 'a' is undefined"
    assert compare(ours, ansible) == []
    ours.tasks[1]["result"]["msg"] = ""
    assert compare(ours, ansible)
    ours.tasks[1]["result"].pop("msg")
    assert compare(ours, ansible)
