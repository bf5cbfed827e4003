"""The compilation cache on disk: a program compiled once starts at once the next time."""

import os
import sys
from pathlib import Path

_SWITCHES = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


def default_directory() -> Path:
    """Where programs of this user are kept between runs, by the custom of the system."""
    if sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "catallax" / "jax"


def switch_on() -> Path | None:
    """Switch the cache on by the environment, before jax is imported.

    A directory in JAX_COMPILATION_CACHE_DIR is respected, an empty one there switches the cache off. Where
    nothing can be written the run simply goes without. Does nothing once jax has been imported: its user has
    decided.

    Returns:
        The directory, or None if the cache is off.
    """
    chosen = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    if "jax" in sys.modules or chosen == "":
        return Path(chosen) if chosen else None
    try:
        directory = Path(chosen) if chosen else default_directory()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: there is no home directory
        return None
    if not os.access(directory, os.W_OK | os.X_OK):
        return None
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(directory)
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
    return directory
