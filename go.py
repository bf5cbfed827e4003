#!/usr/bin/env python3
# ruff: noqa: UP006, UP035, UP045  (this file must parse on Python 3.8, to say that it is too old)
"""Set up catallax in .venv, then run it. Needs only the standard library of Python 3.11 or newer.

python3 go.py                    reproduce the summary table of the double auction, scale quick
python3 go.py --scale paper      the same job with other options (see: python3 go.py reproduce --help)
python3 go.py COMMAND ...        any other command, as in: catallax COMMAND ...
python3 go.py test [ARGS]        run the test suite on all cores (ARGS go to pytest)
python3 go.py check              lint, formatting, types, import floors, sizes
python3 go.py setup [dev]        only set up
python3 go.py help               this text

Everything is installed in .venv beside this file, every package checked against its hash in
requirements/run.txt (or dev.txt for test and check). Delete .venv to begin anew.
Without a network: put the packages in a folder "wheels" beside this file; nothing else is asked.
"""

import errno
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List, NoReturn, Optional, Tuple

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WHEELS = ROOT / "wheels"
MAIN_JOB = ["reproduce", "double_auction.summary"]
# dev contains all of run (tests/house/test_go.py checks it), so installing dev serves both.
LOCKS = {"run": ROOT / "requirements" / "run.txt", "dev": ROOT / "requirements" / "dev.txt"}
SERVES = {"run": ["run"], "dev": ["run", "dev"]}
DOWNLOAD_MB = {"run": 180, "dev": 260}  # the wheels, measured on Linux x86-64
DISK_MB = {"run": 900, "dev": 1200}  # .venv with bytecode: 858 and 1149
TEMP_MB = 400  # pip unpacks its downloads in the temporary folder first
EXIT_ENVIRONMENT = 5
EXIT_INTERRUPTED = 130

# A worker a core, one file of tests at a time to each, since the tests of a file share what it compiles.
TEST_OPTIONS = ["-n", "auto", "--dist", "loadfile"]
CHECKS = [
    ("lint", ["-m", "ruff", "check", "."]),
    ("format", ["-m", "ruff", "format", "--check", "."]),
    ("types", ["-m", "pyright"]),
    ("floors", ["tools/floors.py"]),
    ("sizes (report only)", ["tools/size.py"]),
]


class SetupError(Exception):
    """The set-up cannot go on; the text says what, where, why and what to do."""


def say(text: str = "") -> None:
    """Speak on stderr: stdout belongs to the command that is run (it may print JSON)."""
    print(text, file=sys.stderr, flush=True)


def venv_program(name: str) -> Path:
    """Path of a program inside .venv."""
    return VENV / "Scripts" / (name + ".exe") if os.name == "nt" else VENV / "bin" / name


def fingerprint(layer: str) -> str:
    """What a layer depends on: lock, project file, place (scripts hold their path), interpreter."""
    digest = hashlib.sha256()
    for part in (LOCKS[layer], ROOT / "pyproject.toml"):
        digest.update(part.read_bytes())
    digest.update(str(ROOT).encode())
    digest.update(os.path.realpath(str(venv_program("python"))).encode())
    return digest.hexdigest()


def stamp(name: str) -> Path:
    """A layer's stamp, written last; "unfinished" is there while installing and after an interruption."""
    return VENV / ("catallax-" + name + ".stamp")


def is_ready(layer: str) -> bool:
    """Whether the layer is installed and still fits its lock. Reads a few files, starts nothing."""
    try:
        written = stamp(layer).read_text()
    except OSError:
        return False
    return written == fingerprint(layer) and venv_program("python").exists() and not stamp("unfinished").exists()


