"""Opening a run directory: new, empty, or holding the same run; and leaving no trace where a run never began."""

import shutil
from typing import Any

import msgspec

from catallax.core.errors import FileError, InputError
from catallax.lab import store
from catallax.lab.layout import RunFiles
from catallax.lab.lock import LOCK_NAME
from catallax.lab.settings import as_builtins, file_fields
from catallax.lab.spec import difference, file_hash, read_spec, spec_hash


def check_directory(files: RunFiles) -> None:
    """Refuses what cannot become a run directory; touches nothing.

    Raises:
        InputError: the path or a part of it is a file, or the directory holds something else.
    """
    path = files.directory
    for part in (path, *path.parents):
        if part.exists() and not part.is_dir():
            raise InputError(f"{path}: {part} is a file; choose a directory")
    if path.is_dir() and not files.spec.exists():
        ours = {LOCK_NAME, f"{LOCK_NAME}.exclusive", files.log.name, files.inputs.name}
        other = sorted(p.name for p in path.iterdir() if p.name not in ours and not p.name.startswith("."))
        if other:
            raise InputError(f"{path}: not a run, but it holds {other[0]!r}; choose a new or empty directory")


def open_directory(files: RunFiles, spec: dict[str, Any], settings: Any) -> Any:
    """Compares with the run that is there, or begins a new one. The directory must be locked.

    Returns:
        The settings with the user's files replaced by their copies in the directory.

    Raises:
        InputError: the directory holds another run; the difference is shown.
        FileError: the spec or a copied file was altered.
        EnvironmentFailure: the directory cannot be written.
    """
    store.remove_temporaries(files.directory)
    fresh = not files.spec.exists()
    if not fresh:
        there = read_spec(files)["spec"]
        if there != spec:
            raise InputError(
                f"{files.directory} holds another run: {difference(there, spec)}; "
                "choose another directory, or the settings it was made with"
            )
    copies = {}
    for field, path in file_fields(settings).items():
        copy = (files.inputs / f"{field}{path.suffix}").absolute()
        if not copy.exists():
            store.make_directory(files.inputs)
            store.write_atomically(copy, store.read_bytes(path))
        if file_hash(copy) != spec["settings"][field]["sha256"]:
            raise FileError(f"{copy}: not the file this run began with; it was altered, or {path} changed just now")
        copies[field] = copy
    settings = msgspec.structs.replace(settings, **copies)
    if fresh:
        values = as_builtins(settings)
        values.update({field: f"{files.inputs.name}/{copy.name}" for field, copy in copies.items()})
        store.write_json(files.spec, {"sha256": spec_hash(spec), "settings": values, "spec": spec})
    return settings


def take_back(files: RunFiles, made: bool) -> None:
    """Removes what a run that never began has written; with `made`, the directory too."""
    if made:
        shutil.rmtree(files.directory, ignore_errors=True)
        return
    shutil.rmtree(files.inputs, ignore_errors=True)
    for path in (files.spec, files.manifest, files.log, files.directory / LOCK_NAME):
        path.unlink(missing_ok=True)
