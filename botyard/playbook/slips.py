"""A task where a play is wanted, and the other way round: told as such, not by the first word that does not fit."""

from __future__ import annotations

from botyard.playbook.arguments import full_name
from botyard.playbook.source import Map, refuse


def refuse_tasks(entry: Map) -> None:
    """Raises BadInput for a task where a play is wanted."""
    if "hosts" in entry or "tasks" in entry:
        return
    if "block" in entry or any(isinstance(key, str) and full_name(key) for key in entry):
        refuse(
            entry.where,
            "this is a task, and a playbook is a list of plays",
            "put the tasks below tasks: of a play, or name this file in import_tasks of one",
        )


def refuse_plays(entry: object) -> None:
    """Raises BadInput for a play where a task is wanted."""
    if not isinstance(entry, Map):
        return
    word = next((word for word in ("hosts", "import_playbook", "ansible.builtin.import_playbook") if word in entry), "")
    if word:
        refuse(
            entry.keys_at[word],
            "this is a playbook, and a list of tasks is wanted",
            "name a file of tasks alone; a whole playbook is taken in by import_playbook, beside the plays",
        )