def venv_works() -> bool:
    """Whether .venv is where it was made and its interpreter starts, is new enough and fits the packages."""
    try:
        if stamp("place").exists() and stamp("place").read_text() != str(ROOT):
            return False
        command = [str(venv_program("python")), "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
        found = subprocess.run(command, capture_output=True, env=clean_environment(), timeout=60)
        made_for = re.search(r"^version(?:_info)? *= *(\d+\.\d+)", (VENV / "pyvenv.cfg").read_text(), re.M)
    except (OSError, subprocess.TimeoutExpired):
        return False
    version = found.stdout.decode().strip()
    if found.returncode != 0 or made_for is None or made_for.group(1) != version:
        return False
    return tuple(int(part) for part in version.split(".")) >= OLDEST


def check_python() -> None:
    """Refuse a Python that is too old, naming a newer one if this machine has it."""
    if sys.version_info >= OLDEST:
        return
    found = "{}.{}".format(*sys.version_info[:2])
    newer = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11") if shutil.which(name)]
    text = f"found Python {found} ({sys.executable}), need {OLDEST[0]}.{OLDEST[1]} or newer.\n"
    if newer:
        raise SetupError(text + f"This machine has {newer[0]}; try:  {newer[0]} go.py")
    raise SetupError(text + "Install a newer Python, then try for example:  python3.12 go.py")


def check_folder(layer: str, new: bool) -> None:
    """Refuse a read-only checkout and a disk that is too full, before anything is written."""
    try:
        tempfile.TemporaryFile(dir=str(ROOT)).close()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SetupError(f"the disk holding {ROOT} is full: {error.strerror}.") from error
        raise SetupError(
            f"cannot write in {ROOT} ({error.strerror}), and .venv has to be made there.\n"
            "Copy this folder to a place you may write to, and start go.py in the copy."
        ) from error
    if not new:
        return
    places = [(ROOT, DISK_MB[layer])]
    temporary = Path(tempfile.gettempdir())
    if os.stat(str(temporary)).st_dev != os.stat(str(ROOT)).st_dev:
        places.append((temporary, TEMP_MB))
    for place, needed in places:
        free = shutil.disk_usage(str(place)).free // 10**6
        if free < needed:
            hint = " Or point TMPDIR at a larger disk." if place == temporary else ""
            raise SetupError(f"too little disk space in {place}: {needed} MB needed, {free} MB free.{hint}")


def check_venv_module() -> None:
    """Refuse a Python without venv or ensurepip (Linux distributions package them apart)."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    name = "python{}.{}-venv".format(*sys.version_info[:2])
    raise SetupError(
        f"{sys.executable} cannot make virtual environments: its modules venv and ensurepip are missing.\n"
        f"On Debian and Ubuntu:  sudo apt install {name}\nElsewhere: install Python from its own "
        "installer, or install uv, which go.py uses when it finds it."
    )


# What installers print when they fail (first match counts), and what we say about it.
DISK = r"No space left on device|ENOSPC|Errno 28|os error 28|Disk quota exceeded|not enough space"
HASH = r"DO NOT MATCH THE HASHES|Hash mismatch|HashMismatch"
CERTIFICATE = r"CERTIFICATE_VERIFY_FAILED|SSLError|invalid peer certificate|UnknownIssuer"
NETWORK = (
    r"name resolution|Failed to establish|Connection ?(?:Error|[Rr]efused|[Rr]eset|[Aa]borted|broken)"
    r"|Network is unreachable|NewConnectionError|Max retries|timed out|dns error|getaddrinfo"
    r"|error sending request|[Cc]ould not connect|connection broken|ProxyError|IncompleteRead"
)
NO_BUILD = r"No matching distribution found|no wheels? with a matching|has no wheels|doesn't have a source"
FORBIDDEN = r"Permission denied|Errno 13|Read-only file system|os error 13|os error 30"
CAUSES = {
    DISK: "the disk is full.\nFree some space (or point TMPDIR at a larger disk) and start again.",
    HASH: "a downloaded package is not the one the lock names (its hash differs): it was not installed.\n"
    "A damaged download, or a proxy that alters files. Empty the cache (python3 -m pip cache purge) and\n"
    "start again; if it stays, do not go around it but report it.",
    CERTIFICATE: "this machine does not trust the certificate of the package index.\n"
    "Behind a company proxy: PIP_CERT=/path/to/its/certificate.pem python3 go.py",
    NETWORK: "the download failed: no network, or the package index cannot be reached.\n"
    "With a network, start again. Without one, on a machine that has it and the same system and Python:\n"
    "    python3 -m pip download --require-hashes --only-binary :all: -r {lock} -d wheels\n"
    "then copy the folder wheels to {root} and start again.",
    NO_BUILD: "a package of the lock has no build for this machine ({system}).\n"
    "jaxlib, for one, has builds for 64-bit Linux and Windows, and for macOS on Apple processors.",
    FORBIDDEN: "a file could not be written.\nSee who owns {root}/.venv, or delete it and start again.",
}


def explain(output: str, lock: Path) -> str:
    """Turn what an installer printed into a cause and something to do."""
    system = "{}, Python {}.{}".format(sys.platform, *sys.version_info[:2])
    for pattern, text in CAUSES.items():
        if re.search(pattern, output):
            return text.format(lock=lock.relative_to(ROOT), root=ROOT, system=system)
    return "the installer's own words are above.\nIf nothing helps: delete .venv and start again."


def clean_environment() -> Dict[str, str]:
    """The environment for installers: the user's mirrors and proxies stay, what points elsewhere goes."""
    elsewhere = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    environment.update(PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    return environment


def step(what: str, command: List[str], lock: Path) -> None:
    """Run one installing command, passing its words on; raise SetupError with the cause if it fails."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": sys.stderr, "stderr": subprocess.PIPE}
    lines: List[str] = []
    with subprocess.Popen(command, env=clean_environment(), cwd=str(ROOT), **streams) as child:  # type: ignore
        try:
            for raw in child.stderr or ():
                lines.append(raw.decode(errors="replace"))
                sys.stderr.write(lines[-1])
                sys.stderr.flush()
            code = child.wait()
        except BaseException:
            child.terminate()
            raise
    if code != 0:
        raise SetupError(f"{what} failed: {explain(''.join(lines[-400:]), lock)}")


def make_venv(uv: Optional[str]) -> None:
    """Make an empty .venv; the mark inside it is there before anything else."""
    VENV.mkdir(exist_ok=True)
    stamp("unfinished").write_text("made")
    if uv:
        # uv leaves a folder that exists alone unless told that this is meant.
        command = [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV)]
    else:
        check_venv_module()
        command = [sys.executable, "-m", "venv", str(VENV)]
    step("making .venv", command, LOCKS["run"])


def install(layer: str, uv: Optional[str]) -> None:
    """Install the lock, then catallax itself, into .venv.

    catallax is installed for real (editable, by hatchling) and not by a path file and a home-made launcher:
    that gives the `catallax` command on every system, the version in the metadata, and one set-up to test.
    hatchling is in the lock, so this needs no build isolation, no index and no unhashed download.
    """
    lock, python = LOCKS[layer], str(venv_program("python"))
    offline = ["--no-index", "--find-links", str(WHEELS)] if WHEELS.is_dir() else []
    if uv:
        pip = [uv, "pip", "install", "--python", python]
    else:
        pip = [python, "-m", "pip", "install"]
        if subprocess.call([python, "-c", "import pip"], stderr=subprocess.DEVNULL, env=clean_environment()):
            step("adding pip to .venv", [python, "-m", "ensurepip"], lock)
    packages = [*pip, "--require-hashes", "--only-binary", ":all:", *offline, "-r", str(lock)]
    step("installing the packages", packages, lock)
    project = [*pip, "--no-deps", "--no-build-isolation", "--no-index", "-e", str(ROOT)]
    step("installing catallax itself", project, lock)


def plan(layer: str, new: bool, uv: Optional[str]) -> None:
    """Say what is going to happen, before it happens."""
    count = len(re.findall(r"^[A-Za-z0-9]", LOCKS[layer].read_text(), re.M))
    version = "{}.{}.{}".format(*sys.version_info[:3])
    source = f"from {WHEELS}" if WHEELS.is_dir() else f"up to {DOWNLOAD_MB[layer]} MB"
    say("catallax: setting up (once; later starts are immediate)")
    say(f"  place     {VENV} ({'new, Python ' + version if new else 'there already, brought up to date'})")
    say(f"  packages  at most {count}, {source}, each checked against its hash in {LOCKS[layer].name}")
    say(f"  with      {'uv' if uv else 'pip'}; about a minute on a good line; nothing outside this folder")
    say("            is changed, except the installer's own cache")


def clear_leftovers() -> None:
    """Remove a .venv of ours that was interrupted, or that does not work; keep what somebody else made."""
    if not VENV.exists() and not VENV.is_symlink():
        return
    mark = stamp("unfinished")
    if mark.exists() and mark.read_text() == "made":
        say("catallax: an earlier set-up did not finish; .venv is made anew")
    elif venv_works():
        return
    elif (VENV / "pyvenv.cfg").is_file():
        say("catallax: the .venv here does not work (moved, or its Python is gone); it is made anew")
    elif VENV.is_symlink() or not VENV.is_dir() or any(VENV.iterdir()):
        raise SetupError(f"{VENV} is there, but is no virtual environment. Move it away and start again.")
    try:
        shutil.rmtree(str(VENV))
    except OSError as error:
        raise SetupError(f"cannot remove {VENV}: {error}. Remove it by hand and start again.") from error


def build(layer: str) -> None:
    """Make or complete .venv for a layer: uv first if there is one, else (or if it fails) venv and pip."""
    clear_leftovers()
    new = not VENV.exists()
    uv = shutil.which("uv")
    check_folder(layer, new)
    plan(layer, new, uv)
    began = time.monotonic()
    for installer in [uv, None] if uv else [None]:
        try:
            if new:
                make_venv(installer)
            elif not stamp("unfinished").exists():
                stamp("unfinished").write_text("adopted")
            install(layer, installer)
            break
        except SetupError as error:
            if installer is None:
                raise
            say(f"catallax: uv could not do it ({error}); trying venv and pip")
            if new:
                shutil.rmtree(str(VENV), ignore_errors=True)
    stamp("place").write_text(str(ROOT))
    for served in SERVES[layer]:
        stamp(served).write_text(fingerprint(served))
    stamp("unfinished").unlink()
    say(f"catallax: set up in {time.monotonic() - began:.0f} s")


def lock_folder() -> Optional[int]:
    """Let one go.py at a time set up here; the system drops the lock however the process ends."""
    try:
        import fcntl

        handle = os.open(str(ROOT), os.O_RDONLY)
    except (ImportError, OSError):
        return None  # Windows, or a folder that cannot be opened: go on without
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("catallax: another go.py is setting up here; waiting for it")
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError:
        os.close(handle)  # some network file systems cannot lock a folder
        return None
    return handle


def ensure(layer: str) -> None:
    """See to it that a layer is installed; at once if it is."""
    for lock in LOCKS.values():
        if not lock.is_file():
            raise SetupError(f"{lock} is missing: this checkout is incomplete. Clone it again.")
    if is_ready(layer):
        return
    handle = lock_folder()
    try:
        if not is_ready(layer):
            build(layer)
    finally:
        if handle is not None:
            os.close(handle)


def hand_over(command: List[str]) -> NoReturn:
    """Become the command, so that its signals and its exit code are its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    if os.name == "nt":
        sys.exit(subprocess.call(command, env=environment))
    os.execve(command[0], command, environment)


def check() -> int:
    """Run every check, also after one has failed; 1 if one has."""
    environment = dict(os.environ, PYRIGHT_PYTHON_IGNORE_WARNINGS="1")
    failed = []
    for name, arguments in CHECKS:
        say(f"== {name}")
        command = [str(venv_program("python")), *arguments]
        if subprocess.call(command, cwd=str(ROOT), env=environment, stdin=subprocess.DEVNULL):
            failed.append(name)
    say("== check: " + ("failed: " + ", ".join(failed) if failed else "all well"))
    return 1 if failed else 0


def request(argv: List[str]) -> Tuple[str, List[str]]:
    """What was asked for: (test | check | setup | help | catallax, the rest)."""
    if argv and argv[0] in ("-h", "--help", "help"):
        return "help", []
    if argv and argv[0] in ("test", "check", "setup"):
        return argv[0], argv[1:]
    if not argv or argv[0].startswith("-"):
        given = any(word == "--scale" or word.startswith("--scale=") for word in argv)
        return "catallax", MAIN_JOB + ([] if given else ["--scale", "quick"]) + argv
    return "catallax", argv


def main(argv: List[str]) -> int:
    """Do what was asked for; return the exit code."""
    what, rest = request(argv)
    if what == "help":
        print(__doc__)
        return 0
    if (what == "check" and rest) or (what == "setup" and rest not in ([], ["dev"], ["run"])):
        say(f"go.py: {what} does not take {' '.join(rest)}; see: python3 go.py help")
        return 2
    try:
        check_python()
        wants_dev = what in ("test", "check") or (what == "setup" and rest == ["dev"])
        ensure("dev" if wants_dev else "run")
    except SetupError as error:
        say(f"go.py: {error}")
        return EXIT_ENVIRONMENT
    except KeyboardInterrupt:
        say("\ngo.py: interrupted; the next start begins the set-up anew")
        return EXIT_INTERRUPTED
    if what == "setup":
        say(f"catallax: ready; the command is {venv_program('catallax')}")
        return 0
    if what == "check":
        return check()
    if what == "test":
        os.chdir(str(ROOT))
        hand_over([str(venv_program("python")), "-m", "pytest", *TEST_OPTIONS, *rest])
    if not argv:
        say("catallax " + " ".join(rest))
    hand_over([str(venv_program("catallax")), *rest])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
