"""Execution: the same bits however a run is cut, resumed or placed, and nothing bad is saved."""

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import msgspec
import numpy as np
import pytest
import toy_experiment as toy

from catallax.core import replicate, rng
from catallax.core.errors import (
    CatallaxError,
    EnvironmentFailure,
    FileError,
    InputError,
    Interrupted,
    LockedError,
    NumericalError,
)
from catallax.lab import Cell, Direction, Report, Results, Table, files
from catallax.lab import execute as execution
from catallax.lab.execute import execute, resume
from catallax.lab.interrupt import stop_on_signal
from catallax.lab.program import CellProgram, choose_chunk
from catallax.lab.progress import SilentProgress
from catallax.lab.run_directory import RunDirectory, locked

pytestmark = pytest.mark.compile_effort("full")  # bits are those of users

CELLS = ("plain", "lanes")


def run(directory, toy_experiment=None, settings=None, seed=5, **more):
    return execute(toy_experiment or toy.experiment(), settings or toy.WalkSettings(), "quick", seed, directory, **more)


def bits(results, cells=CELLS):
    """Everything a run computed, as bytes."""
    found = {}
    for cell in cells:
        for name, variable in results.dataset(cell).data_vars.items():
            found[cell, name] = (variable.dims, str(variable.dtype), variable.values.tobytes())
        for i, leaf in enumerate(jax.tree.leaves(results.final(cell))):
            is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
            found[cell, i] = np.asarray(jax.random.key_data(leaf) if is_key else leaf).tobytes()
    return found


def plain_only(**change):
    return toy.experiment(cells=lambda s: toy.cells(s)[:1], **change)


@pytest.fixture(scope="module", autouse=True)
def shared_programs():
    """Runs of the same cell share its programs. Without this, lowering them anew is most of the work of this file."""
    programs = {}

    def shared(cell, block, seed):
        key = id(cell), block, seed, jax.config.jax_enable_x64
        if key not in programs:
            programs[key] = cell, CellProgram(cell, block, seed)  # with the cell, so that its id is not used again
        return programs[key][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "CellProgram", shared)
        yield


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, shared_programs):
    return run(tmp_path_factory.mktemp("undisturbed") / "run")


# ------------------------------------------------------------------------------- same bits


@pytest.mark.parametrize("chunk", [24, 3])
def test_the_chunk_changes_nothing(tmp_path, undisturbed, chunk):
    assert bits(run(tmp_path / "run", toy.experiment(chunk=chunk))) == bits(undisturbed)


def test_a_chunk_that_does_not_divide_changes_nothing(tmp_path):
    """29 steps is prime: the last chunk is shorter, and a note says so."""
    notes = []

    class Notes(SilentProgress):
        def note(self, text):
            notes.append(text)

    whole = bits(run(tmp_path / "a", plain_only(steps=29, chunk=29)), ("plain",))
    cut = bits(run(tmp_path / "b", plain_only(steps=29, chunk=6), progress=Notes()), ("plain",))
    assert whole == cut
    assert len(notes) == 1
    assert "compiled apart" in notes[0]


@pytest.mark.parametrize("stop_after", [1, 5, 9])
def test_a_stopped_run_continues_with_the_same_bits(tmp_path, undisturbed, stop_after):
    class Counter(SilentProgress):
        saved = 0

        def advance(self, steps):
            self.saved += 1

    counter = Counter()
    with pytest.raises(Interrupted) as caught:
        run(tmp_path / "run", progress=counter, should_stop=lambda: counter.saved >= stop_after)
    assert caught.value.exit_code == 130
    assert counter.saved == stop_after
    half = Results(toy.experiment(), tmp_path / "run")
    assert half.manifest["status"] == "interrupted"
    with pytest.raises(FileError, match="is not finished"):
        half.dataset("lanes")
    done = resume(toy.experiment(), tmp_path / "run")
    assert bits(done) == bits(undisturbed)
    assert [a["status"] for a in done.manifest["attempts"]] == ["interrupted", "complete"]


