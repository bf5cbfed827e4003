"""Files of a run: each is written whole or not at all, and array files are verified when they are read.

A file is written in five operations: write a temporary file in the same directory, fsync it, rename it, and fsync the
directory. A reader therefore never sees half a file, and a process that is killed in between leaves a temporary file,
which the next process removes.

Arrays are stored as `safetensors` (no pickle). The header of an array file holds a hash of the whole file, so that a
copy can be checked on its own, and a description of the file: its kind, its run, and the dtypes and shapes.
"""

import errno
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from catallax.core.errors import EnvironmentFailure, FileError

FORMAT = "catallax-arrays-1"
_TEMPORARY = ".writing"
_TEMPORARY_NAME = re.compile(r"\.(.+)\.\d+\.writing")
# A name that is a link to a file elsewhere is not followed.
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_DIGITS = 64
_BLANK = b"0" * _DIGITS
# The hash follows this text. The quotes are escaped because the description is JSON text inside the JSON header.
_MARK = rb"\"sha256\":\""
# These dtypes cannot be read back by the NumPy side of safetensors; they are stored as the dtype on the right.
_AS_BITS = {"bfloat16": "uint16", "complex128": "float64"}


class Arrays(NamedTuple):
    """The content of one array file.

    Attributes:
        arrays: The arrays by name.
        about: The file's description: `kind`, `spec`, and the entries that its writer added.
    """

    arrays: dict[str, np.ndarray]
    about: dict[str, Any]


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, by the operations listed at the head of this module.

    Raises:
        EnvironmentFailure: the disk is full, or the directory is read-only or gone. An earlier file of this name is
            then unchanged.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_TEMPORARY}")
    try:
        fd = os.open(temporary, _CREATE, 0o644)
        try:
            _write_all(fd, data)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
        sync_directory(path.parent)
    except OSError as error:
        _discard(temporary)
        raise environment_failure(path, error) from None
    except BaseException:  # for instance KeyboardInterrupt, at the second Ctrl-C
        _discard(temporary)
        raise


def rename_atomically(path: Path, new: Path) -> None:
    """Rename a finished file.

    Raises:
        EnvironmentFailure: the operating system refuses. The file then has one of the two names.
    """
    try:
        os.replace(path, new)
        sync_directory(new.parent)
    except OSError as error:
        raise environment_failure(new, error) from None


