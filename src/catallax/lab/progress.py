"""Progress as a run shows it: a bar on a terminal, a line each ten seconds elsewhere, or nothing.

Nothing here imports jax, so that a bar can be on the screen before jax is loaded.
"""

import sys
import time
from types import TracebackType
from typing import Any, Protocol, TypeVar, runtime_checkable

P = TypeVar("P", bound="SilentProgress")


@runtime_checkable
class Progress(Protocol):
    """What `execute` tells whoever is watching. All calls come from the thread that called `execute`."""

    def stage(self, text: str) -> None:
        """What is being done now, in a few words: "compiling zic", "zic, block 1 of 2"."""

    def plan(self, total: int, done: int) -> None:
        """How many steps there are in all, and how many of them an earlier run has done already."""

    def advance(self, steps: int) -> None:
        """That many more steps are done and saved."""

    def tick(self) -> None:
        """Time has passed; called a few times a second while a computation runs."""

    def note(self, text: str) -> None:
        """A line the user should read."""


class SilentProgress:
    """Shows nothing."""

    def stage(self, text: str) -> None:
        """Nothing."""

    def plan(self, total: int, done: int) -> None:
        """Nothing."""

    def advance(self, steps: int) -> None:
        """Nothing."""

    def tick(self) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def __enter__(self: P) -> P:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class LineProgress(SilentProgress):
    """One plain line when it starts and then at most one each `interval` seconds, for logs and pipes."""

    def __init__(self, title: str, stream: Any = None, interval: float = 10.0) -> None:
        self.title, self.stream, self.interval = title, stream or sys.stderr, interval
        self.text, self.total, self.done, self.before = "starting", 0, 0, 0
        self.began = self.running = self.last = time.monotonic()
        self._print()

    def stage(self, text: str) -> None:
        """Remembered, and shown with the next line."""
        self.text = text
        self.tick()

    def plan(self, total: int, done: int) -> None:
        """Starts the clock of the time left."""
        self.total, self.done, self.before, self.running = total, done, done, time.monotonic()

    def advance(self, steps: int) -> None:
        """Shown with the next line."""
        self.done += steps
        self.tick()

    def tick(self) -> None:
        """Prints a line if the last one is `interval` seconds old."""
        if time.monotonic() - self.last >= self.interval:
            self._print()

    def note(self, text: str) -> None:
        """Printed at once."""
        print(f"{self.title}: {text}", file=self.stream, flush=True)

    def _print(self) -> None:
        self.last = time.monotonic()
        share = f", {100 * self.done / self.total:.0f} %" if self.total else ""
        print(f"{self.title}: {self.text}{share}{self._left()}", file=self.stream, flush=True)

    def _left(self) -> str:
        new = self.done - self.before
        if new <= 0:
            return ""
        seconds = (time.monotonic() - self.running) / new * (self.total - self.done)
        return f", about {duration(seconds)} left"


class BarProgress(SilentProgress):
    """A bar with the time left, drawn at once. Use as a context manager, so that the terminal is put back in
    order.
    """

    def __init__(self, title: str, console: Any = None) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[title]}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.description}"),
            console=console or Console(stderr=True),
            transient=True,
            speed_estimate_period=120.0,
        )
        self.task = self.bar.add_task("starting", total=None, title=title)
        self.bar.start()

    def stage(self, text: str) -> None:
        """Shown to the right of the bar."""
        self.bar.update(self.task, description=text)

    def plan(self, total: int, done: int) -> None:
        """Gives the bar its length."""
        self.bar.reset(self.task, total=total, completed=done)

    def advance(self, steps: int) -> None:
        """Moves the bar."""
        self.bar.advance(self.task, steps)

    def note(self, text: str) -> None:
        """Printed above the bar."""
        self.bar.console.print(text, highlight=False, markup=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()


def choose_progress(title: str, quiet: bool = False) -> SilentProgress | LineProgress | BarProgress:
    """A bar if standard error is a terminal, lines if it is not, nothing if `quiet`. A context manager."""
    if quiet:
        return SilentProgress()
    return BarProgress(title) if sys.stderr.isatty() else LineProgress(title)


def duration(seconds: float | int) -> str:
    """A time as people say it: "45 s", "3 min", "2 h 10 min"."""
    seconds = max(seconds, 0.0)
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
