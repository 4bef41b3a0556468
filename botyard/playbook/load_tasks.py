"""From YAML to checked tasks, blocks and handlers, those of other files included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from botyard import modules
from botyard.hints import close_to
from botyard.playbook import keywords, refused
from botyard.playbook.arguments import ArgSpec, full_name, spec_of
from botyard.playbook.check import Checker
from botyard.playbook.model import META, Block, Conditions, Entries, Outer, Task, conditions_of, every_task
from botyard.playbook.slips import refuse_plays
from botyard.playbook.source import Map, Seq, Text, Where, read_yaml, refuse
from botyard.playbook.template import texts_of

_INCLUDE = "ansible.builtin.include_tasks"
_IMPORTS = ("import_tasks", "ansible.builtin.import_tasks")


@dataclass(frozen=True)
class Here:
    """Where tasks stand; ``vars`` are those of the play, weakest first, which names of files may use."""

    file: Path
    playbook: Path
    vars: tuple[Map, ...] = ()
    importing: tuple[Path, ...] = ()  # files that import each other, down to this one
    handlers: bool = False


class TaskLoader:
    """Loads tasks for one run; also while it goes on, for include_tasks."""

    def __init__(self, check: Checker) -> None:
        self._check = check
        self._documents: dict[Path, Any] = {}
        self._opening: set[Path] = set()  # files of include_tasks that are being looked into before the run

    def tasks(self, entries: Seq, outer: Outer, here: Here) -> Entries:
        found: list[Task | Block] = []
        for entry, at in zip(entries, entries.items_at, strict=True):
            if not isinstance(entry, Map):
                refuse(at, "a task is a mapping", "start it with '- name: ...'")
            keywords.check_value("a task", "map", entry, at)
            if "block" in entry or "rescue" in entry or "always" in entry:
                found.append(self._block(entry, outer, here))
            elif any(word in entry for word in _IMPORTS):
                found += self._import(entry, outer, here)
            else:
                found.append(self._task(entry, outer, here))
        return tuple(found)

    def handlers(self, entries: Seq, outer: Outer, here: Here) -> tuple[Task, ...]:
        return tuple(every_task(self.tasks(entries, outer, replace(here, handlers=True))))

    def _block(self, entry: Map, outer: Outer, here: Here) -> Block:
        if here.handlers:
            refuse(entry.where, "a block cannot be a handler", "make each task a handler; all may listen to one name")
        self._check.keywords(entry, keywords.BLOCK, "keyword of a block")
        if "block" not in entry:
            refuse(entry.where, "rescue and always stand beside block", "add: block:")
        inner = outer.with_own(entry)
        tasks, rescue, always = (
            self.tasks(entry[word], inner, here) if word in entry else () for word in ("block", "rescue", "always")
        )
        return Block(tasks, rescue, always)

    def _import(self, entry: Map, outer: Outer, here: Here) -> Entries:
        """The tasks of import_tasks, which take its place."""
        self._check.keywords(entry, keywords.IMPORT_TASKS, "keyword of import_tasks")
        word = next(w for w in _IMPORTS if w in entry)
        name, at = entry[word], entry.at(word)
        if isinstance(name, Map) and list(name) == ["file"]:
            name, at = name["file"], name.at("file")
        keywords.check_value(word, "text", name, at)
        inner = outer.with_own(entry)
        file = self._place(self._check.early(name, at, (*here.vars, *inner.vars), here.playbook), here)
        chain = (*here.importing, file)
        if file in here.importing:
            refuse(at, f"{file.name} imports itself", " -> ".join(p.name for p in chain))
        return self._of_file(file, at, inner, replace(here, importing=chain))

    @staticmethod
    def _place(name: str, here: Here) -> Path:
        """As in Ansible: beside the file that names it, else beside the playbook."""
        places = [(file.parent / name).resolve() for file in (here.file, here.playbook)]
        return next((place for place in places if place.is_file()), places[0])

    def _of_file(self, file: Path, at: Where, outer: Outer, here: Here) -> Entries:
        if file not in self._documents:
            self._documents[file] = read_yaml(file, at)
        content = self._documents[file]
        if content is not None and not isinstance(content, Seq):
            refuse(Where(file, 1, 1), "a file of tasks is a list of tasks", "start each task with '- name: ...'")
        for entry in content or ():
            refuse_plays(entry)
        return () if content is None else self.tasks(content, outer, replace(here, file=file))

    def _task(self, entry: Map, outer: Outer, here: Here) -> Task:
        word, module, spec = self._module(entry)
        own = Map(entry.where)
        own.update({key: value for key, value in entry.items() if key != word})
        own.keys_at, own.values_at = entry.keys_at, entry.values_at
        known = {_INCLUDE: keywords.INCLUDE, META: keywords.META}.get(module, keywords.TASK)
        what = "a task" if known is keywords.TASK else word
        self._check.keywords(own, known | (keywords.LISTEN if here.handlers else {}), f"keyword of {what}")
        if "delay" in own and "until" not in own and "retries" not in own:
            refuse(own.keys_at["delay"], "delay works with until or retries", "add: until: <expression>")
        if module == META:
            _check_meta(entry[word], entry.at(word), here)
        args = spec.check(entry[word], entry.keys_at[word], self._check.templar)
        self._check.templar.check(spec.templates(args))
        control = own.get("loop_control", Map(entry.where))
        if "loop_control" in own and "loop" not in own:
            refuse(own.keys_at["loop_control"], "loop_control without loop")
        self._check.keywords(control, keywords.LOOP_CONTROL, "keyword of loop_control")
        load, included = self._include(args, outer, here) if module == _INCLUDE else (None, None)
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
            listen=tuple(keywords.words(own.get("listen", ""))),
            load=load,
            included=included,
            params=(own["vars"],) if load and "vars" in own else (),
        )

    def _include(self, args: Map, outer: Outer, here: Here) -> tuple[Any, Entries | None]:
        """How to load the file of include_tasks, and its tasks where they can be known. They inherit nothing of the
        include but its variables (which the run adds) and what stands in ``apply``."""
        apply = args.pop("apply", None)
        if apply is not None:
            keywords.check_value("apply", "map", apply, args.at("apply"))
            self._check.keywords(apply, keywords.SHARED, "keyword of apply")
            outer = outer.with_own(apply)
        name, at = args["file"], args.at("file")

        def load(name: str) -> Entries:
            file = self._place(name, here)
            return self._of_file(file, at, outer, replace(here, importing=(file,)))

        file = self._place(str(name), here)
        if (isinstance(name, Text) and name.is_template) or file in self._opening:
            return load, None
        self._opening.add(file)
        try:
            return load, load(str(name))
        finally:
            self._opening.discard(file)

    @staticmethod
    def _module(entry: Map) -> tuple[str, str, ArgSpec]:
        """The module's name as written, its full name, and its arguments."""
        words = [str(key) for key in entry if str(key) not in keywords.HANDLER]
        for word in words:
            if full_name(word) is None:
                named = [*modules.MODULES, *_IMPORTS]
                known, what = (named, "module") if "." in word else ([*keywords.HANDLER, *named], "keyword or module")
                keywords.refuse_unknown(word, known, entry.keys_at[word], what)
        if not words:
            refuse(entry.where, "the task has no module", "add one, for example: ansible.builtin.debug:")
        if len(words) > 1:
            refuse(entry.keys_at[words[1]], f"one task, one module: {words[0]} and {words[1]}", "make two tasks of it")
        name = str(full_name(words[0]))
        try:
            return words[0], name, spec_of(name)
        except ImportError as error:
            return refuse(entry.keys_at[words[0]], f"the module {name} cannot be loaded: {error}", "reinstall botyard")


def check_notified(tasks: Entries, handlers: Sequence[Task]) -> None:
    """Raises BadInput for a notify that names no handler, as far as names are literal."""
    if any(isinstance(handler.name, Text) and handler.name.is_template for handler in handlers):
        return
    known = {name for h in handlers for name in (str(h.name or ""), *h.listen) if name}
    for task in every_task((*tasks, *handlers), included=True):
        for text in texts_of(task.outer.notify):
            if not text.is_template and text not in known:
                there = f"there are: {', '.join(sorted(known))}" if known else "put it into handlers of the play"
                refuse(text.where, f"no handler is named {str(text)!r}", close_to(text, known) or there)


def _check_meta(action: Any, at: Where, here: Here) -> None:
    if not isinstance(action, Text) or action.is_template:
        refuse(at, "meta takes a plain word", "flush_handlers, end_play or noop")
    if action in refused.META:
        refuse(at, f"meta: {action} is not supported", refused.META[action])
    if action == "flush_handlers" and here.handlers:
        refuse(at, "flush_handlers cannot be used as a handler", "a handler that notifies runs others in their turn")


def _optional(entry: Map, word: str) -> Conditions | None:
    return conditions_of(entry[word]) if word in entry else None