def test_a_finished_run_is_not_run_again(undisturbed):
    before = {p: p.stat().st_mtime_ns for p in undisturbed.directory.rglob("cells/**/*") if p.is_file()}

    def refuse(*args):
        pytest.fail("something was compiled")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CellProgram, "compile", refuse)
        patch.setattr(CellProgram, "trace", refuse)
        again = run(undisturbed.directory)
    assert bits(again) == bits(undisturbed)
    assert before == {p: p.stat().st_mtime_ns for p in undisturbed.directory.rglob("cells/**/*") if p.is_file()}


def test_the_padding_of_the_last_block_changes_nothing(tmp_path, undisturbed):
    """Three replications in blocks of two, and four: the third has the same bits, the padding is gone."""
    four = run(tmp_path / "run", toy.experiment(replications=4))
    for cell in CELLS:
        ours, theirs = undisturbed.dataset(cell), four.dataset(cell).isel(replicate=slice(3))
        assert ours.sizes["replicate"] == 3
        assert ours.equals(theirs)
    assert undisturbed.final("plain").place.shape == (3, 3)
    assert undisturbed.final("lanes").place.shape == (3, 3, 3)


def test_execute_is_replicate_with_files(undisturbed):
    """Block 0 of the plain cell is what the public driver gives for the same keys."""
    cell = toy.cells(toy.WalkSettings())[0]
    keys = jnp.stack([rng.fold(rng.key(5), r) for r in range(2)])
    direct = replicate(cell.build(), keys, 24, cell.measures)
    for name, value in direct.series.items():
        stored = undisturbed.dataset("plain")[name].values[:2]
        np.testing.assert_allclose(stored, value, rtol=1e-5, atol=1e-6)
    assert undisturbed.final("plain").visits[:2].tolist() == direct.state.visits.tolist()


def test_replications_and_lanes_share_their_noise(undisturbed):
    """Common random numbers: lanes differ by the factor of the noise only, replications altogether."""
    first = undisturbed.dataset("lanes")["place"].sel(phase=0)
    assert first.dims == ("replicate", "spread", "walker")
    state = jax.vmap(lambda r: toy.Walk(0.1, 1.0).init(rng.fold(rng.key(5), r)).place)(jnp.arange(3))
    noise = (first - (0.9 * np.tanh(np.asarray(state) + 0.1))[:, None]) / first["spread"]
    np.testing.assert_allclose(noise.values, np.broadcast_to(noise.values[:, :1], noise.shape), atol=1e-5)
    assert not np.allclose(noise.values[0], noise.values[1], atol=1e-2)


def test_two_devices_give_the_bits_of_one(tmp_path):
    """Two replications on each; then as many on one."""
    here = str(Path(__file__).parent)
    code = (
        f"import sys; sys.path.insert(0, {here!r}); import jax, toy_experiment as toy;"
        "from catallax.lab.execute import execute; assert jax.local_device_count() == 2;"
        f"execute(toy.experiment(block=4, replications=4), toy.WalkSettings(), 'quick', 5, {str(tmp_path / 'run')!r})"
    )
    flags = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "XLA_FLAGS": flags})
    two = Results(toy.experiment(block=4, replications=4), tmp_path / "run")
    assert two.manifest["attempts"][0]["device"]["count"] == 2
    one = execute(toy.experiment(block=4, replications=4), toy.WalkSettings(), "quick", 5, tmp_path / "one")
    assert bits(two) == bits(one)


def test_double_precision_is_kept_on_disk(tmp_path):
    results = run(tmp_path / "run", plain_only(x64=True))
    assert results.dataset("plain")["place"].dtype == np.float64
    assert results.final("plain").place.dtype == np.float64
    assert jnp.zeros(()).dtype == jnp.float32, "the precision of the caller changed"


# ------------------------------------------------------------------------------- one compile, flat memory


