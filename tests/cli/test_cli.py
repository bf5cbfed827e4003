"""The command line: what each command answers; each bad input ends with a code, one line, nothing left."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catallax.cli import environment, errors
from catallax.cli.environment import cores_of_run, use_cache, use_cores
from catallax.cli.main import main
from catallax.core.errors import InputError
from catallax.experiments import catalogue
from catallax.lab import execute as execution
from catallax.lab.report import VERDICTS
from catallax.lab.run_directory import locked

NAME = "test.noise"
ENTRY = catalogue.Entry("cli_experiment", "Noise, for the tests")
CLAIM_KEYS = ["id", "source", "published", "ours", "low", "high", "n", "verdict", "note", "margin", "enough", "parts"]

# The program of a process of its own: the same catalogue entry, then the command line. The handler of SIGINT is set as
# a terminal leaves it, because a process in the background may have been told to ignore it.
PROGRAM = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from catallax.experiments import catalogue
catalogue.CATALOGUE[{NAME!r}] = catalogue.Entry({ENTRY.module!r}, {ENTRY.summary!r})
from catallax.cli.main import main
sys.exit(main())
"""


@pytest.fixture
def catalogued(monkeypatch):
    monkeypatch.setitem(catalogue.CATALOGUE, NAME, ENTRY)


@pytest.fixture
def cli(catalogued, tmp_path, monkeypatch, capsys):
    """Runs the command line in an empty directory; gives code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished reproduction at scale paper: its run directory and the object it printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(catalogue.CATALOGUE, NAME, ENTRY)
        directory = tmp_path_factory.mktemp("finished") / "run"
        assert main(["reproduce", NAME, "--scale", "paper", "--out", str(directory), "--quiet"]) == 0
    return directory


@contextlib.contextmanager
def spawned(arguments, program=PROGRAM, **options):
    """The command line in a process of its own, which is killed if it outlives the test."""
    source = Path(catalogue.__file__).parents[2]
    path = os.pathsep.join([str(source), str(Path(__file__).parent)])
    variables = {**os.environ, "PYTHONPATH": path, "JAX_PLATFORMS": "cpu", "COLUMNS": "80"}
    command = [sys.executable, "-c", program, *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=variables, **pipes, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def files(directory):
    return {path: path.read_bytes() for path in Path(directory).rglob("*") if path.is_file()}


# ---------------------------------------------------------------- start-up


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["--version"],
        ["list", "--json"],
        ["run", "test.nose"],
        ["show", "x", "-z"],
    ],
)
def test_nothing_heavy_is_imported_to_answer_a_question(arguments):
    program = PROGRAM.replace(
        "sys.exit(main())",
        "code = main(sys.argv[1:])\n"
        "heavy = {'jax', 'numpy', 'scipy', 'matplotlib', 'xarray', 'pandas', 'equinox'} & set(sys.modules)\n"
        "few = len(sys.modules) < 300\n"
        "sys.exit(f'imported {heavy or len(sys.modules)}' if heavy or not few else 40 + code)",
    )
    with spawned(arguments, program) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode in (40, 42), err


def test_help_takes_little_more_processor_time_than_python_itself():
    """The unit is a bare start of Python, measured beside each trial, because a busy machine slows both."""
    import resource

    def seconds(arguments, program):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with spawned(arguments, program) as process:
            process.communicate(timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    trials = []
    while len(trials) < 5 and not any(ours < 8 * unit for ours, unit in trials):
        trials.append((seconds(["--help"], PROGRAM), seconds([], "import json, subprocess, inspect")))
    assert any(ours < 8 * unit for ours, unit in trials), trials


def test_progress_is_shown_before_jax_is_imported(tmp_path):
    watch = """
import os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "jax":
            print("JAX", file=sys.stderr, flush=True)
            os._exit(9)
