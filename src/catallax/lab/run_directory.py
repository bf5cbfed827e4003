"""The directory of a run: the paths of its files, the specification of the run, and the lock of the directory.

runs/<experiment>-<scale>-<hash8>/
  spec.json                     the specification of the run, and the settings that make it
  manifest.json                 what the run is, where and with what it was computed, the data dictionary
  inputs/<setting>.<suffix>     copies of the user's files
  cells/<cell>/block-000/
    chunk-00000000.safetensors  what the measures recorded from step 0 on; written once
    checkpoint.safetensors      the state after the last chunk; replaced at each chunk
    final.safetensors           the checkpoint of a finished block
  log.jsonl                     one line for each event
  LOCK                          the process that works in the directory; empty if there is none
"""

import errno
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import filelock
import msgspec

from catallax.core.errors import EnvironmentFailure, FileError, InputError, LockedError
from catallax.lab import files
from catallax.lab.experiment import Experiment, S
from catallax.lab.settings import as_builtins, file_fields, from_builtins
from catallax.lab.specification import FORMAT, difference, specification_hash

_LOCK = "LOCK"
_SOFT_LOCK = "LOCK.exclusive"
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)  # the answers of a file system that has no locks
_CHUNK = re.compile(r"chunk-(\d{8,})\.safetensors")


@dataclass(frozen=True)
class BlockFiles:
    """The files of one block of replications of one cell."""

    directory: Path

    @property
    def checkpoint(self) -> Path:
        """The state after the last chunk of an unfinished block."""
        return self.directory / "checkpoint.safetensors"

    @property
    def final(self) -> Path:
        """The state of a finished block. A block is finished if this file exists."""
        return self.directory / "final.safetensors"

    def chunk(self, start: int) -> Path:
        """The series of the chunk that begins with step `start`."""
        return self.directory / f"chunk-{start:08d}.safetensors"

    def chunks(self) -> list[Path]:
        """The chunk files that exist, in the order of their steps."""
        found = [(int(m[1]), p) for p in self.directory.glob("chunk-*") if (m := _CHUNK.fullmatch(p.name))]
        return [p for _, p in sorted(found)]


class StoredSpecification(NamedTuple):
    """The content of spec.json.

    Attributes:
        sha256: The hash of `spec`.
        settings: The settings as JSON values; the paths of the user's files are relative to the run directory.
        spec: The specification.
    """

    sha256: str
    settings: dict[str, Any]
    spec: dict[str, Any]


class Request(NamedTuple):
    """All arguments of `execute` that can change a number of a run, as they were when the run began.

    Attributes:
        experiment: The experiment, with the replications and the block width of the run.
        settings: Its settings; the user's files are the copies in the run directory.
        scale_name: The name of the scale.
        seed: The seed.
    """

    experiment: Experiment
    settings: Any
    scale_name: str
    seed: int


