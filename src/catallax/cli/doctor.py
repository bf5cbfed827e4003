"""The command doctor: whether this machine can run catallax, and what to do if not."""

import shutil
import sys
from pathlib import Path
from typing import Literal, NamedTuple

from catallax.cli import environment
from catallax.cli.options import Common
from catallax.cli.output import columns, emit
from catallax.version import __version__

PYTHON = (3, 11)
_LITTLE_SPACE = 1 << 30  # bytes; a run directory at scale paper is much smaller


class Check(NamedTuple):
    """The result of one check.

    Attributes:
        name: What was checked.
        status: "ok", "warning" (catallax runs, with a restriction) or "failed" (catallax does not run).
        found: What was found.
        advice: What to do; empty if the status is "ok".
    """

    name: str
    status: Literal["ok", "warning", "failed"]
    found: str
    advice: str = ""


def doctor(*, common: Common | None = None) -> int:
    """Check this machine: Python, jax and its devices, versions, disk, cores, compilation cache.

    Args:
        common: Options of every command.
    """
    directory = environment.use_cache()
    checks = [check() for check in (_python, _packages, _jax, _cores, _write_permission, _disk)]
    checks.append(_cache(directory))
    failed = [check for check in checks if check.status == "failed"]
    answer = {
        "schema": "catallax-doctor-1",
        "status": "failed" if failed else "done",
        "exit_code": 5 if failed else 0,
        "checks": [check._asdict() for check in checks],
    }
    rows = [(check.status, check.name, _sentence(check)) for check in checks]
    emit(answer, columns(rows), as_json=common is not None and common.json)
    return 5 if failed else 0


def _sentence(check: Check) -> str:
    """What was found, and the advice."""
    return f"{check.found}; {check.advice}" if check.advice else check.found


def _python() -> Check:
    """Whether Python is new enough."""
    found = f"{sys.version.split()[0]} at {sys.executable}"
    if sys.version_info[:2] < PYTHON:
        return Check("Python", "failed", found, "catallax needs Python 3.11 or newer")
    return Check("Python", "ok", found)


def _packages() -> Check:
    """Whether the versions of the dependencies lie in the declared ranges."""
    from importlib import metadata

    name = f"catallax {__version__}"
    try:
        requirements = metadata.requires("catallax") or []
    except metadata.PackageNotFoundError:
        return Check("packages", "warning", name, "not installed as a package, so versions were not compared")
    from packaging.requirements import Requirement

    wrong = []
    for requirement in map(Requirement, requirements):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} {version} is not {requirement.specifier}")
    if wrong:
        return Check("packages", "failed", f"{name}: {', '.join(wrong)}", "install catallax again, with its lock file")
    return Check("packages", "ok", f"{name}, {len(requirements)} declared requirements")


def _jax() -> Check:
    """Whether jax loads, finds a device and computes on it."""
    try:
        import jax

        devices = jax.devices()
        answer = int(jax.jit(lambda x: x + 1)(1))
    except Exception as error:
        # A broken installation may raise anything, and that is what was found.
        found = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
        advice = "try JAX_PLATFORMS=cpu; if that fails too, install jax again"
        return Check("jax", "failed", found, advice)
    kinds = ", ".join(sorted({f"{device.platform} ({device.device_kind})" for device in devices}))
    found = f"jax {jax.__version__}, {len(devices)} device(s): {kinds}"
    if answer != 2:
        return Check("jax", "failed", f"{found}; 1 + 1 gave {answer}", "install jax and jaxlib again")
    return Check("jax", "ok", found)


def _cores() -> Check:
    """How many processor cores this process may use."""
    usable = environment.available_cores()
    if usable < 2:
        return Check("cores", "warning", "1 core", "compiling and running share it; expect twice the time")
    return Check("cores", "ok", f"{usable} cores")


def _write_permission() -> Check:
    """Whether run directories can be made where the command is run."""
    import tempfile

    here = Path.cwd()
    try:
        with tempfile.TemporaryDirectory(prefix=".catallax-", dir=here) as directory:
            (Path(directory) / "probe").write_bytes(b"probe")
    except OSError as error:
        advice = "run in a directory of yours, or give one with --out"
        return Check("write permission", "failed", f"{here}: {error.strerror or error}", advice)
    return Check("write permission", "ok", str(here))


def _disk() -> Check:
    """Whether the disk has room for a run directory."""
    free = shutil.disk_usage(Path.cwd()).free
    found = f"{free / 1e9:.1f} GB free"
    if free < _LITTLE_SPACE:
        return Check("disk", "warning", found, "free some space, or give a directory elsewhere with --out")
    return Check("disk", "ok", found)


def _cache(directory: Path | None) -> Check:
    """Whether compiled programs are kept."""
    if directory is None:
        advice = "every run compiles anew; set JAX_COMPILATION_CACHE_DIR to a directory that can be written"
        return Check("compilation cache", "warning", "off", advice)
    return Check("compilation cache", "ok", str(directory))
