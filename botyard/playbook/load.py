"""From files to a checked tree of plays and tasks; every fault that can be seen without running raises BadInput."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from botyard.playbook import keywords
from botyard.playbook.check import Checker
from botyard.playbook.load_tasks import Here, TaskLoader, check_notified
from botyard.playbook.model import Imported, Outer, Play, Playbook
from botyard.playbook.slips import refuse_tasks
from botyard.playbook.source import Map, Seq, Text, Where, read_yaml, refuse
from botyard.playbook.template import Templar

_IMPORTS = ("import_playbook", "ansible.builtin.import_playbook")
_HOSTS_ALWAYS = ("localhost", "127.0.0.1", "all")


class Loader:
    """Loads playbooks for one run.

    Args:
        extra_vars: what file names in ``import_playbook`` and ``vars_files`` may use.
        hosts: names besides localhost that ``hosts`` may say (the target's).
    """

    def __init__(self, templar: Templar, extra_vars: Mapping[str, Any], hosts: tuple[str, ...] = ()) -> None:
        self._check = Checker(templar, extra_vars)
        self._tasks = TaskLoader(self._check)
        self._hosts = (*_HOSTS_ALWAYS, *hosts)

    def load(
        self, file: Path, outer: Outer | None = None, chain: tuple[Path, ...] = (), asked_at: Where | None = None
    ) -> Playbook:
        """One playbook with all that it imports.

        Raises:
            BadInput: with file:line:column, the line and a caret.
        """
        file = file.absolute()
        start = Where(file, 1, 1)
        document = read_yaml(file, asked_at)
        if not isinstance(document, Seq) or not document:
            where = document.where if isinstance(document, Map) else start
            refuse(where, "a playbook is a list of plays", "start each play with '- name: ...'")
        outer = outer or Outer()
        entries: list[Play | Imported] = []
        for entry, at in zip(document, document.items_at, strict=True):
            if not isinstance(entry, Map):
                refuse(at, "a play is a mapping", "start it with '- name: ...'")
            refuse_tasks(entry)
            if any(word in entry for word in _IMPORTS):
                entries.append(self._import(entry, file, outer, (*chain, file)))
            else:
                entries.append(self._play(entry, file, outer))
        groups = [entry.side_by_side if isinstance(entry, Imported) else None for entry in entries]
        for group, before, after in zip(groups, [None, *groups], [*groups[1:], None], strict=False):
            if group is not None and group not in (before, after):
                refuse(group.where, f"side_by_side: {group} has no neighbour", "say the same at the import next to it")
        return Playbook(file, tuple(entries))

    def _import(self, entry: Map, file: Path, outer: Outer, chain: tuple[Path, ...]) -> Imported:
        self._check.keywords(entry, keywords.IMPORT, "keyword of import_playbook")
        word = next(w for w in _IMPORTS if w in entry)
        at = entry.at(word)
        wanted = self._file(entry[word], at, file, [])
        if wanted in chain:
            refuse(at, f"{wanted.name} imports itself", " -> ".join(p.name for p in (*chain, wanted)))
        own = Map(entry.where)
        own.update(entry)
        group = None
        if "vars" in entry and "side_by_side" in entry["vars"]:
            group = entry["vars"]["side_by_side"]
            if not isinstance(group, Text) or group.is_template:
                refuse(entry["vars"].at("side_by_side"), "side_by_side takes the plain name of a group")
            own["vars"] = Map(entry["vars"].where)
            own["vars"].update({key: value for key, value in entry["vars"].items() if key != "side_by_side"})
        return Imported(self.load(wanted, outer.with_own(own), chain, at), group)

    def _play(self, entry: Map, file: Path, outer: Outer) -> Play:
        self._check.keywords(entry, keywords.PLAY, "keyword of a play")
        if "hosts" not in entry:
            refuse(entry.where, "the play has no hosts", "add: hosts: localhost")
        hosts = self._check.early(entry["hosts"], entry.at("hosts"), [], file)
        if hosts not in self._hosts:
            refuse(entry.at("hosts"), f"unknown host {hosts!r}", f"one of: {', '.join(self._hosts)}")
        if entry.get("connection", "local") != "local":
            refuse(entry.at("connection"), "only connection: local is supported", "the target is chosen by --target")
        if "gather_facts" not in entry:
            refuse(entry.where, "the play must say gather_facts: false", "facts about machines are never gathered")
        if entry["gather_facts"] is not False:
            refuse(entry.at("gather_facts"), "gather_facts must be false", "facts about machines are never gathered")
        # As in Ansible: an import_playbook is stronger than what it imports, vars_files are stronger than both.
        own_vars = [*([entry["vars"]] if "vars" in entry else []), *reversed(outer.vars)]
        for name, at in self._names(entry, "vars_files"):
            found = self._file(name, at, file, own_vars)
            content = read_yaml(found, at)
            if content is not None and not isinstance(content, Map):
                refuse(Where(found, 1, 1), "a file of variables is a mapping")
            if content is not None:
                self._check.vars(content)
                own_vars = [*own_vars, content]
        handed = Map(entry.where)
        handed.update({key: value for key, value in entry.items() if key != "vars"})
        inner = replace(outer.with_own(handed), vars=())
        here = Here(file, file, tuple(own_vars))
        tasks = self._tasks.tasks(entry.get("tasks") or Seq(entry.where), inner, here)
        handlers = self._tasks.handlers(entry.get("handlers") or Seq(entry.where), inner, here)
        check_notified(tasks, handlers)
        return Play(
            name=str(entry.get("name") or hosts),
            hosts=hosts,
            where=entry.where,
            vars=here.vars,
            tags=inner.tags,
            tasks=tasks,
            handlers=handlers,
            force_handlers=bool(entry.get("force_handlers")),
        )

    def _file(self, name: Any, where: Where, file: Path, own: list[Map]) -> Path:
        return (file.parent / self._check.early(name, where, own, file)).resolve()

    @staticmethod
    def _names(entry: Map, word: str) -> list[tuple[Any, Where]]:
        value = entry.get(word)
        if value is None:
            return []
        return list(zip(value, value.items_at, strict=True)) if isinstance(value, Seq) else [(value, entry.at(word))]
