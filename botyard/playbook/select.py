"""Which tasks run: tags as in Ansible, and where to start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from fnmatch import fnmatchcase

from botyard.contracts import BadInput
from botyard.hints import close_to
from botyard.playbook.model import Playbook, Task, every_task

_SPECIAL = {"all", "always", "never", "tagged", "untagged"}


@dataclass(frozen=True)
class Selection:
    """Which tasks run."""

    only: frozenset[str]
    skip: frozenset[str]
    before: frozenset[Task]  # those before the one to start at

    def runs(self, task: Task) -> bool:
        return task not in self.before and wanted(task.tags, self.only, self.skip)

    @property
    def handlers(self) -> bool:
        """Whether handlers run at the end of a play: always, but for ``--skip-tags always``."""
        return wanted(frozenset({"always"}), self.only, self.skip)


def select(
    books: Sequence[Playbook], tags: Iterable[str], skip_tags: Iterable[str], start_at_task: str | None
) -> Selection:
    """What the flags ask for. As in Ansible, no task of include_tasks can be the one to start at.

    Raises:
        BadInput: a tag or task name that no playbook has.
    """
    plays = [play for book in books for play in book.plays()]
    tasks = [task for play in plays for task in every_task(play.tasks)]
    only, skip = frozenset(tags) or frozenset({"all"}), frozenset(skip_tags)
    reached = [task for play in plays for task in every_task(play.tasks, included=True)]
    known = {tag for task in reached for tag in task.tags}
    if all(task.load is None or task.included is not None for task in reached):
        for word in sorted((only | skip) - known - _SPECIAL):
            cure = close_to(word, known) or f"tags: {', '.join(sorted(known))}"
            raise BadInput(f"no task has the tag {word!r}", cure)
    before: list[Task] = []
    if start_at_task is not None:
        names = [task.title for task in tasks]
        begin = [i for i, name in enumerate(names) if name == start_at_task or fnmatchcase(name, start_at_task)]
        if not begin:
            raise BadInput(f"no task is named {start_at_task!r}", close_to(start_at_task, names) or "see --list-tasks")
        before = tasks[: begin[0]]
    return Selection(only, skip, frozenset(before))


def wanted(own: frozenset[str], only: Set[str], skip: Set[str]) -> bool:
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


def listing(books: Sequence[Playbook], selection: Selection, *, tags_only: bool = False) -> str:
    """What ``--list-tasks`` or ``--list-tags`` prints."""
    lines: list[str] = []
    for book in books:
        lines += ["", f"playbook: {book.file.name}", ""]
        for number, play in enumerate(book.plays(), start=1):
            lines.append(f"  play #{number} ({play.hosts}): {play.name}\tTAGS: [{', '.join(sorted(play.tags))}]")
            tasks = [task for task in every_task(play.tasks) if selection.runs(task)]
            if tags_only:
                tags = {tag for task in tasks for tag in task.tags} | play.tags
                lines.append(f"      TASK TAGS: [{', '.join(sorted(tags))}]")
            else:
                lines.append("    tasks:")
                lines += [f"      {task.title}\tTAGS: [{', '.join(sorted(task.tags))}]" for task in tasks]
            lines.append("")
    return "\n".join(lines)
