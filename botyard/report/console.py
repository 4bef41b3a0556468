"""The console on a terminal: one line for each finished task, live lines for those that run."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.text import Text

from botyard.contracts import Diff
from botyard.report.plain import diff_lines, failure_lines, first_line, harmless, recap
from botyard.report.records import Clock, ItemRecord, Listener, PlayRecord, RunReport, Status, TaskRecord

_LOOK: dict[Status, tuple[str, str]] = {
    "ok": ("✔", "green"),
    "changed": ("●", "yellow"),
    "skipped": ("∙", "bright_black"),
    "failed": ("✘", "bold red"),
    "ignored": ("✘", "magenta"),
    "rescued": ("✘", "magenta"),
    "interrupted": ("■", "bold red"),
}


class Rich(Listener):
    """Live console; several lanes show their playbook's name."""

    def __init__(self, *, show_diff: bool = False, debug: bool = False, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._show_diff = show_diff
        self._debug = debug
        self._clock = Clock()
        self._running: dict[int, tuple[TaskRecord, Spinner, str]] = {}
        self._live = Live(
            get_renderable=self._status,
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stderr=True,
        )
        self._live.start()

    def _status(self) -> RenderableType:
        rows: list[RenderableType] = []
        room = max(20, self._console.width - 2)
        for task, spinner, line in list(self._running.values()):
            head = f"{_lane(task.lane)}{escape(task.name)}"
            seconds = self._clock.now() - task.started_s
            tail = f"  [dim]{escape(line)}[/]" if line else ""
            text = Text.from_markup(harmless(f"{head} [cyan]{seconds:.0f} s[/]{tail}"))
            text.truncate(room, overflow="ellipsis")
            spinner.update(text=text)
            rows.append(spinner)
        return Group(*rows)

    def _print(self, markup: str) -> None:
        self._console.print(harmless(markup), soft_wrap=True)

    def play_started(self, play: PlayRecord) -> None:
        if not play.lane:
            self._print("")
        self._print(f"{_lane(play.lane)}[bold]{escape(play.name)}[/]")

    def task_started(self, task: TaskRecord) -> None:
        self._running[id(task)] = (task, Spinner("dots", style="cyan"), "")

    def progress(self, task: TaskRecord, line: str) -> None:
        if id(task) in self._running:
            _, spinner, _ = self._running[id(task)]
            self._running[id(task)] = (task, spinner, first_line(line))

    def item_done(self, task: TaskRecord, item: ItemRecord) -> None:
        mark, style = _LOOK[item.status]
        self._print(f"    {_lane(task.lane)}[{style}]{mark}[/] [dim]{escape(item.label)}[/]{_after(item.msg, 8)}")
        self._diffs(task, item.diff)

    def task_done(self, task: TaskRecord) -> None:
        self._running.pop(id(task), None)
        mark, style = _LOOK[task.status]
        seconds = f" [cyan]{task.duration_s:.1f} s[/]" if task.duration_s >= 0.1 else ""
        word = f" [{style}]{task.status}[/]" if task.status != "ok" else ""
        msg = "" if task.status == "interrupted" else _after(first_line(task.msg))
        self._print(f"  {_lane(task.lane)}[{style}]{mark}[/] {escape(task.name)}{word}{seconds}{msg}")
        if task.status in ("failed", "ignored", "rescued"):
            for line in failure_lines(task, debug=self._debug):
                self._print(f"      [red]{escape(line)}[/]")
        elif len(task.msg.splitlines()) > 1:
            for line in task.msg.splitlines()[1:]:
                self._print(f"      {escape(line)}")
        for line in task.warnings:
            self._print(f"      [yellow]warning: {escape(line)}[/]")
        self._diffs(task, task.diff)

    def _diffs(self, task: TaskRecord, diffs: list[Diff]) -> None:
        if not self._show_diff:
            return
        colours = {"+": "green", "-": "red", "@": "cyan"}
        for line in diff_lines(diffs):
            self._print(f"      [{colours.get(line[:1], 'default')}]{escape(line)}[/]")

    def finished(self, report: RunReport) -> None:
        self.close()
        lines = list(recap(report))
        heads = ("PLAY RECAP", "slowest tasks", "play ")
        for line in lines:
            style = "dim" if line.startswith(heads) else "bold" if line.startswith("all ") else ""
            if line.startswith(("failed:", "interrupted in", "  cure:")):
                style = "red"
            self._console.print(Text(harmless(line), style=style), soft_wrap=True)

    def close(self) -> None:
        self._live.stop()


def _lane(lane: str) -> str:
    return f"[blue]{escape(lane)} │[/] " if lane else ""


def _after(msg: str, indent: int = 0) -> str:
    return f"  [dim]{escape(msg)}[/]".replace("\n", "\n" + " " * indent) if msg else ""