class RunDirectory(PathLike[str]):
    """The directory of one run. It is a path wherever a path is expected.

    Args:
        path: Where the directory is, or will be.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self._stored: StoredSpecification | None = None

    @classmethod
    def at(cls, path: str | PathLike[str]) -> "RunDirectory":
        """The run directory at a path. A run directory is returned as it is, so that its specification is read once."""
        return path if isinstance(path, cls) else cls(path)

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def spec(self) -> Path:
        """The specification. A directory holds a run if this file exists."""
        return self.path / "spec.json"

    @property
    def manifest(self) -> Path:
        """The manifest of the run; see `catallax.lab.manifest`."""
        return self.path / "manifest.json"

    @property
    def log(self) -> Path:
        """One JSON line for each event."""
        return self.path / "log.jsonl"

    @property
    def inputs(self) -> Path:
        """Copies of the user's files."""
        return self.path / "inputs"

    def block(self, cell: str, block: int) -> BlockFiles:
        """The files of one block."""
        return BlockFiles(self.path / "cells" / cell / f"block-{block:03d}")

    def stored(self) -> StoredSpecification:
        """The specification of the run in the directory. It is read and verified once.

        Raises:
            FileError: the directory holds no run, or spec.json was altered (the hash in it does not match).
        """
        if self._stored is None:
            if not self.spec.exists():
                raise FileError(f"{self.path}: not a run (it has no {self.spec.name})")
            found = files.read_json(self.spec)
            spec, settings = found.get("spec"), found.get("settings")
            if not isinstance(spec, dict) or not isinstance(settings, dict):
                raise FileError(f"{self.spec}: altered (an entry is missing)")
            if found.get("sha256") != specification_hash(spec):
                raise FileError(f"{self.spec}: altered (its hash does not match its content)")
            if spec.get("format") != FORMAT:
                raise FileError(f"{self.spec}: format {spec.get('format')!r}; this version of catallax reads {FORMAT}")
            self._stored = StoredSpecification(found["sha256"], settings, spec)
        return self._stored

    def request(self, experiment: Experiment) -> Request:
        """The arguments with which the run in the directory was begun.

        Args:
            experiment: The experiment of the run. Another number of replications or block width is replaced by that of
                the run.

        Raises:
            FileError: the directory holds no run, or spec.json was altered.
            InputError: the run is of another experiment, or its scale or settings do not exist in this version.
        """
        stored = self.stored()
        if stored.spec["experiment"] != experiment.name:
            raise InputError(f"{self.path}: a run of {stored.spec['experiment']}, not of {experiment.name}")
        scale = stored.spec["scale"]
        experiment = experiment.resized(scale["name"], replications=scale["replications"], block=scale["block"])
        settings = from_builtins(experiment.settings, stored.settings)
        inputs = {field: self.path.absolute() / path for field, path in file_fields(settings).items()}
        return Request(experiment, msgspec.structs.replace(settings, **inputs), scale["name"], stored.spec["seed"])

    def check(self) -> None:
        """Refuse a path that cannot become a run directory. Nothing is written.

        Raises:
            InputError: the path or a part of it is a file, the directory holds something else than a run, or a file of
                the run is a link to a place elsewhere.
        """
        for part in (self.path, *self.path.parents):
            if part.exists() and not part.is_dir():
                raise InputError(f"{self.path}: {part} is a file; choose a directory")
        for name in (_LOCK, _SOFT_LOCK, "spec.json", "manifest.json", "log.jsonl", "inputs", "cells"):
            if (self.path / name).is_symlink():
                raise InputError(f"{self.path / name} is a link, and nothing is written through links; remove it")
        if self.path.is_dir() and not self.spec.exists():
            ours = {_LOCK, _SOFT_LOCK, self.log.name, self.inputs.name} if self._was_begun() else set()
            other = sorted(p.name for p in self.path.iterdir() if p.name not in ours and not p.name.startswith("."))
            if other:
                raise InputError(f"{self.path}: not a run, but it holds {other[0]!r}; choose a new or empty directory")

    def _was_begun(self) -> bool:
        """Whether a process of ours was killed here before it had written the specification: it leaves its lock."""
        path = self.path / _LOCK
        try:
            text = path.read_text() if path.is_file() else None
            return text == "" or (text is not None and "pid" in json.loads(text))
        except (OSError, ValueError, TypeError):
            return False

    def open(self, spec: dict[str, Any], settings: S) -> S:
        """Continue the run in the directory if it has this specification, or begin a run. The directory must be locked.

        Returns:
            The settings; the user's files are replaced by their copies in the directory.

        Raises:
            InputError: the directory holds another run; the message shows the difference.
            FileError: the specification or a copied file was altered.
            EnvironmentFailure: the directory cannot be written.
        """
        files.remove_temporaries(self.path)
        fresh = not self.spec.exists()
        if not fresh and self.stored().spec != spec:
            raise InputError(
                f"{self.path} holds another run: {difference(self.stored().spec, spec)}; "
                "choose another directory, or the settings it was made with"
            )
        copies = self._copy_inputs(spec, settings)
        settings = msgspec.structs.replace(settings, **copies)
        if fresh:
            values = as_builtins(settings)
            values.update({field: f"{self.inputs.name}/{copy.name}" for field, copy in copies.items()})
            self._stored = StoredSpecification(specification_hash(spec), values, spec)
            files.write_json(self.spec, self._stored._asdict())
        return settings

    def clear(self, *, whole: bool) -> None:
        """Remove the files of a run that has not computed anything.

        Args:
            whole: Whether the directory is removed too.
        """
        if whole:
            shutil.rmtree(self.path, ignore_errors=True)
            return
        shutil.rmtree(self.inputs, ignore_errors=True)
        for path in (self.spec, self.manifest, self.log, self.path / _LOCK):
            path.unlink(missing_ok=True)

    def _copy_inputs(self, spec: dict[str, Any], settings: msgspec.Struct) -> dict[str, Path]:
        """Copy the user's files into the directory, unless they are there; returns setting -> copy."""
        copies = {}
        for field, path in file_fields(settings).items():
            copy = (self.inputs / f"{field}{path.suffix}").absolute()
            if not copy.exists():
                files.make_directory(self.inputs)
                files.write_atomically(copy, files.read_bytes(path))
            if files.file_hash(copy) != spec["settings"][field]["sha256"]:
                raise FileError(f"{copy}: not the file this run began with; it was altered, or {path} changed just now")
            copies[field] = copy
        return copies


@contextmanager
def locked(directory: str | PathLike[str]) -> Iterator[None]:
    """Hold a run directory for this process.

    The lock is the operating system's and ends with the process, also if the process is killed. On a file system
    without locks (some network mounts) it is a second file, which has to be deleted by hand if its owner was killed.

    Raises:
        LockedError: another process holds the directory; the message names its process id and host.
        EnvironmentFailure: the lock file cannot be made.
    """
    path = Path(directory) / _LOCK
    lock = _acquire(path)
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
    try:
        with suppress(OSError):  # the name of the owner is for messages only; the lock does not need it
            path.write_text(json.dumps(owner))
        yield
    finally:
        # The file stays: if it were removed, two processes could lock two files of one name.
        with suppress(OSError):
            os.truncate(path, 0)
        lock.release()


def _acquire(path: Path) -> filelock.BaseFileLock:
    """Take the lock of a directory, or fail at once."""
    advice = "wait for it, stop it, or choose another directory"
    lock: filelock.BaseFileLock = filelock.FileLock(path, blocking=False)
    try:
        try:
            lock.acquire()
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            soft = path.with_name(_SOFT_LOCK)
            advice = f"if that process is gone, delete {soft}"
            lock = filelock.SoftFileLock(soft, blocking=False)
            lock.acquire()
    except filelock.Timeout:
        raise LockedError(f"{path.parent} is in use by {_owner(path)}; {advice}") from None
    except OSError as error:
        raise EnvironmentFailure(f"{path}: cannot lock the run directory: {error.strerror or error}") from None
    return lock


def _owner(path: Path) -> str:
    """A text that names the process that holds a lock."""
    try:
        owner = json.loads(path.read_text())
        return f"process {owner['pid']} on {owner['host']} since {owner['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
