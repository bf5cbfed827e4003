"""One process for one run directory."""

import errno
import json
import os
import socket
import sys
import time
from pathlib import Path
from types import TracebackType

from catallax.core.errors import EnvironmentFailure, LockedError

if sys.platform == "win32":
    _HAS_FLOCK = False
else:
    import fcntl

    _HAS_FLOCK = True

LOCK_NAME = "LOCK"
# A file system without locks (some network mounts) answers with one of these.
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


class RunLock:
    """Holds a run directory for this process, as a context manager.

    With `flock` the kernel lets go when the process dies, however it dies, so a lock is never stale. Without
    it (Windows, some network mounts) the file itself is the lock, created exclusively; if its owner was
    killed it must be deleted.

    Raises:
        LockedError: another process holds the directory; the message names its process id and host.
        EnvironmentFailure: the lock file cannot be made.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / LOCK_NAME
        self._fd: int | None = None
        self._exclusive_file = False

    def __enter__(self) -> "RunLock":
        try:
            if not (_HAS_FLOCK and self._flock()):
                self._create()
        except OSError as error:
            raise EnvironmentFailure(f"{self.path}: cannot lock the run directory: {error.strerror or error}") from None
        self._sign()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        try:
            if self._exclusive_file:
                self.path.unlink(missing_ok=True)
            else:
                os.ftruncate(fd, 0)  # the file stays: removing it would let two processes lock two files of one name
        except OSError:
            return  # the directory is gone or full; the lock itself ends with the descriptor
        finally:
            os.close(fd)

    def _flock(self) -> bool:
        """Takes the kernel's lock; False where the file system has none."""
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise self._locked("wait for it, stop it, or choose another directory") from None
        except OSError as error:
            os.close(fd)
            if error.errno in _NO_LOCKS:
                return False
            raise
        self._fd = fd
        return True

    def _create(self) -> None:
        """Takes the directory by being the one who creates a file."""
        self.path = self.path.with_name(f"{LOCK_NAME}.exclusive")
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            raise self._locked(f"if that process is gone, delete {self.path}") from None
        self._exclusive_file = True

    def _sign(self) -> None:
        owner = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
        assert self._fd is not None
        try:
            os.ftruncate(self._fd, 0)
            os.write(self._fd, json.dumps(owner).encode())
        except OSError as error:
            self.__exit__(None, None, None)
            raise EnvironmentFailure(f"{self.path}: cannot be written: {error.strerror or error}") from None

    def _locked(self, advice: str) -> LockedError:
        try:
            owner = json.loads(self.path.read_text())
            who = f"process {owner['pid']} on {owner['host']} since {owner['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            who = "another process"
        return LockedError(f"{self.path.parent} is in use by {who}; {advice}")
