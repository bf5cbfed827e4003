"""Stopping a run in good order: Ctrl-C and termination signals, and a thread for work that cannot be
interrupted.

JAX compiles and computes inside calls that Python signals cannot break. So all of it happens in one worker
thread, while the calling thread waits, shows progress, writes files and listens. On the first signal it lets
the chunk end; if that takes longer than `GRACE` seconds it leaves without it, which loses nothing that was
saved.
"""

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

GRACE = 4.0
"""Seconds that a running computation is given to end after the first request to stop."""
_POLL = 0.05


@contextmanager
def stop_on_signal(say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Turns the first Ctrl-C (or SIGTERM) into a request that the yielded function reports.

    The second raises KeyboardInterrupt at once.

    Outside the main thread, where Python allows no signal handlers, the yielded function is always False.

    Args:
        say: told once, at the first signal, what happens next.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    request = _Request(say)
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(n, request.handle) for n in numbers]
    try:
        yield request.made
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


class _Request:
    """A wish to stop. The handler only takes note: printing from it could meet a half-made print."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._signals, self._said = say, 0, False

    def handle(self, number: int, frame: Any) -> None:
        self._signals += 1
        if self._signals > 1:
            raise KeyboardInterrupt

    def made(self) -> bool:
        if self._signals and not self._said:
            self._said = True
            self._say("stopping: the running chunk is finished and saved first; Ctrl-C once more stops at once")
        return self._signals > 0


class Worker:
    """One daemon thread that computes what it is given, one call at a time.

    A call that outlives the grace is abandoned: it goes on in its thread, and its result is never looked at.
    A process that ends after that should end with `os._exit`, because a normal exit would wait for it.

    Args:
        should_stop: asked a few times a second while a call runs.
        tick: called as often, to keep progress moving.
        setting: a context manager entered in the thread for its whole life (JAX's configuration is per
            thread).
    """

    def __init__(self, should_stop: Callable[[], bool], tick: Callable[[], None], setting: Any) -> None:
        self._should_stop, self._tick, self._setting = should_stop, tick, setting
        self._asked: queue.SimpleQueue = queue.SimpleQueue()
        self._answers: queue.SimpleQueue = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="catallax-compute", daemon=True)
        self._thread.start()

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """`function(*args)`, computed in the thread.

        Raises:
            Interrupted: a stop was asked for and the call did not end within the grace.
            Exception: whatever the function raised.
        """
        self._asked.put((function, args))
        deadline = None
        while True:
            try:
                value, error = self._answers.get(timeout=_POLL)
                break
            except queue.Empty:
                self._tick()
            if deadline is None and self._should_stop():
                deadline = time.monotonic() + GRACE
            if deadline is not None and time.monotonic() > deadline:
                # not at the top: it loads jax, and a program wants the signals in hand before that
                from catallax.core.errors import Interrupted

                raise Interrupted(
                    "stopped; the chunk that was running is lost, all before it is saved: resume continues"
                )
        if error is not None:
            raise error
        return value

    def close(self) -> None:
        """Lets the thread end after its present call; does not wait for it."""
        self._asked.put(None)

    def _serve(self) -> None:
        with self._setting:
            while (job := self._asked.get()) is not None:
                function, args = job
                try:
                    answer = (function(*args), None)
                except BaseException as error:  # carried to the thread that asked
                    answer = (None, error)
                self._answers.put(answer)
                del job, function, args, answer