def test_all_chunks_and_blocks_share_one_program(tmp_path):
    traces = []

    class Counted(toy.Walk):
        def step(self, key, state, t):
            traces.append(t)
            return super().step(key, state, t)

    def cells(settings):
        return (Cell(name="plain", label="Plain", build=lambda: Counted(0.1, 1.0), measures=(toy.Place(),)),)

    compiled = []
    with pytest.MonkeyPatch.context() as patch:
        real = jax.stages.Lowered.compile
        patch.setattr(jax.stages.Lowered, "compile", lambda self, *a, **k: (compiled.append(1), real(self, *a, **k))[1])
        run(tmp_path / "run", toy.experiment(cells=cells))
    assert len(compiled) == 2  # the first states and the chunk
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("steps", "asked", "period", "chunk"),
    [
        (5000, 500, 1, 500),
        (5000, 300, 1, 250),
        (5000, 5000, 1, 5000),
        (5000, 9000, 1, 5000),
        (24, 7, 3, 6),
        (24, 1, 3, 3),
        (24, 5, 4, 4),
        (5003, 100, 1, 100),  # a prime: the last chunk is shorter
        (100, 10, 3, 9),  # not a multiple of the period
        (2, 10, 3, 2),
    ],
)
def test_a_chunk_divides_the_steps_where_it_can(steps, asked, period, chunk):
    assert choose_chunk(steps, asked, period) == chunk


# ------------------------------------------------------------------------------- NaN


def test_nan_in_a_series_names_cell_replicate_and_step(tmp_path):
    with pytest.raises(NumericalError) as caught:
        run(tmp_path / "run", plain_only(), toy.WalkSettings(nan_at=8))
    message = str(caught.value)
    assert "cell 'plain'" in message
    assert "step 8: NaN in the variable 'place'" in message
    assert caught.value.exit_code == 4
    files = sorted(p.name for p in (tmp_path / "run").rglob("*.safetensors"))
    assert files == ["checkpoint.safetensors", "chunk-00000000.safetensors"], "a chunk with NaN was saved"
    assert Results(plain_only(), tmp_path / "run").manifest["status"] == "failed"


def test_nan_in_a_state_names_the_leaf(tmp_path):
    class Blind(toy.Place):
        def __call__(self, dynamics, state, record, t):
            return {"place": jnp.zeros(3), "lowest": jnp.float32(jnp.nan)}  # the second may be undefined

    def cells(settings):
        def build(spread):
            return toy.Walk(0.1, spread, nan_at=8)

        return (Cell(name="c", label="C", build=build, measures=(Blind(),), lanes={"spread": (0.5, 2.0)}),)

    with pytest.raises(NumericalError) as caught:
        run(tmp_path / "run", toy.experiment(cells=cells), seed=5)
    assert "cell 'c', spread 0.5, replicate" in str(caught.value)
    assert "in steps 6 to 11: NaN in state.place" in str(caught.value)


def test_nan_in_the_padding_does_not_matter(tmp_path):
    class Nan(toy.Walk):
        """NaN for the fourth replicate of seed 5, which is the padding."""

        def init(self, key):
            bad = jax.random.key_data(rng.fold(rng.key(5), 3))
            state = super().init(key)
            return state._replace(place=jnp.where((jax.random.key_data(key) == bad).all(), jnp.nan, state.place))

    def cells(settings):
        return (Cell(name="plain", label="P", build=lambda: Nan(0.1, 1.0), measures=(toy.Place(),)),)

    run(tmp_path / "a", toy.experiment(cells=cells))
    with pytest.raises(NumericalError, match=r"replicate 3, step 0: "):
        run(tmp_path / "b", toy.experiment(cells=cells, replications=4))


def test_a_count_of_nan_actions_ends_the_run(tmp_path):
    class Count(toy.Place):
        @property
        def variables(self):
            from catallax.core import Variable

            return (Variable("nan_actions", ("group",), "count", "NaN"),)

        def __call__(self, dynamics, state, record, t):
            return {"nan_actions": jnp.where(t == 14, jnp.array([0, 2]), 0)}

    def cells(settings):
        return (Cell(name="plain", label="P", build=lambda: toy.Walk(0.1, 1.0), measures=(Count(),)),)

    with pytest.raises(NumericalError, match="replicate 0, step 14: NaN among the actions or rewards"):
        run(tmp_path / "run", toy.experiment(cells=cells))


# ------------------------------------------------------------------------------- refusals


