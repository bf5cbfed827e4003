"""How a run shows its progress: a bar on a terminal, a line every ten seconds elsewhere, or nothing.

This file does not import jax, so that a bar can be shown before jax is loaded.
"""

import sys
import time
from types import TracebackType
from typing import Any, Protocol, TypeVar, runtime_checkable

P = TypeVar("P", bound="SilentProgress")


@runtime_checkable
class Progress(Protocol):
    """The calls by which `execute` reports its progress. They are made in the thread that called `execute`."""

    def stage(self, text: str) -> None:
        """Report what is done now, in a few words: "compiling zic", "zic, block 1 of 2"."""

    def plan(self, total: int, done: int) -> None:
        """Report the number of all steps, and how many of them an earlier process has done."""

    def advance(self, steps: int) -> None:
        """Report that this number of further steps is done and saved."""

    def tick(self) -> None:
        """Called a few times a second while a computation runs."""

    def note(self, text: str) -> None:
        """Report a sentence that the user should read."""


class SilentProgress:
    """Progress that is not shown, and the base of progress that is; see `Progress` for the methods."""

    def stage(self, text: str) -> None:
        """Show nothing."""

    def plan(self, total: int, done: int) -> None:
        """Show nothing."""

    def advance(self, steps: int) -> None:
        """Show nothing."""

    def tick(self) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""

    def __enter__(self: P) -> P:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class LineProgress(SilentProgress):
    """A line at the start and then at most one line every `interval` seconds, for logs and pipes."""

    def __init__(self, title: str, stream: Any = None, interval: float = 10.0) -> None:
        self.title, self.stream, self.interval = title, stream or sys.stderr, interval
        self.text, self.total, self.done, self.before = "starting", 0, 0, 0
        self.began = self.running = self.last = time.monotonic()
        self._print()

    def stage(self, text: str) -> None:
        """Show the stage with the next line."""
        self.text = text
        self.tick()

    def plan(self, total: int, done: int) -> None:
        """Start the clock for the estimate of the remaining time."""
        self.total, self.done, self.before, self.running = total, done, done, time.monotonic()

    def advance(self, steps: int) -> None:
        """Show the steps with the next line."""
        self.done += steps
        self.tick()

    def tick(self) -> None:
        """Print a line if the last one is `interval` seconds old."""
        if time.monotonic() - self.last >= self.interval:
            self._print()

    def note(self, text: str) -> None:
        print(f"{self.title}: {text}", file=self.stream, flush=True)

    def _print(self) -> None:
        """Print a line."""
        self.last = time.monotonic()
        share = f", {100 * self.done / self.total:.0f} %" if self.total else ""
        print(f"{self.title}: {self.text}{share}{self._left()}", file=self.stream, flush=True)

    def _left(self) -> str:
        """The remaining time in words; empty before the first steps of this process."""
        new = self.done - self.before
        if new <= 0:
            return ""
        seconds = (time.monotonic() - self.running) / new * (self.total - self.done)
        return f", about {duration(seconds)} left"


class BarProgress(SilentProgress):
    """A bar with the remaining time. It is a context manager, which restores the terminal at the end."""

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
        """Show the stage to the right of the bar."""
        self.bar.update(self.task, description=text)

    def plan(self, total: int, done: int) -> None:
        """Set the length of the bar."""
        self.bar.reset(self.task, total=total, completed=done)

    def advance(self, steps: int) -> None:
        self.bar.advance(self.task, steps)

    def note(self, text: str) -> None:
        """Print the sentence above the bar."""
        self.bar.console.print(text, highlight=False, markup=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()


def choose_progress(title: str, quiet: bool = False) -> SilentProgress | LineProgress | BarProgress:
    """A bar if standard error is a terminal, lines if it is not, nothing if `quiet`; a context manager."""
    if quiet:
        return SilentProgress()
    return BarProgress(title) if sys.stderr.isatty() else LineProgress(title)


def duration(seconds: float | int) -> str:
    """A time in words: "45 s", "3 min", "2 h 10 min"."""
    seconds = max(seconds, 0.0)
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