sys.meta_path.insert(0, Watch())
"""
    with spawned(["run", NAME], watch + PROGRAM, cwd=tmp_path) as process:
        _, err = process.communicate(timeout=120)
    lines = err.splitlines()
    assert process.returncode == 9
    assert lines[0].startswith(NAME) and lines[-1] == "JAX"


def test_a_reader_who_has_enough_is_no_error():
    with spawned(["list"]) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 0


# ---------------------------------------------------------------- the commands


def test_list(cli):
    code, out, _ = cli("list")
    assert code == 0
    assert all(name in out and entry.summary in out for name, entry in catalogue.CATALOGUE.items())
    listed = json.loads(cli("list", "--json")[1])
    assert [e["name"] for e in listed["experiments"]] == list(catalogue.CATALOGUE)


def test_show(cli):
    code, out, _ = cli("show", NAME)
    assert code == 0
    for part in (
        "integer >= 1",
        "default 4",
        "coin | midpoint",
        "12 replications",
        "the mean is 1",
        "Smith1962",
    ):
        assert part in out
    shown = json.loads(cli("show", NAME, "--json")[1])
    assert shown["scales"]["paper"] == {"steps": 40, "replications": 12, "block": 4}
    assert shown["settings"][0] == {"name": "mean", "type": "number >= -100.0 and <= 100.0", "default": 1.0}


def test_cite(cli):
    code, out, _ = cli("cite", NAME)
    assert code == 0 and "@article{Smith1962," in out and "@software{jax," in out
    assert "@misc{Rawat2023," in cli("cite", "Rawat2023")[1]
    assert list(json.loads(cli("cite", "Rawat2023", "--json")[1])["entries"]) == ["Rawat2023"]
    assert "Rawat2023" in cli("cite", "--list")[1].splitlines()


def test_doctor(cli, monkeypatch):
    code, out, _ = cli("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert code == 0 and checks["jax"]["status"] == "ok"
    assert {"Python", "packages", "cores", "disk", "write permission", "compilation cache"} < set(checks)
    monkeypatch.setattr("tempfile.TemporaryDirectory", _refuse)
    code, out, _ = cli("doctor")
    assert code == 5 and re.search(r"failed +write permission.*Permission denied.*--out", out)


def _refuse(*args, **kwargs):
    raise PermissionError(13, "Permission denied", "/somewhere")


def test_run_then_report(cli, tmp_path):
    code, out, err = cli("run", NAME, "--replications", 3, "--seed", 5, "--set", "mean=2.5")
    assert code == 0 and "starting" in err
    directory = Path(out.splitlines()[0])
    assert directory.parent == Path("runs") and not (directory / "summary.json").exists()
    code, out, err = cli("report", directory, "--json")
    answer = json.loads(out)
    assert code == 0 and answer["run_dir"] == str(directory)
    assert answer["claims"][0]["n"] == 3 and answer["claims"][0]["low"] is None
    assert 1.5 < answer["claims"][0]["ours"] < 3.5
    assert cli("run", NAME, "--replications", 3, "--seed", 5, "--set", "mean=2.5", "--quiet") == (
        0,
        f"{directory}\nits tables, figures and verdicts: catallax report {directory}\n",
        "",
    )


def test_settings_from_a_file_give_way_to_the_command_line(cli, tmp_path):
    (tmp_path / "my.toml").write_text('mean = 3\nrule = "coin"\n')
    code, out, _ = cli("run", NAME, "--config", "my.toml", "--set", "mean=4", "--json", "--replications", 1)
    assert code == 0
    spec = json.loads((Path(json.loads(out)["run_dir"]) / "spec.json").read_text())
    assert spec["settings"]["mean"] == 4.0 and spec["settings"]["rule"] == "coin"


def test_reproduce_prints_the_promised_object(cli, finished):
    before = (finished / "log.jsonl").read_text()
    code, out, _ = cli("reproduce", NAME, "--scale", "paper", "--out", finished, "--json")
    answer = json.loads(out)
    assert code == 0 and answer["schema"] == "catallax-reproduce-1" and answer["status"] == "done"
    assert answer["experiment"] == NAME and answer["run_dir"] == str(finished)
    assert [list(claim) for claim in answer["claims"]] == [CLAIM_KEYS] * 3
    verdicts = {claim["id"]: claim["verdict"] for claim in answer["claims"]}
    assert verdicts == {"mean": "reproduced", "sign": "reproduced", "humans": "not comparable"}
    mean = answer["claims"][0]
    assert mean["n"] == 12 and mean["low"] < mean["ours"] < mean["high"]
    assert all(Path(name).is_file() for name in answer["files"])
    assert '"chunk"' not in (finished / "log.jsonl").read_text()[len(before) :]  # nothing was computed again


def test_reproduce_prints_tables_and_verdicts_for_people(cli, finished):
    code, out, _ = cli("reproduce", NAME, "--scale", "paper", "--out", finished)
    assert code == 0
    assert re.search(r"treatment +\d\.\d{3} +\d\.\d{3} +\d\.\d{3}", out)
    assert re.search(r"mean +1\.000 .* 12 +0\.200 +reproduced", out) and str(finished) in out
    assert "humans: missing: data" in out  # why what is not reproduced is not


@pytest.fixture
def family(monkeypatch):
    """A family of two: one that judges, one that has nothing to judge."""
    monkeypatch.setitem(catalogue.CATALOGUE, "test.tool", ENTRY._replace(module="no_such_module", judged=False))


def test_a_family_reproduces_all_that_judge_something(cli, family, finished, tmp_path):
    """The finished run is taken as it lies; the tool without claims is not even imported."""
    (tmp_path / "all").mkdir()
    shutil.copytree(finished, tmp_path / "all" / NAME)
    code, out, _ = cli("reproduce", "test", "--scale", "paper", "--out", "all", "--quiet")
    assert code == 0
    assert f"===== {NAME}\n" in out and re.search(r"mean +1\.000 .* 12 +0\.200 +reproduced", out)
    names = " +".join(VERDICTS)
    assert re.search(rf"experiment +{names}\n{NAME} +2 +0 +0 +0 +1 +0$", out.strip())
    code, out, _ = cli("reproduce", "test", "--scale", "paper", "--out", "all", "--quiet", "--json")
    answer = json.loads(out)
    assert (code, answer["schema"], answer["family"]) == (0, "catallax-reproduce-family-1", "test")
    assert [one["experiment"] for one in answer["experiments"]] == [NAME]
    assert [claim["verdict"] for claim in answer["experiments"][0]["claims"]].count("reproduced") == 2


def test_settings_belong_to_one_experiment(cli, family):
    code, _, err = cli("reproduce", "test", "--set", "mean=9", "--quiet")
    assert code == 2 and "test is a family of experiments" in err and NAME in err


@pytest.mark.parametrize(
    ("cores", "flags", "made"),
    [
        (1, "--a=b", "--a=b"),
        (2, "--a=b", "--a=b --xla_force_host_platform_device_count=2"),
        (2, "--xla_force_host_platform_device_count=7", "--xla_force_host_platform_device_count=7"),
    ],
)
def test_replications_are_spread_over_cores_if_asked(monkeypatch, cores, flags, made):
    monkeypatch.setattr(environment, "available_cores", lambda: 2)
    monkeypatch.setenv("XLA_FLAGS", flags)
    monkeypatch.delitem(sys.modules, "jax")
    use_cores(cores)
    assert os.environ["XLA_FLAGS"] == made


@pytest.mark.parametrize(
    ("manifest", "cores"),
    [
        ('{"attempts": [{"device": {"count": 2}}, {"device": {"count": 1}}]}', 2),
        ('{"attempts": [{"device": {"count": 64}}]}', 4),
        ('{"attempts": []}', 1),
        ('{"attempts": [{"device": {"count": "two"}}]}', 1),
        ("no json", 1),
        (None, 1),
    ],
)
def test_a_run_is_resumed_with_as_many_cores_as_it_began_with(monkeypatch, tmp_path, manifest, cores):
    monkeypatch.setattr(environment, "available_cores", lambda: 4)
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    assert cores_of_run(tmp_path) == cores


def test_more_cores_than_there_are_is_wrong_use(cli):
    code, _, err = cli("run", NAME, "--cores", 4096, "--quiet")
    assert code == 2 and "--cores 4096: this process may use" in err


def test_report_rebuilds_from_stored_results_and_never_computes(cli, finished, monkeypatch):
    before = files(finished)
    derived = [path for path in before if path.parent.name in ("tables", "figures") or path.name == "summary.json"]
    assert len(derived) == 10
    for path in derived:
        path.unlink()
    monkeypatch.setattr(execution, "execute", _refuse)
    code, out, _ = cli("report", finished)
    assert code == 0 and "reproduced" in out
    assert files(finished) == before


def test_a_negative_verdict_is_a_good_result(cli):
    options = ("--scale", "paper", "--set", "mean=9", "--json", "--quiet")
    code, out, _ = cli("reproduce", NAME, *options)
    assert code == 0
    assert json.loads(out)["claims"][0]["verdict"] == "direction only"
    code, out, _ = cli("reproduce", NAME, *options, "--set", "strict=true", "--set", "breaks=claim")
    answer = json.loads(out)
    assert code == 1 and answer["status"] == "failed" and answer["failed"] == ["sign"]
    assert [claim["verdict"] for claim in answer["claims"]] == [
        "direction only",
        "not comparable",
        "not comparable",
    ]
    code, out, _ = cli("report", answer["run_dir"])
    assert code == 1 and "no estimate for: sign" in out and "no such variable" in out


# ---------------------------------------------------------------- bad input

BAD = [
    # arguments, exit code, what the line says
    (["rum"], 2, 'Did you mean "run"'),
    (["run"], 2, "NAME"),
    (["run", "test.nose"], 2, 'did you mean "test.noise"'),
    (["reproduce", "double_auction.sumary"], 2, 'did you mean "double_auction.summary"'),
    (["show", "test.nose"], 2, "catallax list"),
    (["cite", "test.nose"], 2, 'did you mean "test.noise"'),
    (["cite", "Smith1926"], 2, "did you mean Smith1962"),
    (["run", NAME, "extra"], 2, "extra"),
    (["run", NAME, "--sede", "1"], 2, "Did you mean --seed"),
    (["run", NAME, "--scale", "quik"], 2, "did you mean 'quick'"),
    (["run", NAME, "--scale", ""], 2, "quick"),
    *[
        (["run", NAME, "--seed", text], 2, "must be an integer from 0 to 4294967295")
        for text in ("-1", "1.5", "1e3", "four", "nan", "inf", "", "true", "4294967296", "9" * 40, "\u0661")
    ],
    *[
        (["run", NAME, "--replications", text], 2, "must be an integer from 1 to 1000000")
        for text in ("0", "-3", "two", "2.5", "nan", "1000001")
    ],
    (["run", NAME, "--seed"], 2, "--seed"),
    (["run", NAME, "--seed", "1", "--seed", "2"], 2, "--seed"),
    (["run", NAME, "--set", "traders"], 2, "wanted key=value"),
    (["run", NAME, "--set", "=3"], 2, "wanted key=value"),
    (["run", NAME, "--set", "traders=3", "--set", "traders=4"], 2, "traders is given twice"),
    (["run", NAME, "--set", "tradres=3"], 2, "did you mean 'traders'"),
    *[
        (["run", NAME, "--set", f"traders={text}"], 2, f'traders must be an integer >= 1, got "{text}"')
        for text in ("0", "-1", "four", "1.5", "true", "nan", "")
    ],
    *[
        (["run", NAME, "--set", f"mean={text}"], 2, "mean must be")
        for text in ("nan", "inf", "-inf", "1e999", "101", "x")
    ],
    (["run", NAME, "--set", "rule=midpont"], 2, "rule must be one of"),
    (["run", NAME, "--set", "strict=maybe"], 2, "strict must be true or false"),
    (["run", NAME, "--config", "missing.toml"], 3, "missing.toml"),
    (["run", NAME, "--config", "folder"], 3, "folder"),
    (["run", NAME, "--config", "loop"], 3, "loop"),
    (["run", NAME, "--config", ""], 2, "--config"),
    (["run", NAME, "--config", "latin.toml"], 3, "UTF-8"),
    (["run", NAME, "--config", "nul.toml"], 3, "TOML"),
    (["run", NAME, "--config", "broken.toml"], 3, "TOML"),
    (["run", NAME, "--config", "twice.toml"], 3, "TOML"),
    (["run", NAME, "--config", "deep.toml"], 3, "TOML"),
    (["run", NAME, "--config", "large.toml"], 3, "too large"),
    (["run", NAME, "--config", "unknown.toml"], 2, "did you mean 'traders'"),
    (["run", NAME, "--config", "text.toml"], 2, 'traders must be an integer >= 1, got "4"'),
    (["run", NAME, "--config", "truth.toml"], 2, "traders must be an integer >= 1, got true"),
    (["run", NAME, "--config", "nan.toml"], 2, "mean must be"),
    (["run", NAME, "--out", ""], 2, "--out"),
    (["run", NAME, "--out", "a file"], 2, "a file"),
    (["run", NAME, "--out", "a file/below/it"], 2, "a file"),
    (["run", NAME, "--out", "folder"], 2, "precious"),
    (["resume", "nowhere"], 2, "no such run directory"),
    (["resume", "a file"], 2, "not a run directory"),
    (["resume", "folder"], 3, "not a run"),
    (["report", "nowhere"], 2, "no such run directory"),
    (["report", "folder"], 3, "not a run"),
    (["report"], 2, "DIRECTORY"),
    (["report", "mangled"], 3, "spec.json"),
    (["report", "other"], 3, "spec.json"),
]


def litter(directory):
    """Files a user may point at by mistake."""
    (directory / "a file").write_text("precious")
    (directory / "folder").mkdir()
    (directory / "folder" / "precious").write_text("precious")
    (directory / "loop").symlink_to(directory / "loop")
    (directory / "latin.toml").write_bytes(b'rule = "caf\xe9"\n')
    (directory / "nul.toml").write_bytes(b"mean = 1\0\n")
    (directory / "broken.toml").write_text("mean = = 1\n")
    (directory / "twice.toml").write_text("mean = 1\nmean = 2\n")
    (directory / "deep.toml").write_text("mean = " + "[" * 5_000)
    (directory / "large.toml").write_text("# " + "x" * (2 << 20))
    (directory / "unknown.toml").write_text("tradres = 1\n")
    (directory / "text.toml").write_text('traders = "4"\n')
    (directory / "truth.toml").write_text("traders = true\n")
    (directory / "nan.toml").write_text("mean = nan\n")
    for name, text in (("mangled", "{"), ("other", '{"spec": {}, "settings": {}, "sha256": "0"}')):
        (directory / name).mkdir()
        (directory / name / "spec.json").write_text(text)


@pytest.mark.parametrize(("arguments", "code", "says"), BAD, ids=lambda value: str(value)[:60])
def test_bad_input_ends_with_one_clear_line(cli, tmp_path, arguments, code, says):
    litter(tmp_path)
    before = {path for path in tmp_path.rglob("*")}
    got, out, err = cli(*arguments, *(["--quiet"] if arguments[0] in ("run", "resume", "reproduce") else []))
    assert got == code, err
    assert out == "" and err.startswith("catallax: ") and err.count("\n") == 1 and err.endswith("\n")
    assert says in err, err
    assert "Traceback" not in err
    assert {path for path in tmp_path.rglob("*")} == before  # nothing was left behind
    assert not (tmp_path / "runs").exists()


def test_an_error_as_json(cli):
    code, out, err = cli("run", NAME, "--set", "traders=0", "--json", "--quiet")
    answer = json.loads(out)
    assert code == 2 == answer["exit_code"] and answer["status"] == "error"
    assert answer["message"] in err


def test_a_directory_that_cannot_be_written(cli, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "mkdir", _refuse)
    code, _, err = cli("run", NAME, "--out", tmp_path / "new", "--quiet")
    assert code == 5 and "cannot be written: Permission denied" in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_report_that_cannot_be_written(cli, finished, monkeypatch):
    before = files(finished)
    monkeypatch.setattr(os, "replace", _refuse)
    code, _, err = cli("report", finished)
    assert code == 5 and err.count("\n") == 1
    assert files(finished) == before


def test_another_specification_in_the_directory(cli, finished):
    before = files(finished)
    code, _, err = cli("run", NAME, "--scale", "paper", "--seed", 1, "--out", finished, "--quiet")
    assert code == 2 and "seed: 0 in the directory, 1 asked for" in err and err.count("\n") == 1
    assert files(finished) == before


def test_two_processes_in_one_directory(cli, finished):
    with locked(finished):
        code, _, err = cli("resume", finished, "--quiet")
    assert code == 6 and str(os.getpid()) in err


@pytest.mark.parametrize("damage", ["truncated", "altered", "missing"])
def test_damaged_results_never_enter_a_table(cli, finished, damage):
    chunk = next(finished.rglob("chunk-*.safetensors"))
    good = chunk.read_bytes()
    try:
        if damage == "missing":
            chunk.unlink()
        else:
            chunk.write_bytes(good[:-5] if damage == "truncated" else good[:-5] + bytes([good[-5] ^ 1]) + good[-4:])
        code, out, err = cli("report", finished)
        assert code == 3 and out == "" and err.count("\n") == 1
    finally:
        chunk.write_bytes(good)


def test_nan_ends_a_run_by_name(cli):
    code, _, err = cli("run", NAME, "--set", "nan_at=7", "--quiet")
    assert code == 4 and "treatment" in err and "step" in err and err.count("\n") == 1


def test_a_bug_of_ours_leaves_a_report_and_its_name(cli, tmp_path):
    code, out, err = cli("reproduce", NAME, "--set", "breaks=report", "--quiet")
    assert code == 70 and out == "" and err.count("\n") == 1 and "the report is broken" in err
    (saved,) = tmp_path.glob("catallax-bug-*.txt")
    assert str(saved) in err
    text = saved.read_text()
    assert "Traceback" in text and "cli_experiment.py" in text


def test_debug_shows_the_traceback(cli):
    code, _, err = cli("run", "test.nose", "--debug")
    assert code == 2 and "Traceback" in err and err.splitlines()[-1].startswith("catallax: no experiment")


def test_an_error_cannot_forge_a_second_line():
    failure = errors.describe(errors.CommandError("a\ncatallax: all is well\x1b[2J"))
    assert failure.message == "a; catallax: all is well?[2J"


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (MemoryError(), 5, "out of memory"),
        (OSError(28, "No space left on device", "x"), 5, "free some space"),
        (ModuleNotFoundError("no", name="optax"), 5, '"optax" is missing'),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_the_machine_refuses(error, code, says):
    failure = errors.describe(error)
    assert failure.exit_code == code and says in failure.message


# ---------------------------------------------------------------- interruption


def start_and_interrupt(directory, work, event):
    """Starts a run, sends Ctrl-C after an event of its log; gives seconds to the end, exit code, stderr."""
    arguments = ["run", NAME, "--scale", "paper", "--set", f"work={work}", "--out", "run", "--quiet"]
    log = directory / "run" / "log.jsonl"
    deadline = time.monotonic() + 120
    with spawned(arguments, cwd=directory) as process:
        while not (log.exists() and f'"{event}"' in log.read_text()):
            assert process.poll() is None and time.monotonic() < deadline, process.communicate()
            time.sleep(0.02)
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        return time.monotonic() - asked, process.returncode, err


def test_interrupted_then_resumed_gives_the_same_verdicts(cli, finished, tmp_path):
    seconds, code, err = start_and_interrupt(tmp_path, 300_000, "chunk")
    assert code == 130 and seconds < 5.0
    assert err.splitlines()[-1].startswith("catallax: stopped") and "resume" in err
    chunks = (tmp_path / "run" / "log.jsonl").read_text().count('"chunk"')
    assert 0 < chunks < 12  # neither before the first nor after the last
    code, _, err = cli("report", "run")
    assert code == 3 and "resume" in err
    code, _, err = cli("resume", "run", "--quiet")
    assert code == 0, err
    answer = json.loads(cli("report", "run", "--json")[1])
    reference = json.loads((finished / "summary.json").read_text())
    assert [c["ours"] for c in answer["claims"]] == pytest.approx([c["ours"] for c in reference["claims"]])


def test_a_chunk_that_takes_long_is_left_within_five_seconds(tmp_path):
    seconds, code, err = start_and_interrupt(tmp_path, 300_000_000, "begin")
    assert code == 130 and seconds < 5.0
    assert err.splitlines()[-1].startswith("catallax: stopped")


def test_ctrl_c_before_there_is_anything_to_save_ends_at_once(tmp_path):
    slow = "import time\nprint(1, flush=True)\ntime.sleep(60)\n"
    (tmp_path / "slow_experiment.py").write_text(slow)
    with spawned(["run", NAME], PROGRAM.replace(ENTRY.module, "slow_experiment"), cwd=tmp_path) as process:
        assert process.stdout.readline() == "1\n"
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and time.monotonic() - asked < 5.0
    assert err.splitlines()[-1].startswith("catallax: interrupted")
    assert [path.name for path in tmp_path.iterdir() if path.name != "__pycache__"] == ["slow_experiment.py"]


# ---------------------------------------------------------------- compilation cache


@pytest.fixture
def no_jax(monkeypatch, tmp_path):
    """As before jax is imported, with a home and a cache of its own."""
    monkeypatch.delitem(sys.modules, "jax")
    for name in ("JAX_COMPILATION_CACHE_DIR", *environment._SWITCHES):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_the_cache_is_switched_on(no_jax):
    assert use_cache() == no_jax / "cache" / "catallax" / "jax"
    assert os.environ["JAX_COMPILATION_CACHE_DIR"] == str(no_jax / "cache" / "catallax" / "jax")
    assert os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] == "0"
    assert os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] == "-1"


def test_a_directory_of_the_users_own_is_respected(no_jax, monkeypatch):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(no_jax / "mine"))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "2")
    assert use_cache() == no_jax / "mine"
    assert os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] == "2"
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "")
    assert use_cache() is None


def test_a_cache_that_cannot_be_written_is_silently_off(no_jax, monkeypatch, capsys):
    (no_jax / "cache").write_text("a file where the directory should be")
    assert use_cache() is None
    assert "JAX_COMPILATION_CACHE_DIR" not in os.environ
    assert capsys.readouterr() == ("", "")


# ---------------------------------------------------------------- anything at all

WORDS = [
    "run",
    "show",
    "cite",
    "reproduce",
    "resume",
    "report",
    "list",
    NAME,
    "--set",
    "--seed",
    "--out",
    "--json",
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=6), min_size=1, max_size=5))
def test_no_arguments_reach_a_bug(cli, tmp_path, monkeypatch, arguments):
    def refuse(*args, **kwargs):
        raise InputError("not in this test")

    monkeypatch.setattr(execution, "execute", refuse)
    code, _, err = cli(*arguments)
    assert code in (0, 2, 3), err
    assert code == 0 or err.splitlines()[-1].startswith("catallax: ")
    assert not list(tmp_path.iterdir())