def test_another_specification_is_refused_with_the_difference(undisturbed):
    for change, words in [
        ({"settings": toy.WalkSettings(drift=0.2)}, "settings.drift: 0.1 in the directory, 0.2 asked for"),
        ({"seed": 6}, "seed: 5 in the directory, 6 asked for"),
        ({"toy_experiment": toy.experiment(block=3)}, "scale.block: 2 in the directory, 3 asked for"),
    ]:
        with pytest.raises(InputError) as caught:
            run(undisturbed.directory, **change)
        assert words in str(caught.value)
    assert bits(run(undisturbed.directory)) == bits(undisturbed)


@pytest.mark.parametrize("seed", [-1, 2**32, True, 1.5, "1"])
def test_a_wrong_seed_is_refused(tmp_path, seed):
    with pytest.raises((InputError, TypeError)):
        run(tmp_path / "run", seed=seed)
    assert not (tmp_path / "run").exists()


def test_a_directory_that_is_something_else_is_refused(tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    for path in (file, file / "below"):
        with pytest.raises(InputError, match="is a file; choose a directory"):
            run(path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match=r"not a run, but it holds 'thesis.tex'"):
        run(tmp_path / "full")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "full", "thesis.tex"]
    assert file.read_text() == "mine"


@pytest.mark.parametrize("mine", ["inputs/my_schedule.csv", "log.jsonl", "manifest.json", "LOCK"])
def test_a_users_files_are_never_taken_for_those_of_a_run(tmp_path, mine):
    """Neither written nor removed, whatever their names: not even by a run that fails at its start."""
    path = tmp_path / "run" / mine
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(InputError, match="not a run, but it holds"):
        run(tmp_path / "run")
    assert [p.read_text() for p in tmp_path.rglob("*") if p.is_file()] == ["mine"]


def test_hidden_files_of_a_user_outlive_a_run_that_is_refused_at_its_start(tmp_path):
    (tmp_path / "run").mkdir()
    for name in (".notes.writing", ".env"):
        (tmp_path / "run" / name).write_text("mine")

    def broken():
        raise InputError("no such market")

    cell = Cell(name="plain", label="broken", build=broken, measures=())
    with pytest.raises(InputError, match="no such market"):
        run(tmp_path / "run", toy.experiment(cells=lambda settings: (cell,)))
    assert sorted(p.name for p in (tmp_path / "run").rglob("*")) == [".env", ".notes.writing"]


@pytest.mark.parametrize("name", ["LOCK", "log.jsonl", "spec.json", "cells"])
def test_nothing_is_opened_through_a_link(tmp_path, name):
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is a link, and nothing is written through links"):
        run(tmp_path / "run")
    assert (tmp_path / "elsewhere").read_text() == "mine"


@pytest.mark.parametrize("damage", ["deleted", "emptied", "a bit", "final"])
def test_a_damaged_block_of_a_finished_run_is_computed_again(tmp_path, undisturbed, damage):
    """Finished blocks are looked at when a run is resumed; the bits are those of the run that nothing happened to."""
    shutil.copytree(undisturbed.directory, tmp_path / "run")
    chunk = sorted((tmp_path / "run").rglob("block-001/chunk-*"))[0]
    if damage == "deleted":
        chunk.unlink()
    elif damage == "emptied":
        chunk.write_bytes(b"")
    else:
        target = chunk if damage == "a bit" else chunk.with_name("final.safetensors")
        data = bytearray(target.read_bytes())
        data[-1] ^= 1
        target.write_bytes(data)
    assert bits(run(tmp_path / "run")) == bits(undisturbed)


def test_a_locked_directory_is_refused_and_left_alone(tmp_path, undisturbed):
    before = sorted(undisturbed.directory.rglob("*"))
    with locked(undisturbed.directory), pytest.raises(LockedError, match=f"process {os.getpid()}"):
        run(undisturbed.directory)
    (tmp_path / "new").mkdir()
    with locked(tmp_path / "new"), pytest.raises(LockedError):
        run(tmp_path / "new")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["LOCK"]
    assert sorted(undisturbed.directory.rglob("*")) == before


