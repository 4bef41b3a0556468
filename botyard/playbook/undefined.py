"""Variables that nothing can supply, found before the run. What Ansible might run is never refused: only names that
are asked for whatever happens count, so not those behind ``when``, ``default``, ``rescue`` and the like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from botyard.hints import close_to
from botyard.playbook import refused
from botyard.playbook.filters import EXCUSING, TESTS
from botyard.playbook.lane import magic_vars
from botyard.playbook.model import META, Block, Entries, Playbook, Task, every_task
from botyard.playbook.options import RunOptions
from botyard.playbook.select import Selection
from botyard.playbook.source import Text, refuse
from botyard.playbook.template import Scope, Templar, TemplateFailed, has_template, texts_of

_BINARY = nodes.Output | nodes.BinExpr | nodes.Concat
_UNARY = nodes.UnaryExpr | nodes.Getattr | nodes.Getitem | nodes.Call

Layers = Sequence[Mapping[str, Any]]


class _Later(dict[str, Any]):
    """Variables that get their value while the run goes on."""

    def __getitem__(self, name: str) -> Any:
        raise LookupError(f"{name!r} is known only later")


def refuse_undefined(books: Sequence[Playbook], selection: Selection, templar: Templar, options: RunOptions) -> None:
    """Raises BadInput, with its place, for a variable that a task asks for and nothing in this run can supply."""
    plays = {play: (book, _every(play.tasks), _every(play.handlers)) for book in books for play in book.plays()}
    facts = _Later(dict.fromkeys(("ansible_failed_task", "ansible_failed_result")))
    left_out: dict[str, Task] = {}
    for _, tasks, handlers in plays.values():
        for task in (*tasks, *handlers):
            if task.load and has_template(task.args):
                return  # that file may set anything
            sets = [*(task.args if task.module == "ansible.builtin.set_fact" else ()), task.register or ""]
            runs = task in handlers or selection.runs(task)
            (facts if runs else left_out).update(dict.fromkeys(sets, task))
    for play, (book, tasks, handlers) in plays.items():
        if not any(task.module == META and task.args["action"] == "end_play" for task in (*tasks, *handlers)):
            layers = [*reversed(play.vars), magic_vars(play, book, options)]
            _Walk(selection, templar, options, facts, left_out, layers).entries(play.tasks, [])


def _every(entries: Entries) -> list[Task]:
    return list(every_task(entries, included=True))


@dataclass
class _Walk:
    """Goes through the tasks of one play."""

    selection: Selection
    templar: Templar
    options: RunOptions
    facts: _Later
    left_out: Mapping[str, Task]
    of_play: Layers
    item_is: str = ""  # what item means to the task that is looked at

    def entries(self, entries: Entries, params: Layers) -> None:
        for entry in entries:
            if isinstance(entry, Block):
                self.entries((*(() if entry.rescue else entry.tasks), *entry.always), params)
            elif self.selection.runs(entry) and entry.outer.ignore_errors is False:
                self._task(entry, params)

    def _task(self, task: Task, params: Layers) -> None:
        later = _Later()
        self.item_is = "item is what a loop gives: give the task a loop: [...]"
        if task.loop is not None:
            later.update(dict.fromkeys((task.loop_var, "ansible_loop_var", task.index_var or "")))
            self.item_is = f"this loop calls it {task.loop_var}: so says loop_var of its loop_control"
        strong = [later, *task.params, *params]
        weak = [self.facts, *reversed(task.outer.vars), *self.of_play]
        layers: Layers = [later, self.options.extra_vars, *strong, *weak]
        if not self._surely_runs(task, layers):
            return
        self._need(texts_of(task.spec.templates(task.args)), layers)
        others = (task.loop_label, task.outer.notify, *task.outer.environment)
        self._need((text for value in others for text in texts_of(value)), layers)
        conditions = [] if task.module == "ansible.builtin.debug" else [*task.spec.expressions(task.args).values()]
        if not self.options.check and task.outer.check_mode is None:  # in check mode a module may be skipped
            conditions += [task.changed_when, task.failed_when, task.until]
        for value in conditions:  # of several only the first is surely looked at
            self._need_condition(value[:1] if isinstance(value, list | tuple) else [value], layers)
        self.entries(task.included or (), strong)

    def _surely_runs(self, task: Task, layers: Layers) -> bool:
        scope = Scope(self.templar, layers)
        try:
            if task.loop is not None and not self.templar.render(task.loop, scope):
                return False
        except TemplateFailed:
            self._need([] if task.outer.when else texts_of(task.loop), layers)
            return False
        try:
            for condition in task.outer.when:
                self._need_condition([condition], layers)
                if (self.templar.evaluate(condition, scope) if isinstance(condition, Text) else condition) is not True:
                    return False
        except TemplateFailed:
            return False
        return True

    def _need_condition(self, conditions: Iterable[Any], layers: Layers) -> None:
        for text in conditions:
            if isinstance(text, Text):
                self._need_of(text, self.templar.parse(text, expression=True), layers, ())

    def _need(self, texts: Iterable[Text], layers: Layers, seen: tuple[str, ...] = ()) -> None:
        for text in texts:
            if text.is_template:
                self._need_of(text, self.templar.parse(text), layers, seen)

    def _need_of(self, text: Text, tree: nodes.Template, layers: Layers, seen: tuple[str, ...]) -> None:
        """Refuses the text if it needs a name that no layer has, be it by way of other variables."""
        # Of a list or mapping that stands there by its name alone, all that is in it is asked for.
        whole = [node for output in tree.find_all(nodes.Output) for node in output.nodes]
        own = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
        for asked in (asked for node in tree.body for asked in _asked(node)):
            name = asked.name
            if name in own or self.templar.is_global(name):
                continue
            if name in seen:
                refuse(text.where, f"the variable {name!r} is made from itself", "give one of the two another name")
            layer = next((layer for layer in layers if name in layer), None)
            if layer is None:
                known = {name for layer in layers for name in layer}
                cure = refused.NAMES.get(name) or (self.item_is if name == "item" else close_to(name, known))
                if name.startswith("ansible_"):
                    ours = sorted(name for name in known if name.startswith("ansible_"))
                    cure = f"facts about machines are never gathered; there are: {', '.join(ours)}"
                if name in self.left_out:
                    cure = f"the task at {self.left_out[name].where} would set it, but the flags leave it out"
                where = text.where.moved(asked.lineno - 1) if "\n" in text else text.where
                refuse(where, f"{name!r} is undefined", cure or "set it in vars, by register or -e, or use default()")
            elif not isinstance(layer, _Later) and (isinstance(layer[name], Text) or asked in whole):
                self._need(texts_of(layer[name]), layers, (*seen, name))


def _asked(node: nodes.Node | None) -> Iterator[nodes.Name]:
    """The names whose value a template cannot do without."""
    children: Iterable[nodes.Node | None] = ()
    if isinstance(node, nodes.Name):
        yield node
    elif isinstance(node, nodes.And | nodes.Or):
        children = [node.left]
    elif isinstance(node, nodes.If | nodes.CondExpr):
        children = [node.test]
    elif isinstance(node, nodes.For):
        children = [node.iter]
    elif isinstance(node, nodes.Compare):  # nothing is in [], be it defined or not
        first = node.ops[0]
        children = [first.expr] if first.op in ("in", "notin") else [node.expr, first.expr]
    elif isinstance(node, _BINARY):
        children = node.iter_child_nodes()
    elif (
        isinstance(node, _UNARY)
        or (isinstance(node, nodes.Filter) and node.name not in EXCUSING)
        or (isinstance(node, nodes.Test) and node.name in TESTS)
    ):
        children = [node.node]
    for child in children:
        yield from _asked(child)
