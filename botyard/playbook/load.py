"""From files to a checked tree of plays and tasks; every fault that can be seen without running raises BadInput."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from botyard import modules
from botyard.playbook import keywords
from botyard.playbook.arguments import ArgSpec, full_name, spec_of
from botyard.playbook.model import Block, Conditions, Imported, Outer, Play, Playbook, Task, conditions_of
from botyard.playbook.source import Map, Seq, Text, Where, read_yaml, refuse
from botyard.playbook.template import Scope, Templar, TemplateFailed, texts_of

_IMPORTS = ("import_playbook", "ansible.builtin.import_playbook")
_HOSTS_ALWAYS = ("localhost", "127.0.0.1", "all")


class Loader:
    """Loads playbooks for one run.

    Args:
        extra_vars: what file names in ``import_playbook`` and ``vars_files`` may use.
        hosts: names besides localhost that ``hosts`` may say (the target's).
    """

    def __init__(self, templar: Templar, extra_vars: Mapping[str, Any], hosts: tuple[str, ...] = ()) -> None:
        self._templar = templar
        self._extra = extra_vars
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
            if any(word in entry for word in _IMPORTS):
                entries.append(self._import(entry, file, outer, (*chain, file)))
            else:
                entries.append(self._play(entry, file, outer))
        return Playbook(file, tuple(entries))

    def _import(self, entry: Map, file: Path, outer: Outer, chain: tuple[Path, ...]) -> Imported:
        self._check_keywords(entry, keywords.IMPORT, "keyword of import_playbook")
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
        return Imported(self.load(wanted, outer.with_own(own), chain, at), str(group) if group else None)

    def _play(self, entry: Map, file: Path, outer: Outer) -> Play:
        self._check_keywords(entry, keywords.PLAY, "keyword of a play")
        if "hosts" not in entry:
            refuse(entry.where, "the play has no hosts", "add: hosts: localhost")
        hosts = str(self._early(entry["hosts"], entry.at("hosts"), [], file))
        if hosts not in self._hosts:
            refuse(entry.at("hosts"), f"unknown host {hosts!r}", f"one of: {', '.join(self._hosts)}")
        if entry.get("connection", "local") != "local":
            refuse(entry.at("connection"), "only connection: local is supported", "the target is chosen by --target")
        if "gather_facts" not in entry:
            refuse(entry.where, "the play must say gather_facts: false", "facts about machines are never gathered")
        if entry["gather_facts"] is not False:
            refuse(entry.at("gather_facts"), "gather_facts must be false", "facts about machines are never gathered")
        own_vars = [entry["vars"]] if "vars" in entry else []
        for name, at in self._names(entry, "vars_files"):
            found = self._file(name, at, file, own_vars)
            content = read_yaml(found, at)
            if content is not None and not isinstance(content, Map):
                refuse(Where(found, 1, 1), "a file of variables is a mapping")
            if content is not None:
                self._check_vars(content)
                own_vars = [*own_vars, content]
        handed = Map(entry.where)
        handed.update({key: value for key, value in entry.items() if key != "vars"})
        inner = replace(outer.with_own(handed), vars=())
        return Play(
            name=str(entry.get("name") or hosts),
            hosts=hosts,
            where=entry.where,
            vars=(*own_vars, *outer.vars),
            tags=inner.tags,
            tasks=self._tasks(entry.get("tasks") or Seq(entry.where), inner),
        )

    def _tasks(self, entries: Seq, outer: Outer) -> tuple[Task | Block, ...]:
        found: list[Task | Block] = []
        for entry, at in zip(entries, entries.items_at, strict=True):
            if not isinstance(entry, Map):
                refuse(at, "a task is a mapping", "start it with '- name: ...'")
            if "block" in entry or "rescue" in entry or "always" in entry:
                found.append(self._block(entry, outer))
            else:
                found.append(self._task(entry, outer))
        return tuple(found)

    def _block(self, entry: Map, outer: Outer) -> Block:
        self._check_keywords(entry, keywords.BLOCK, "keyword of a block")
        if "block" not in entry:
            refuse(entry.where, "rescue and always stand beside block", "add: block:")
        inner = outer.with_own(entry)
        tasks, rescue, always = (
            self._tasks(entry[word], inner) if word in entry else () for word in ("block", "rescue", "always")
        )
        return Block(tasks, rescue, always, entry.where)

    def _task(self, entry: Map, outer: Outer) -> Task:
        module, spec = self._module(entry)
        word = next(w for w in entry if full_name(str(w)) == module)
        own = Map(entry.where)
        own.update({key: value for key, value in entry.items() if key != word})
        own.keys_at, own.values_at = entry.keys_at, entry.values_at
        self._check_keywords(own, keywords.TASK, "keyword of a task")
        if "delay" in own and "until" not in own and "retries" not in own:
            refuse(own.keys_at["delay"], "delay works with until or retries", "add: until: <expression>")
        args = spec.check(entry[word], entry.keys_at[word], self._templar)
        self._templar.check(self._rendered_part(args, spec))
        control = own.get("loop_control", Map(entry.where))
        if "loop_control" in own and "loop" not in own:
            refuse(own.keys_at["loop_control"], "loop_control without loop")
        self._check_keywords(control, keywords.LOOP_CONTROL, "keyword of loop_control")
        return Task(
            name=own.get("name"),
            module=module,
            spec=spec,
            args=args,
            where=entry.where,
            outer=outer.with_own(own),
            loop=own.get("loop"),
            loop_var=str(control.get("loop_var", "item")),
            index_var=str(control["index_var"]) if "index_var" in control else None,
            loop_label=control.get("label"),
            loop_pause=control.get("pause", 0),
            register=str(own["register"]) if "register" in own else None,
            until=conditions_of(own["until"]) if "until" in own else (),
            retries=own.get("retries"),
            delay=own.get("delay", 5),
            changed_when=_optional(own, "changed_when"),
            failed_when=_optional(own, "failed_when"),
        )

    @staticmethod
    def _rendered_part(args: Map, spec: ArgSpec) -> Map:
        part = Map(args.where)
        part.update({key: value for key, value in args.items() if key not in spec.takes_expressions()})
        return part

    def _module(self, entry: Map) -> tuple[str, ArgSpec]:
        words = [str(key) for key in entry if str(key) not in keywords.TASK]
        for word in words:
            if full_name(word) is None:
                known = [*keywords.TASK, *modules.MODULES]
                what = "module" if "." in word else "keyword or module"
                keywords.refuse_unknown(
                    word, known if what != "module" else list(modules.MODULES), entry.keys_at[word], what
                )
        if not words:
            refuse(entry.where, "the task has no module", "add one, for example: ansible.builtin.debug:")
        if len(words) > 1:
            refuse(entry.keys_at[words[1]], f"one task, one module: {words[0]} and {words[1]}", "make two tasks of it")
        name = str(full_name(words[0]))
        try:
            return name, spec_of(name)
        except ImportError as error:
            return refuse(entry.keys_at[words[0]], f"the module {name} cannot be loaded: {error}", "reinstall botyard")

    def _check_keywords(self, entry: Map, known: dict[str, str], what: str) -> None:
        for key, value in entry.items():
            if key not in known:
                keywords.refuse_unknown(str(key), known, entry.keys_at[key], what)
            if value is None and known[key] in ("map", "list"):
                refuse(entry.keys_at[key], f"{key} is empty", "fill it or take it out")
            keywords.check_value(str(key), known[key], value, entry.at(key))
            if known[key] == "conditions":
                for text in texts_of(value):
                    self._templar.check_expression(text)
            elif key not in ("tasks", "block", "rescue", "always"):
                self._templar.check(value)
        if "vars" in entry:
            self._check_vars(entry["vars"])

    def _check_vars(self, own: Map) -> None:
        self._templar.check(own)
        for key in own:
            if not isinstance(key, str) or not key.isidentifier():
                refuse(own.keys_at[key], f"{key!r} is not a variable name", "letters, digits and _ only")

    def _early(self, value: Any, where: Where, own: list[Map], file: Path) -> Any:
        """The value of a template that must be known before the run."""
        self._templar.check(value)
        layers: list[Mapping[str, Any]] = [self._extra, *reversed(own), {"playbook_dir": str(file.parent)}]
        try:
            return self._templar.render(value, Scope(self._templar, layers))
        except TemplateFailed as error:
            cure = f"{error.cure}; only extra vars and the play's own vars are known here".removeprefix("; ")
            return refuse(where, error.message.splitlines()[0].partition(": ")[2], cure)

    def _file(self, name: Any, where: Where, file: Path, own: list[Map]) -> Path:
        return (file.parent / Path(str(self._early(name, where, own, file)))).resolve()

    @staticmethod
    def _names(entry: Map, word: str) -> list[tuple[Any, Where]]:
        value = entry.get(word)
        if value is None:
            return []
        return list(zip(value, value.items_at, strict=True)) if isinstance(value, Seq) else [(value, entry.at(word))]


def _optional(entry: Map, word: str) -> Conditions | None:
    return conditions_of(entry[word]) if word in entry else None