@pytest.mark.parametrize("existing", [False, True])
def test_a_measure_that_breaks_its_word_leaves_nothing_behind(tmp_path, existing):
    class Odd(toy.Place):
        def __call__(self, dynamics, state, record, t):
            return {"place": state.place.sum(), "lowest": jnp.float32(0)}

    def cells(settings):
        return (Cell(name="plain", label="P", build=lambda: toy.Walk(0.1, 1.0), measures=(Odd(),)),)

    if existing:
        (tmp_path / "run").mkdir()
    with pytest.raises(InputError, match=r"'place' has the shape \(\) but declares the dimensions"):
        run(tmp_path / "run", toy.experiment(cells=cells))
    assert list(tmp_path.iterdir()) == ([tmp_path / "run"] if existing else [])
    assert not existing or list((tmp_path / "run").iterdir()) == []


def test_names_with_spaces_quotes_and_other_letters(tmp_path):
    results = run(tmp_path / 'a run\'s "größte" 市場', plain_only(steps=6))
    assert results.dataset("plain").sizes["phase"] == 6


def test_too_little_room_is_said_before_the_first_step(tmp_path, monkeypatch):
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(EnvironmentFailure, match="the run needs about"):
        run(tmp_path / "run", plain_only())
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------- damage


@contextlib.contextmanager
def damaged(path, change):
    before = path.read_bytes()
    path.write_bytes(change(before))
    try:
        yield
    finally:
        path.write_bytes(before)