def make_directory(path: Path) -> None:
    """Make a directory and its parents, and sync them to disk.

    Raises:
        EnvironmentFailure: the operating system refuses.
    """
    missing = [p for p in (path, *path.parents) if not p.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        for made in reversed(missing):
            sync_directory(made.parent)
    except OSError as error:
        raise environment_failure(path, error) from None


def remove_temporaries(directory: Path) -> int:
    """Remove the temporary files that killed processes left below `directory`, and return their number.

    Only names that `write_atomically` gives are removed, `.<name>.<process>.writing`.
    """
    stray = [path for path in directory.rglob(f".*{_TEMPORARY}") if _TEMPORARY_NAME.fullmatch(path.name)]
    for path in stray:
        _discard(path)
    return len(stray)


def sync_directory(directory: Path) -> None:
    """Sync a directory to disk, so that its renames last. Windows cannot open directories; nothing is done there."""
    if os.name == "nt":
        return
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot sync a directory
            raise
    finally:
        os.close(fd)


def environment_failure(path: Path, error: OSError) -> EnvironmentFailure:
    """The error for an operation on a file that the operating system refused; its message says what to do."""
    advice = {
        errno.ENOSPC: "free some space or choose another directory, then resume",
        errno.EDQUOT: "your quota is used up; free some space, then resume",
        errno.EROFS: "choose a directory that can be written",
        errno.EACCES: "choose a directory that can be written",
        errno.EPERM: "choose a directory that can be written",
        errno.EIO: "the disk or its connection fails; resume elsewhere from a copy",
    }.get(error.errno or 0, "nothing that was there before is lost")
    return EnvironmentFailure(f"{path}: cannot be written: {error.strerror or error}; {advice}")


def encode(arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> bytes:
    """Encode arrays as the bytes of an array file. The same input gives the same bytes.

    The hash covers every byte of the file; its own 64 digits count as zeros.

    Args:
        arrays: The arrays by name.
        about: The file's description, as values that JSON can hold.
    """
    plain, dtypes = {}, {}
    for name, value in arrays.items():
        value = np.asarray(value)
        dtypes[name] = value.dtype.name
        stored = _AS_BITS.get(value.dtype.name)
        value = np.ascontiguousarray(value).reshape(value.shape)
        plain[name] = np.atleast_1d(value).view(stored) if stored else value
    shapes = {name: list(np.shape(value)) for name, value in arrays.items()}
    about = {**about, "dtypes": dtypes, "shapes": shapes, "format": FORMAT, "sha256": _BLANK.decode()}
    # There is one entry only, because safetensors does not keep the order of several.
    metadata = {"catallax": json.dumps(about, sort_keys=True, separators=(",", ":"))}
    data = bytearray(safetensors.numpy.save(plain, metadata))
    at = data.index(_MARK) + len(_MARK)
    data[at : at + _DIGITS] = hashlib.sha256(data).hexdigest().encode()
    return bytes(data)


def decode(data: bytes, name: str) -> Arrays:
    """Decode the bytes of an array file; the inverse of `encode`.

    Args:
        data: The content of the file.
        name: The name of the file, for messages.

    Raises:
        FileError: the file is truncated, altered, or not an array file of catallax.
    """
    about = _verify(data, name)
    try:
        stored = safetensors.numpy.load(data)
        arrays = {}
        for key, value in stored.items():
            dtype = np.dtype(getattr(ml_dtypes, about["dtypes"][key], about["dtypes"][key]))
            arrays[key] = value.view(dtype).reshape(about["shapes"][key])
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"{name}: the hash is right but the arrays are not ({error}); it was not written by catallax"
        ) from None
    return Arrays(arrays, about)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> int:
    """Encode and write an array file, and return its size in bytes.

    Raises:
        EnvironmentFailure: the file cannot be written.
    """
    data = encode(arrays, about)
    write_atomically(path, data)
    return len(data)


def read_arrays(path: Path, kind: str, spec: str) -> Arrays:
    """Read and verify an array file.

    Args:
        path: The file.
        kind: The kind that the file must have: "series" or "state".
        spec: The hash of the run that the file must belong to.

    Raises:
        FileError: the file is missing, truncated, altered, of another kind, or of another run.
    """
    found = decode(read_bytes(path), str(path))
    if found.about.get("kind") != kind:
        raise FileError(f"{path}: holds {found.about.get('kind')!r}, not {kind!r}; a file was moved or renamed")
    if found.about.get("spec") != spec:
        raise FileError(f"{path}: belongs to another run ({str(found.about.get('spec'))[:8]}, not {spec[:8]})")
    return found


def read_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        FileError: the file is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from None


def file_hash(path: Path) -> str:
    """The sha256 of a file's content, 64 hexadecimal digits.

    Raises:
        FileError: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from None


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all.

    Raises:
        EnvironmentFailure: the file cannot be written.
    """
    write_atomically(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        FileError: the file is missing, cannot be read, or does not hold a JSON object.
    """
    try:
        value = json.loads(read_bytes(path).decode())
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path}: not valid JSON ({error}); the file was altered") from None
    if not isinstance(value, dict):
        raise FileError(f"{path}: a JSON object was expected; the file was altered")
    return value


def append_line(path: Path, value: Mapping[str, Any]) -> None:
    """Append one JSON line to a log, the only file that is not written whole.

    Raises:
        EnvironmentFailure: the file cannot be written.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
        try:
            _write_all(fd, json.dumps(value).encode() + b"\n")
        finally:
            os.close(fd)
    except OSError as error:
        raise environment_failure(path, error) from None


def _verify(data: bytes, name: str) -> dict[str, Any]:
    """Check the hash of an array file and return the file's description."""
    if not data:
        raise FileError(f"{name}: the file is empty; delete it and resume, the work in it is done again")
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise FileError(f"{name}: truncated at {len(data)} bytes, or not an array file")
    at = data.find(_MARK, 0, 8 + length) + len(_MARK)
    if at < len(_MARK) or at + _DIGITS > 8 + length:
        raise FileError(f"{name}: not an array file of catallax (no hash inside)")
    total = hashlib.sha256(memoryview(data)[:at])
    total.update(_BLANK)
    total.update(memoryview(data)[at + _DIGITS :])
    if total.hexdigest().encode() != data[at : at + _DIGITS]:
        raise FileError(f"{name}: truncated or altered (its hash does not match its content)")
    try:
        about = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["catallax"])
        known = about["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FileError(f"{name}: the hash is right but the header is not; it was not written by catallax") from None
    if known != FORMAT:
        raise FileError(f"{name}: written in the format {known!r}; this version of catallax reads {FORMAT!r}")
    return about


def _write_all(fd: int, data: bytes) -> None:
    """Write all bytes, also where the operating system takes only some of them at a time."""
    view = memoryview(data)
    while view:
        written = os.write(fd, view)
        if written == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        view = view[written:]


def _discard(path: Path) -> None:
    """Remove a temporary file if that is possible."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # the file has the name of a temporary; `remove_temporaries` removes it at the next start
