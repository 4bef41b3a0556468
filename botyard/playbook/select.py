"""Which tasks run: tags as in Ansible, and where to start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from botyard.contracts import BadInput
from botyard.playbook.model import Playbook, Task, every_task
from botyard.playbook.source import close_to

_SPECIAL = {"all", "always", "never", "tagged", "untagged"}


def select(
    books: Sequence[Playbook], tags: Iterable[str], skip_tags: Iterable[str], start_at_task: str | None
) -> set[Task]:
    """The tasks to run.

    Raises:
        BadInput: a tag or task name that no playbook has.
    """
    tasks = [task for book in books for play in book.plays() for task in every_task(play.tasks)]
    only, skip = set(tags) or {"all"}, set(skip_tags)
    known = {tag for task in tasks for tag in task.tags}
    for word in sorted((only | skip) - known - _SPECIAL):
        raise BadInput(f"no task has the tag {word!r}", close_to(word, known) or f"tags: {', '.join(sorted(known))}")
    if start_at_task is not None:
        names = [task.title for task in tasks]
        begin = [i for i, name in enumerate(names) if name == start_at_task or fnmatchcase(name, start_at_task)]
        if not begin:
            raise BadInput(f"no task is named {start_at_task!r}", close_to(start_at_task, names) or "see --list-tasks")
        tasks = tasks[begin[0] :]
    return {task for task in tasks if wanted(task.tags, only, skip)}


def wanted(own: frozenset[str], only: set[str], skip: set[str]) -> bool:
    """Whether a task with these tags runs under ``--tags`` and ``--skip-tags``."""
    tags = own or frozenset({"untagged"})
    tagged = bool(own)
    run = (
        "always" in tags
        or ("all" in only and "never" not in tags)
        or not tags.isdisjoint(only)
        or ("tagged" in only and tagged and "never" not in tags)
    )
    if not run:
        return False
    if "all" in skip:
        return "always" in tags and "always" not in skip
    return tags.isdisjoint(skip) and not ("tagged" in skip and tagged)


def listing(books: Sequence[Playbook], chosen: set[Task]) -> str:
    """What ``--list-tasks`` prints."""
    lines: list[str] = []
    for book in books:
        lines += ["", f"playbook: {book.file.name}", ""]
        for number, play in enumerate(book.plays(), start=1):
            lines.append(f"  play #{number} ({play.hosts}): {play.name}\tTAGS: [{', '.join(sorted(play.tags))}]")
            lines.append("    tasks:")
            for task in every_task(play.tasks):
                if task in chosen:
                    lines.append(f"      {task.title}\tTAGS: [{', '.join(sorted(task.tags))}]")
            lines.append("")
    return "\n".join(lines)