def test_damage_to_any_file_is_found(undisturbed):
    def half(data):
        return data[: len(data) // 2]

    read = {
        "cells/plain/block-001/chunk-00000006.safetensors": lambda r: r.dataset("plain"),
        "cells/lanes/block-000/final.safetensors": lambda r: r.final("lanes"),
        "spec.json": lambda r: None,
        "manifest.json": lambda r: None,
    }
    for name, use in read.items():
        with damaged(undisturbed.directory / name, half), pytest.raises(FileError, match=Path(name).name):
            use(Results(toy.experiment(), undisturbed.directory))
    spec = undisturbed.directory / "spec.json"
    with (
        damaged(spec, lambda d: d.replace(b'"seed": 5', b'"seed": 6')),
        pytest.raises(FileError, match="altered"),
    ):
        Results(toy.experiment(), undisturbed.directory)
    chunk = undisturbed.directory / "cells/plain/block-000/chunk-00000006.safetensors"
    moved = chunk.rename(chunk.with_name("away"))
    with pytest.raises(FileError, match="step 6 is missing"):
        Results(toy.experiment(), undisturbed.directory).dataset("plain")
    moved.rename(chunk)
    assert bits(Results(toy.experiment(), undisturbed.directory)) == bits(undisturbed)


def stopped(directory, after):
    saved = []

    class Counter(SilentProgress):
        def advance(self, steps):
            saved.append(steps)

    with pytest.raises(Interrupted):
        run(directory, plain_only(), progress=Counter(), should_stop=lambda: len(saved) >= after)
    return directory / "cells" / "plain" / "block-000"


def test_a_damaged_checkpoint_stops_the_resume(tmp_path):
    block = stopped(tmp_path / "run", 2)
    with damaged(block / "checkpoint.safetensors", lambda d: d[:-3]):
        with pytest.raises(FileError, match=r"checkpoint\.safetensors: truncated") as caught:
            run(tmp_path / "run", plain_only())
        assert caught.value.exit_code == 3
    (block / "chunk-00000000.safetensors").unlink()
    with pytest.raises(FileError, match="chunks on disk end at step 0, the checkpoint is at step 12"):
        run(tmp_path / "run", plain_only())


def test_a_chunk_newer_than_the_checkpoint_is_done_again(tmp_path):
    block = stopped(tmp_path / "run", 1)
    checkpoint = (block / "checkpoint.safetensors").read_bytes()
    block = stopped(tmp_path / "run", 1)  # one more chunk
    assert (block / "chunk-00000006.safetensors").exists()
    (block / "checkpoint.safetensors").write_bytes(checkpoint)
    (block / "chunk-00000006.safetensors").write_bytes(b"garbage of the same name")
    again = run(tmp_path / "run", plain_only())
    whole = run(tmp_path / "whole", plain_only())
    assert bits(again, ("plain",)) == bits(whole, ("plain",))


class FailAt:
    """Lets the n-th writing call of the operating system fail."""

    def __init__(self, patch, nth, code):
        self.count = 0
        for name in ("write", "fsync", "replace", "mkdir"):
            patch.setattr(os, name, self.wrap(getattr(os, name), nth, code))

    def wrap(self, real, nth, code):
        def call(*args, **kwargs):
            self.count += 1
            if self.count == nth:
                raise OSError(code, os.strerror(code))
            return real(*args, **kwargs)

        return call


def test_whichever_write_fails_the_run_can_go_on(tmp_path):
    """Fails the n-th operation of a whole run for every n, resuming each time: one directory survives."""
    small = plain_only(steps=12, replications=2)
    whole = bits(run(tmp_path / "whole", small), ("plain",))
    failures, n = 0, 0
    finished = False
    while not finished:
        n += 1
        with pytest.MonkeyPatch.context() as patch:
            code = errno.ENOSPC if n % 2 else errno.EIO
            FailAt(patch, n, code)
            try:
                run(tmp_path / "run", small)
                finished = True
            except EnvironmentFailure as error:
                failures += 1
                assert error.exit_code == 5
                assert "\n" not in str(error)
        strays = [p for p in tmp_path.rglob(".*") if p.name.endswith(".writing")]
        assert strays == []
    assert failures > 15
    assert bits(run(tmp_path / "run", small), ("plain",)) == whole


# ------------------------------------------------------------------------------- files of the user, results


class FileSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    table: Path | None = None


def from_file(settings):
    drift = 0.0 if settings.table is None else float(settings.table.read_text())
    return (Cell(name="plain", label="P", build=lambda: toy.Walk(drift, 1.0), measures=(toy.Place(),)),)


def test_a_users_file_is_copied_and_used_from_there(tmp_path):
    file = tmp_path / "drift.txt"
    file.write_text("0.25")
    made = toy.experiment(settings=FileSettings, cells=from_file, steps=6)
    results = run(tmp_path / "run", made, FileSettings(table=file))
    file.unlink()
    assert results.settings.table.read_text() == "0.25"
    again = resume(made, tmp_path / "run")
    assert bits(again, ("plain",)) == bits(results, ("plain",))
    again.settings.table.write_text("0.5")
    with pytest.raises(CatallaxError, match="table"):
        resume(made, tmp_path / "run")


def test_results_are_labelled(undisturbed):
    data = undisturbed.dataset("plain")
    assert data["place"].dims == ("replicate", "phase", "walker")
    assert data["place"].attrs == {"unit": "m", "meaning": "where each walker is", "every": 1}
    assert data["noise"].dims == ("replicate", "phase_every_3", "walker")
    assert data["phase_every_3"].values.tolist() == list(range(2, 24, 3))
    assert data["phase"].values.tolist() == list(range(24))
    lanes = undisturbed.dataset("lanes")
    assert lanes["place"].dims == ("replicate", "spread", "phase", "walker")
    assert lanes["spread"].values.tolist() == [0.5, 1.0, 2.0]
    assert (undisturbed.scale_name, undisturbed.seed) == ("quick", 5)
    assert undisturbed.complete
    with pytest.raises(InputError, match="did you mean 'lanes'"):
        undisturbed.dataset("lane")


def test_the_last_state_belongs_to_the_last_record(undisturbed):
    last = undisturbed.dataset("lanes")["place"].isel(phase=-1)
    np.testing.assert_array_equal(undisturbed.final("lanes").place, last.transpose("spread", "replicate", "walker"))


def test_the_manifest_says_where_numbers_come_from(undisturbed):
    manifest = json.loads((undisturbed.directory / "manifest.json").read_text())
    assert manifest["status"] == "complete"
    attempt = manifest["attempts"][0]
    assert attempt["versions"]["jax"] == jax.__version__
    assert set(attempt["versions"]) == {"python", "catallax", "jax", "jaxlib", "numpy", "equinox"}
    assert attempt["device"]["platform"] == jax.local_devices()[0].platform
    names = {v["name"]: v for v in manifest["cells"]["plain"]["variables"]}
    assert names["lowest"]["may_be_undefined"]
    assert names["place"]["unit"] == "m"
    events = [json.loads(line)["event"] for line in (undisturbed.directory / "log.jsonl").read_text().splitlines()]
    assert events.count("chunk") == 16


def test_a_run_of_another_size_is_read_and_resumed_at_its_own(tmp_path):
    run(tmp_path / "run", plain_only(replications=5, steps=6))
    usual = plain_only(steps=6)
    assert usual.scale("quick").replications == 3
    for results in (Results(usual, tmp_path / "run"), resume(usual, tmp_path / "run")):
        assert results.dataset("plain").sizes["replicate"] == 5
        assert results.final("plain").place.shape == (5, 3)
        assert results.scale.replications == 5


def show(results):
    places = results.dataset("plain")["place"].mean(("phase", "walker"))
    frame = places.to_dataframe("place").reset_index(drop=True)
    return Report((Table(name="places", frame=frame, caption="Mean place in m."),))


def test_run_report_and_verdicts_are_three_lines_of_python(tmp_path, monkeypatch):
    """Without a directory, the run lies where the command line puts it, and the same call finds it again."""
    monkeypatch.chdir(tmp_path)
    rises = Direction(
        id="rises",
        source="Smith1962",
        statement="some walker is above zero at some time",
        sign=1,
        estimate=lambda results: results.dataset("plain")["place"].max(("phase", "walker")),
    )
    experiment = plain_only(steps=6, block=3, report=show, claims=(rises,))

    results = execute(experiment, replications=6)
    report = results.report()
    verdicts = results.judge().verdicts

    assert [len(table.frame) for table in report.tables] == [6]
    assert [(v.id, v.n, v.verdict) for v in verdicts] == [("rises", 6, "direction only")]
    assert (results.scale_name, results.seed, results.settings) == ("quick", 0, toy.WalkSettings())
    assert results.directory == next(Path("runs").glob("test.walk-quick-*"))
    assert results.write_report().judgement.verdicts == verdicts
    assert {path.name for path in results.directory.rglob("*.csv")} == {"places.csv", "claims.csv"}
    assert execute(experiment.resized("quick", chunk=2), replications=6).directory == results.directory
    assert execute(experiment, seed=1, replications=6).directory != results.directory


def test_the_specification_is_read_once(undisturbed, monkeypatch):
    read, real = [], files.read_json
    monkeypatch.setattr(files, "read_json", lambda path: (read.append(path.name), real(path))[1])
    run(undisturbed.directory)
    assert read.count("spec.json") == 1
    place = RunDirectory(undisturbed.directory)  # as the commands resume and report do
    assert place.stored().spec["experiment"] == "test.walk"
    assert bits(resume(toy.experiment(), place), ("plain",)) == bits(undisturbed, ("plain",))
    assert read.count("spec.json") == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("ignored", [False, True])
def test_a_signal_that_was_ignored_from_the_start_stays_ignored(number, ignored):
    """A program in the background of a script ignores SIGINT: Ctrl-C is for the program in front."""
    before = signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        with stop_on_signal(lambda text: None) as stop:
            signal.raise_signal(number)
            assert stop() is not ignored
        assert signal.getsignal(number) is (signal.SIG_IGN if ignored else signal.SIG_DFL)
    finally:
        signal.signal(number, before)


def test_a_long_chunk_is_left_behind_after_the_grace(tmp_path, monkeypatch):
    from catallax.lab import interrupt

    compiling, asked = threading.Event(), []

    def stop():
        if compiling.is_set():
            asked.append(time.monotonic())
        return bool(asked)

    monkeypatch.setattr(interrupt, "GRACE", 0.3)
    monkeypatch.setattr(CellProgram, "compile", lambda self, steps: (compiling.set(), time.sleep(2.5)))
    settings = toy.WalkSettings(drift=0.3)  # no other test has compiled its program
    with pytest.raises(Interrupted, match="the chunk that was running is lost"):
        run(tmp_path / "run", plain_only(), settings, should_stop=stop)
    assert time.monotonic() - asked[0] < 2
    monkeypatch.undo()
    again, whole = (run(tmp_path / name, plain_only(), settings) for name in ("run", "whole"))
    assert bits(again, ("plain",)) == bits(whole, ("plain",))
