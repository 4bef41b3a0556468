"""Every playbook of cases/ means the same to this engine and to the real ansible-playbook."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance.case import Both, Case, all_cases

CASES = all_cases()
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "playbooks.md"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(both: Both, case: Case) -> None:
    differences, ours, ansible = both.differences(case)
    assert bool(ansible.tasks) is not case.refused, f"ansible-playbook ran {len(ansible.tasks)} tasks: {ansible.said}"
    told = "\n".join(map(str, differences)) + f"\nours said: {ours.said}\nansible said: {ansible.said}"
    assert sorted(d.place for d in differences) == sorted(case.differs), told


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 60


def test_wanted_differences_are_those_of_the_reference_page() -> None:
    section = REFERENCE.read_text().partition("\n## What differs from ansible-core")[2].partition("\nNot compared")[0]
    told = [" ".join(bullet.split()) for bullet in section.split("\n- ")[1:]]
    held = {case.name: case.why for case in CASES if case.differs}
    assert told
    assert all(held.values())
    assert [bullet for bullet in told if not any(bullet.startswith(why) for why in held.values())] == []
    assert [name for name, why in held.items() if not any(bullet.startswith(why) for bullet in told)] == []
