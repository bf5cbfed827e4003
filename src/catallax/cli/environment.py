"""The environment variables that are set before jax is imported: compilation cache and number of devices."""

import json
import os
import sys
from pathlib import Path

from catallax.cli.errors import CommandError

_SWITCHES = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
_DEVICES = "xla_force_host_platform_device_count"


def default_cache() -> Path:
    """The folder where compiled programs of this user are kept, by the custom of the operating system."""
    if sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "catallax" / "jax"


def use_cache() -> Path | None:
    """Keep compiled programs on disk, so that a program is compiled once and then loaded.

    The user may name a directory in JAX_COMPILATION_CACHE_DIR; if it is empty, there is no cache. Where nothing can be
    written, there is no cache either. If jax is already imported, nothing is changed.

    Returns:
        The directory, or None if there is no cache.
    """
    chosen = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    if "jax" in sys.modules or chosen == "":
        return Path(chosen) if chosen else None
    try:
        directory = Path(chosen) if chosen else default_cache()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # Path.home raises RuntimeError if there is no home directory
        return None
    if not os.access(directory, os.W_OK | os.X_OK):
        return None
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(directory)
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
    return directory


def available_cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def use_cores(cores: int) -> None:
    """Make one device of each core, so that replications are spread over cores.

    A number of devices that the user sets in XLA_FLAGS has precedence. If jax is already imported, nothing is changed.
    The draws do not depend on the number of devices; the last bits of sums over a round may, because XLA adds in
    another order if a device has fewer replications side by side. The default is therefore one core, and a run is
    resumed with as many devices as it began with.

    Raises:
        CommandError: this process may not use so many cores.
    """
    most = available_cores()
    if cores > most:
        raise CommandError(f"--cores {cores}: this process may use {most}")
    flags = os.environ.get("XLA_FLAGS", "")
    if cores > 1 and "jax" not in sys.modules and _DEVICES not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --{_DEVICES}={cores}".strip()


def cores_of_run(directory: Path) -> int:
    """The number of devices that a run began with, at most the available cores; 1 if its manifest cannot be read."""
    try:
        count = json.loads((directory / "manifest.json").read_text())["attempts"][0]["device"]["count"]
    except (OSError, ValueError, LookupError, TypeError):
        return 1  # opening the directory reports what is wrong with it
    return min(count, available_cores()) if isinstance(count, int) and count > 0 else 1
