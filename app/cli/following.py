"""How the progress of a run looks: a bar for each stage in a terminal, plain lines anywhere else."""

from time import monotonic
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.text import Text

from app.cli.welcome import say

# A log that nobody watches needs no more than a line now and then.
LINE_SECONDS = 2.0
ENDED = {"SUCCEEDED", "FAILED", "CANCELLED", "SKIPPED"}
MARKS = {
    "PENDING": ("·", "dim"),
    "SUCCEEDED": ("✓", "green"),
    "FAILED": ("✗", "bold red"),
    "CANCELLED": ("✗", "yellow"),
    "SKIPPED": ("-", "dim"),
}

Event = dict[str, Any]


class View(Protocol):
    """What shows the events of a run."""

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End to show."""
        ...

    def show(self, event: Event) -> None:
        """Show an event."""
        ...

    def note(self, line: str) -> None:
        """Say a line besides."""
        ...


def view_for(console: Console) -> View:
    """Choose how progress looks here."""
    return Bars(console) if console.is_terminal else Lines(console)


class Lines:
    """Says a line when a stage begins to count, now and then while it does, and when it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said_at = 0.0
        self._states: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, event: Event) -> None:
        """Show what an event changed: each stage that ended, where the running one is, and a new try."""
        now = monotonic()
        for stage in event["run"]["stages"]:
            name, state = stage["stage"], stage["state"]
            fresh = self._states.get(name, "PENDING") != state
            if state in ENDED and fresh:
                self.note(f"{name:<9}{state.lower():<10} {_told(stage)}".rstrip())
            elif state == "RUNNING" and now - self._said_at > LINE_SECONDS:
                self._said_at = now
                self.note(f"{name:<9}{'running':<10} {_told(stage)}{_left(event['run'])}".rstrip())
            self._states[name] = state
        if event["kind"] == "RETRY" and event["message"]:
            self.note(event["message"])

    def note(self, line: str) -> None:
        """Say a line."""
        say(self._console, line)


class Bars:
    """Shows a bar for each stage."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            _Mark(),
            TextColumn("{task.description:<8}"),
            BarColumn(bar_width=24, complete_style="cyan", finished_style="green"),
            TextColumn("{task.fields[told]}", style="dim"),
            console=console,
            # Results on standard output may go to the same terminal; they must not be redrawn.
            redirect_stdout=False,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Move the bars to where an event says the stages are."""
        run = event["run"]
        for stage in run["stages"]:
            name, state = stage["stage"], stage["state"]
            if name not in self._tasks:
                self._tasks[name] = self._progress.add_task(name, total=1, start=False, told="", state="PENDING")
            done, total = stage["done"], stage["total"]
            if state in ENDED:
                # What was skipped has an empty bar: nothing of it was done.
                done, total = (0 if state == "SKIPPED" else 1), 1
            elif state == "PENDING":
                done, total = 0, 1
            left = _left(run) if state == "RUNNING" else ""
            self._progress.update(
                self._tasks[name], completed=done, total=total, told=f"{_told(stage)}{left}", state=state
            )
            if state != "PENDING":
                self._progress.start_task(self._tasks[name])
        if event["kind"] == "RETRY" and event["message"]:
            self.note(event["message"])

    def note(self, line: str) -> None:
        """Say a line above the bars."""
        say(self._progress.console, line)


class _Mark(ProgressColumn):
    """A spinner while a stage runs, then how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self._spinner = SpinnerColumn()

    def render(self, task: Task) -> Any:
        """Draw it."""
        state = task.fields["state"]
        return Text(*MARKS[state]) if state in MARKS else self._spinner.render(task)


def _told(stage: Event) -> str:
    """Say in words how a stage stands."""
    if stage["note"] and stage["state"] in ENDED:
        return str(stage["note"])
    if stage["state"] == "PENDING" or stage["unit"] is None:
        return ""
    if stage["unit"] == "percent":
        return f"{stage['done']} %"
    of = f" of {stage['total']:,}" if stage["total"] is not None else ""
    return f"{stage['done']:,}{of} {stage['unit']}"


def _left(run: Event) -> str:
    seconds = run["etaSeconds"]
    if seconds is None or seconds < 1:
        return ""
    return f", about {seconds:.0f} s left" if seconds < 90 else f", about {seconds / 60:.0f} min left"
