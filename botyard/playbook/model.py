"""A playbook after loading: everything checked, tags, conditions and variables of outer levels handed down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botyard.playbook.arguments import ArgSpec
from botyard.playbook.keywords import words
from botyard.playbook.source import Map, Seq, Text, Where

Conditions = tuple[Any, ...]  # each one a bool, or a Text that is an expression
Entries = tuple["Task | Block", ...]
META = "ansible.builtin.meta"


def conditions_of(value: Any) -> Conditions:
    return tuple(value) if isinstance(value, Seq) else (value,)


_REPLACED = ("ignore_errors", "no_log", "check_mode", "diff", "notify")


@dataclass(frozen=True)
class Outer:
    """What a play or block hands down to what stands in it."""

    tags: frozenset[str] = frozenset()
    when: Conditions = ()
    vars: tuple[Map, ...] = ()  # outermost first
    environment: tuple[Map, ...] = ()
    ignore_errors: Any = False
    no_log: Any = False
    check_mode: Any = None  # None: as the run
    diff: Any = None
    notify: Any = None  # the names of handlers; a task's own take the place of its block's

    def with_own(self, own: Map) -> Outer:
        """This, with the keywords of one play, block or task on top."""
        return replace(
            self,
            tags=self.tags | set(words(own["tags"])) if "tags" in own else self.tags,
            when=self.when + conditions_of(own["when"]) if "when" in own else self.when,
            vars=(*self.vars, own["vars"]) if "vars" in own else self.vars,
            environment=(*self.environment, own["environment"]) if "environment" in own else self.environment,
            **{word: own[word] for word in _REPLACED if word in own},
        )


@dataclass(frozen=True, eq=False)
class Task:
    """One task. ``outer`` holds what play, blocks and the task itself say together."""

    name: Any
    module: str
    spec: ArgSpec
    args: Map
    where: Where
    outer: Outer
    loop: Any = None  # None: no loop
    loop_var: str = "item"
    index_var: str | None = None
    loop_label: Any = None
    loop_pause: Any = 0
    register: str | None = None
    until: Conditions = ()
    retries: Any = None
    delay: Any = 5
    changed_when: Conditions | None = None
    failed_when: Conditions | None = None
    listen: tuple[str, ...] = ()  # of a handler: further names it answers to
    # Of include_tasks: what gives the tasks of a file; these tasks, where the name is literal and not that of a file
    # around it; and its own vars, which are stronger than what tasks registered.
    load: Callable[[str], Entries] | None = None
    included: Entries | None = None
    params: tuple[Map, ...] = ()

    @property
    def title(self) -> str:
        return str(self.name or self.module)

    @property
    def tags(self) -> frozenset[str]:
        return self.outer.tags


@dataclass(frozen=True, eq=False)
class Block:
    tasks: Entries
    rescue: Entries
    always: Entries


@dataclass(frozen=True, eq=False)
class Play:
    name: str
    hosts: str
    where: Where
    vars: tuple[Map, ...]  # weakest first: vars, vars of import_playbook, vars_files
    tags: frozenset[str]
    tasks: Entries
    handlers: tuple[Task, ...]
    force_handlers: bool


@dataclass(frozen=True, eq=False)
class Playbook:
    file: Path
    entries: tuple[Play | Imported, ...] = field(default_factory=tuple)

    @property
    def name(self) -> str:
        return self.file.stem

    def plays(self) -> Iterator[Play]:
        for entry in self.entries:
            if isinstance(entry, Play):
                yield entry
            else:
                yield from entry.playbook.plays()


@dataclass(frozen=True, eq=False)
class Imported:
    """An ``import_playbook``; neighbours with the same ``side_by_side`` run at the same time."""

    playbook: Playbook
    side_by_side: Text | None


def every_task(entries: Entries, *, included: bool = False) -> Iterator[Task]:
    """The tasks of blocks too; and those of files that include_tasks names, as far as they are known before the run."""
    for entry in entries:
        if isinstance(entry, Block):
            yield from every_task((*entry.tasks, *entry.rescue, *entry.always), included=included)
            continue
        yield entry
        if included and entry.included:
            yield from every_task(entry.included, included=True)
