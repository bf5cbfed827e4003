"""go.py piece by piece, with a fake installer: no network, nothing installed."""

import ast
import errno
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake installers are shell scripts")

# Writes down how it was called, makes .venv from the interpreter of the tests, fails when told to.
FAKE_UV = """#!/bin/sh
echo "$*" >> "{log}"
echo "an installer speaks"
[ -z "$FAKE_FAILURE" ] || {{ echo "$FAKE_FAILURE" >&2; exit 1; }}
if [ "$1" = venv ]; then
    mkdir -p "{root}/.venv/bin"
    ln -sf "{python}" "{root}/.venv/bin/python"
    echo "version = {version}" > "{root}/.venv/pyvenv.cfg"
fi
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with a blank in its name, holding what go.py reads."""
    root = tmp_path / "the checkout"
    (root / "requirements").mkdir(parents=True)
    for name in ("run", "dev"):
        (root / "requirements" / f"{name}.txt").write_text(f"package-of-{name}==1 \\\n    --hash=sha256:00\n")
    (root / "pyproject.toml").write_text("[project]\nname = 'catallax'\n")
    (root / "go.py").write_bytes((ROOT / "go.py").read_bytes())
    return root


@pytest.fixture
def go(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """go.py of that checkout as a module, with no uv on PATH."""
    spec = importlib.util.spec_from_file_location("go_under_test", root / "go.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(module, "DISK_MB", {"run": 1, "dev": 1})
    return module


@pytest.fixture
def uv_log(go: ModuleType, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a fake uv on PATH; returns the file where it writes down its calls."""
    log, programs = tmp_path / "log", tmp_path / "programs"
    programs.mkdir()
    version = "{}.{}.{}".format(*sys.version_info[:3])
    script = FAKE_UV.format(log=log, root=root, python=sys.executable, version=version)
    (programs / "uv").write_text(script)
    (programs / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return log


def calls(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


# ------------------------------------------------------------------------------------- the file and the locks


def test_the_file_parses_on_python_3_8_and_needs_only_the_standard_library() -> None:
    tree = ast.parse((ROOT / "go.py").read_text(encoding="utf-8"), feature_version=(3, 8))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert all(name.split(".")[0] in sys.stdlib_module_names for name in names)


def read_lock(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [line.split(" --hash=", 1) for line in text.splitlines() if line.strip()]
    return {pin.strip(): hashes for pin, hashes in entries}


@pytest.mark.parametrize("name", ["run", "dev"])
def test_every_package_of_the_lock_is_pinned_and_hashed_and_no_host_is_named(name: str) -> None:
    lock = read_lock(name)
    assert len(lock) > 20
    for pin, hashes in lock.items():
        assert re.match(r"[a-z0-9-]+==\S+", pin)
        assert re.match(r"sha256:[0-9a-f]{64}", hashes)
        assert "://" not in pin + hashes


def test_dev_holds_all_of_run_and_what_installing_catallax_needs() -> None:
    run, dev = read_lock("run"), read_lock("dev")
    assert run.items() <= dev.items()
    assert {"hatchling", "editables"} <= {pin.split("==")[0] for pin in run}


# ---------------------------------------------------------------------------------------------- what is asked


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], ("catallax", ["reproduce", "double_auction.summary", "--scale", "quick"])),
        (["--json"], ("catallax", ["reproduce", "double_auction.summary", "--scale", "quick", "--json"])),
        (["--scale", "paper"], ("catallax", ["reproduce", "double_auction.summary", "--scale", "paper"])),
        (["--scale=paper"], ("catallax", ["reproduce", "double_auction.summary", "--scale=paper"])),
        (["reproduce", "x", "--scale", "paper"], ("catallax", ["reproduce", "x", "--scale", "paper"])),
        (["test", "-k", "x"], ("test", ["-k", "x"])),
        (["check"], ("check", [])),
        (["--help"], ("help", [])),
        (["list", "--help"], ("catallax", ["list", "--help"])),
    ],
)
def test_request(go: ModuleType, argv: list[str], expected: tuple[str, list[str]]) -> None:
    assert go.request(argv) == expected


def test_tests_run_on_all_cores_and_take_arguments(go: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []
    monkeypatch.setattr(go, "ensure", lambda layer: None)
    monkeypatch.setattr(go, "hand_over", given.append)
    monkeypatch.setattr(go.os, "chdir", lambda folder: None)
    go.main(["test", "tests/core", "-k", "rng"])
    assert given[0][1:] == ["-m", "pytest", "-n", "auto", "--dist", "loadfile", "tests/core", "-k", "rng"]


def test_help_sets_nothing_up(go: ModuleType, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert go.main(["--help"]) == 0
    assert "python3 go.py test" in capsys.readouterr().out
    assert not (root / ".venv").exists()


def test_unknown_arguments_are_refused_before_anything_is_done(go: ModuleType, root: Path) -> None:
    assert go.main(["check", "everything"]) == 2
    assert go.main(["setup", "all"]) == 2
    assert not (root / ".venv").exists()


# ------------------------------------------------------------------------------------------------ setting up


def test_setup_installs_the_hashed_lock_then_catallax_then_stamps(
    go: ModuleType, root: Path, uv_log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert go.main(["setup"]) == 0
    made, packages, project = calls(uv_log)
    assert made.startswith("venv") and made.endswith(str(root / ".venv"))
    assert "--require-hashes" in packages and packages.endswith("requirements/run.txt")
    assert "--no-deps" in project and "--no-build-isolation" in project and project.endswith(f"-e {root}")
    assert go.is_ready("run") and not go.is_ready("dev")
    spoken = capfd.readouterr()
    assert spoken.out == ""  # stdout belongs to the command that follows
    assert spoken.err.index("each checked against its hash") < spoken.err.index("set up in")


def test_a_second_start_installs_nothing(go: ModuleType, uv_log: Path) -> None:
    assert go.main(["setup", "dev"]) == 0
    before = calls(uv_log)
    assert go.main(["setup", "dev"]) == 0
    assert go.main(["setup"]) == 0
    assert calls(uv_log) == before


@pytest.mark.parametrize("change", ["requirements/run.txt", "pyproject.toml"])
def test_a_changed_lock_or_project_is_installed_again_into_the_same_venv(
    go: ModuleType, root: Path, uv_log: Path, change: str
) -> None:
    go.main(["setup"])
    with (root / change).open("a") as file:
        file.write("# changed\n")
    assert not go.is_ready("run")
    assert go.main(["setup"]) == 0
    assert [call.split()[0] for call in calls(uv_log)] == ["venv", "pip", "pip", "pip", "pip"]


def test_an_unfinished_set_up_is_made_anew(
    go: ModuleType, root: Path, uv_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(go, "install", interrupted)
        assert go.main(["setup"]) == 130
    assert not go.is_ready("run")
    (root / ".venv" / "half-installed").touch()
    assert go.main(["setup"]) == 0
    assert go.is_ready("run")
    assert not (root / ".venv" / "half-installed").exists()


def test_a_stamp_does_not_count_while_an_installation_is_unfinished(go: ModuleType, uv_log: Path) -> None:
    go.main(["setup"])
    go.stamp("unfinished").write_text("adopted")
    assert not go.is_ready("run")


def test_a_venv_somebody_else_made_is_kept(go: ModuleType, root: Path, uv_log: Path) -> None:
    subprocess.run(["uv", "venv"], check=True)
    (root / ".venv" / "theirs").touch()
    assert go.main(["setup"]) == 0
    assert (root / ".venv" / "theirs").exists()


def test_a_moved_or_broken_venv_is_made_anew(go: ModuleType, root: Path, uv_log: Path) -> None:
    for breaking in ("place", "python"):
        assert go.main(["setup"]) == 0
        (root / ".venv" / "old").touch()
        if breaking == "place":
            go.stamp("place").write_text("/elsewhere")
            go.stamp("run").unlink()
        else:
            go.venv_program("python").unlink()
        assert go.main(["setup"]) == 0
        assert not (root / ".venv" / "old").exists()


def test_packages_in_the_folder_wheels_are_used_without_an_index(go: ModuleType, root: Path, uv_log: Path) -> None:
    (root / "wheels").mkdir()
    go.main(["setup"])
    assert f"--no-index --find-links {root / 'wheels'}" in calls(uv_log)[1]


def test_pip_takes_over_where_uv_fails(
    go: ModuleType, root: Path, uv_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def step(what: str, command: list[str], lock: Path) -> None:
        commands.append(command)
        if command[0].endswith("uv"):
            raise go.SetupError("no")
        go.venv_program("python").parent.mkdir(exist_ok=True)
        if not go.venv_program("python").exists():
            go.venv_program("python").symlink_to(sys.executable)

    monkeypatch.setattr(go, "step", step)
    assert go.main(["setup"]) == 0
    assert [command[0].rsplit("/", 1)[-1] for command in commands[:2]] == ["uv", Path(sys.executable).name]
    assert commands[-2][1:4] == ["-m", "pip", "install"] and "--require-hashes" in commands[-2]


def test_installers_are_kept_from_the_users_other_folders(go: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_PROXY", "kept")
    environment = go.clean_environment()
    assert "PYTHONPATH" not in environment and "PIP_TARGET" not in environment
    assert environment["PIP_PROXY"] == "kept" and environment["PIP_USER"] == "0"


def test_one_set_up_at_a_time(go: ModuleType, root: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    handle = go.lock_folder()
    other = os.open(root, os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
    os.close(handle)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


# ---------------------------------------------------------------------------------------------- what may fail


def test_an_old_python_is_told_what_to_do(
    go: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(go.sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setattr(go.shutil, "which", lambda name: "/x" if name == "python3.12" else None)
    assert go.main([]) == 5
    said = capsys.readouterr().err
    assert "found Python 3.9" in said and "need 3.11 or newer" in said and "python3.12 go.py" in said
    assert not (root / ".venv").exists()


def test_a_missing_venv_module_is_named(go: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else name)
    with pytest.raises(go.SetupError, match=r"apt install python3\.\d+-venv"):
        go.check_venv_module()


def test_too_little_space_is_refused_before_anything_is_written(
    go: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(go, "DISK_MB", {"run": 10**9, "dev": 10**9})
    assert go.main(["setup"]) == 5
    assert re.search(r"1000000000 MB needed, \d+ MB free", capsys.readouterr().err)
    assert not (root / ".venv").exists()


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.EROFS, "Copy this folder to a place you may write to"), (errno.ENOSPC, "is full")],
)
def test_a_folder_that_cannot_be_written_is_refused(
    go: ModuleType, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(go.SetupError, match=message):
        go.check_folder("run", new=True)


def test_a_folder_of_that_name_that_is_no_venv_is_left_alone(go: ModuleType, root: Path) -> None:
    (root / ".venv").mkdir()
    (root / ".venv" / "thesis.tex").touch()
    assert go.main(["setup"]) == 5
    assert (root / ".venv" / "thesis.tex").exists()


def test_an_incomplete_checkout_is_named(go: ModuleType, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "requirements" / "dev.txt").unlink()
    assert go.main(["setup"]) == 5
    assert "dev.txt is missing" in capsys.readouterr().err


# What the installers really print, in short.
FAILURES = [
    (
        "Retrying after connection broken by '[Errno -3] Temporary failure in name resolution'\n"
        "ERROR: No matching distribution found for absl-py==2.5.1",
        "no network",
    ),
    ("error: Request failed after 3 retries\n  Caused by: error sending request for url", "no network"),
    ("ERROR: Could not install: [Errno 28] No space left on device", "disk is full"),
    ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "hash differs"),
    ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "certificate"),
    ("ERROR: No matching distribution found for jaxlib==0.10.2", "no build for this machine"),
    ("ERROR: Could not install: [Errno 13] Permission denied: 'x'", "not be written"),
    ("something nobody has seen before", "the installer's own words are above"),
]


@pytest.mark.parametrize(("printed", "cause"), FAILURES, ids=[cause for _, cause in FAILURES])
def test_a_failed_installation_names_its_cause_and_what_to_do(
    go: ModuleType,
    uv_log: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    printed: str,
    cause: str,
) -> None:
    monkeypatch.setenv("FAKE_FAILURE", printed)
    # No pip to fall back on: this shows the words for what uv printed.
    step = lambda uv: go.step("making .venv", ["uv", "venv"], go.LOCKS["run"])
    monkeypatch.setattr(go, "make_venv", step)
    assert go.main(["setup"]) == 5
    said = capfd.readouterr().err
    assert printed in said  # the installer's own words are passed on
    assert cause in said.rsplit("go.py: making .venv failed: ", 1)[1]
    assert not go.is_ready("run")


# ---------------------------------------------------------------------------------------------- handing over


def test_check_runs_everything_and_fails_if_one_fails(
    go: ModuleType, uv_log: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(go, "CHECKS", [("bad", ["-c", "raise SystemExit(3)"]), ("good", ["-c", ""])])
    assert go.main(["check"]) == 1
    said = capfd.readouterr().err
    assert "== good" in said and "failed: bad" in said
    monkeypatch.setattr(go, "CHECKS", [("good", ["-c", ""])])
    assert go.main(["check"]) == 0


def test_the_command_takes_over_process_output_and_exit_code(
    go: ModuleType, root: Path, uv_log: Path, tmp_path: Path
) -> None:
    assert go.main(["setup", "dev"]) == 0
    program = go.venv_program("catallax")
    program.write_text('#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\npwd\nexit 7\n')
    program.chmod(0o755)
    command = [sys.executable, str(root / "go.py"), "reproduce", "a b", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout.splitlines() == ["<reproduce>", "<a b>", "<--json>", str(tmp_path)]
