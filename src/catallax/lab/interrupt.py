"""How a run is stopped: Ctrl-C, termination signals, and a thread for work that cannot be interrupted.

JAX compiles and computes inside calls that Python signals cannot interrupt. All of these calls are therefore made in
one worker thread, while the calling thread waits, shows progress, writes files and receives signals. After the first
signal, the calling thread waits for the end of the chunk, at most for `GRACE` seconds. Then it abandons the chunk;
everything that was saved stays valid.
"""

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

GRACE = 4.0
"""How many seconds a running computation has to end after the first request to stop."""
_POLL = 0.05  # seconds between two looks at the requests to stop


@contextmanager
def stop_on_signal(say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT (Ctrl-C) or SIGTERM into a request, which the yielded function reports.

    The second signal raises KeyboardInterrupt at once. A signal that the process ignores from its start stays ignored:
    a shell starts programs in the background so, and `nohup` does the same for other signals. Outside the main thread
    Python allows no signal handlers, and the yielded function always returns False.

    Args:
        say: Called once, after the first signal, with a sentence on what happens next.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    request = _Request(say)
    heard = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, request.handle) for number in heard}
    try:
        yield request.made
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Request:
    """A request to stop. The signal handler only counts, because it may run in the middle of another print."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._signals, self._announced = say, 0, False

    def handle(self, number: int, frame: Any) -> None:
        self._signals += 1
        if self._signals > 1:
            raise KeyboardInterrupt

    def made(self) -> bool:
        if self._signals and not self._announced:
            self._announced = True
            self._say("stopping: the running chunk is finished and saved first; Ctrl-C once more stops at once")
        return self._signals > 0


class Worker:
    """One daemon thread that runs the functions it is given, one at a time.

    After a request to stop, a call that takes longer than `GRACE` is abandoned: it continues in its thread, and its
    result is dropped. The process should then end with `os._exit`, because a normal exit would wait for the call.

    Args:
        should_stop: Whether a stop was requested; asked a few times a second while a call runs.
        tick: Called a few times a second while a call runs, so that progress is shown.
        setting: A context manager that the thread enters once (the configuration of JAX belongs to a thread).
    """

    def __init__(self, should_stop: Callable[[], bool], tick: Callable[[], None], setting: Any) -> None:
        self._should_stop, self._tick, self._setting = should_stop, tick, setting
        self._asked: queue.SimpleQueue = queue.SimpleQueue()
        self._answers: queue.SimpleQueue = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="catallax-compute", daemon=True)
        self._thread.start()

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run `function(*args)` in the thread and return its value.

        Raises:
            Interrupted: a stop was requested and the call did not end within the grace.
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
                # This import loads jax. It is not at the head of the file, so that signals can be handled before that.
                from catallax.core.errors import Interrupted

                raise Interrupted(
                    "stopped; the chunk that was running is lost, all before it is saved: resume continues"
                )
        if error is not None:
            raise error
        return value

    def close(self) -> None:
        """Let the thread end after its present call, without waiting for it."""
        self._asked.put(None)

    def _serve(self) -> None:
        """The loop of the thread: it runs one function after the other until it is given None."""
        with self._setting:
            while (job := self._asked.get()) is not None:
                function, args = job
                try:
                    answer = (function(*args), None)
                except BaseException as error:  # raised again in the calling thread
                    answer = (None, error)
                self._answers.put(answer)
                del job, function, args, answer
