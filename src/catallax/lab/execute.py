"""Run an experiment: cells, blocks of replications, chunks of steps. A run resumes after the last saved chunk.

Each cell has one compiled program: vmap over lanes of vmap over replications of a scan over `chunk` steps, with the
first step as an argument. The series of a chunk are written to disk and dropped, so that memory does not grow with the
steps.
"""

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import Any

import jax

from catallax.core.errors import EnvironmentFailure, FileError, InputError, Interrupted
from catallax.lab import files, nan_guard
from catallax.lab.experiment import Cell, Experiment, S
from catallax.lab.interrupt import Worker, stop_on_signal
from catallax.lab.manifest import Manifest, describe_machine
from catallax.lab.program import CellProgram, HostTree, check_series_form, choose_chunk, period_of, size_in_bytes
from catallax.lab.progress import Progress, SilentProgress
from catallax.lab.results import Results
from catallax.lab.run_directory import BlockFiles, RunDirectory, locked
from catallax.lab.settings import check_settings
from catallax.lab.specification import directory_name, make_specification

RUNS = Path("runs")
"""Run directories are made below this folder of the current directory, unless another directory is given."""

_MARGIN = 4 << 20  # bytes that must be free beyond the estimate, for manifest, log and file system


def execute(
    experiment: Experiment[S],
    settings: S | None = None,
    scale: str = "quick",
    seed: int = 0,
    directory: str | PathLike[str] | None = None,
    *,
    replications: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Results[S]:
    """Run an experiment in a directory, or continue the run that is there; both give the same bits.

    If it is called in the main thread, it answers Ctrl-C and SIGTERM. The first signal finishes and saves the running
    chunk; if that takes longer than the grace of `catallax.lab.interrupt`, the chunk is abandoned. The second signal
    raises KeyboardInterrupt at once. Everything that was saved stays valid.

    Args:
        experiment: What to run.
        settings: An instance of the experiment's settings; the defaults if left out.
        scale: The name of one of its scales.
        seed: 0 <= seed < 2**32; replicate r has the key fold(key(seed), r).
        directory: The directory of this run alone: new, empty, or holding the same run. If left out, it is
            `runs/<experiment>-<scale>-<hash>`, so that the same call finds its run again.
        replications: The number of replications, if it differs from that of the scale.
        progress: Told how far the run is; nobody by default.
        should_stop: Asked a few times a second; if it returns True, the run ends as at Ctrl-C.

    Raises:
        InputError: an argument is wrong, or the directory holds another run (the message shows the difference).
        FileError: a saved file is truncated or altered.
        NumericalError: NaN, with cell, replicate, step and leaf.
        EnvironmentFailure: the directory cannot be written or the disk is full; what was saved before is valid.
        LockedError: another process works in the directory.
        Interrupted: the run was stopped; the same call continues it. A process ends at once with `os._exit`, even if a
            computation that cannot be interrupted is still running.
    """
    _check_seed(seed)
    if replications is not None:
        experiment = experiment.resized(scale, replications=replications)
    settings = experiment.settings() if settings is None else settings
    check_settings(experiment, settings)
    experiment.scale(scale)
    progress = progress or SilentProgress()
    with ExitStack() as stack:
        signalled = stack.enter_context(stop_on_signal(progress.note))

        def stop() -> bool:
            return signalled() or (should_stop is not None and should_stop())

        worker = Worker(stop, progress.tick, jax.enable_x64(experiment.x64))
        stack.callback(worker.close)
        progress.stage("preparing")
        cells = worker.call(experiment.build_cells, settings, scale)
        spec = make_specification(experiment, settings, scale, seed, cells)
        place = RunDirectory.at(RUNS / directory_name(spec) if directory is None else directory)
        run = _Run(experiment, settings, spec, place, progress, stop, worker)
        run.begin(stack)
        with run.manifest.attempt(worker.call(describe_machine), progress.note):
            run.run_cells()
        if stop():
            raise Interrupted(f"stopped; the run in {place.path} is complete")
    return Results(experiment, place)


def resume(
    experiment: Experiment[S],
    directory: str | PathLike[str],
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Results[S]:
    """Continue the run in a directory, with the settings, scale, size and seed it began with.

    Args:
        experiment: The experiment of the run.
        directory: The run directory.
        progress: As for `execute`.
        should_stop: As for `execute`.

    Raises:
        CatallaxError: as `execute`.
    """
    place = RunDirectory.at(directory)
    return execute(*place.request(experiment), place, progress=progress, should_stop=should_stop)


class _Run:
    """One call of `execute`. Files are written by the calling thread; JAX is used by the thread of the worker."""

    def __init__(
        self,
        experiment: Experiment,
        settings: Any,
        spec: dict[str, Any],
        directory: RunDirectory,
        progress: Progress,
        stop: Callable[[], bool],
        worker: Worker,
    ) -> None:
        self.experiment, self.settings, self.spec, self.seed = experiment, settings, spec, spec["seed"]
        self.scale_name = spec["scale"]["name"]
        self.scale = experiment.scale(self.scale_name)
        self.directory, self.progress, self.stop, self.worker = directory, progress, stop, worker
        self.blocks = -(-self.scale.replications // self.scale.block)
        self.programs: dict[str, CellProgram] = {}

    def begin(self, stack: ExitStack) -> None:
        """Open the directory, and lock it until `stack` is closed; trace the cells that are not finished.

        If a new run fails here, its files are removed.
        """
        self.directory.check()
        made = not self.directory.path.exists()
        files.make_directory(self.directory.path)
        stack.enter_context(locked(self.directory))
        fresh = not self.directory.spec.exists()
        try:
            self.settings = self.directory.open(self.spec, self.settings)
            self.cells = self.worker.call(self.experiment.build_cells, self.settings, self.scale_name)
            self.manifest = Manifest(self.directory, self.experiment, self.scale_name)
            self._check_room(sum(self._trace(cell) for cell in self.cells if not self._is_finished(cell)))
        except Exception as error:
            if fresh and not isinstance(error, Interrupted):
                self.directory.clear(whole=made)
            raise

    def _is_finished(self, cell: Cell) -> bool:
        """Whether all blocks of a cell are finished and whole, and the manifest describes it."""
        steps = cell.steps_at(self.scale_name, self.scale)
        whole = [self._is_whole(self.directory.block(cell.name, block), steps) for block in range(self.blocks)]
        return all(whole) and self.manifest.describes(cell.name)

    def _is_whole(self, place: BlockFiles, steps: int) -> bool:
        """Whether a block is finished and none of its files is missing or damaged; else it is computed again."""
        if not place.final.exists():
            return False
        try:
            step = files.read_arrays(place.final, "state", self.directory.stored().sha256).about["step"]
            covered = self._covered(place, steps)
            damage = (
                "" if step == covered == steps else f"{place.directory}: the chunks end at {covered} of {steps} steps"
            )
        except FileError as error:
            damage = str(error)
        if damage:
            self.progress.note(f"{damage}. The block is computed again")
            place.final.unlink()
        return not damage

    def _covered(self, place: BlockFiles, steps: int) -> int:
        """The number of steps up to which the chunks of a block follow each other on disk, at most `steps`.

        Raises:
            FileError: a chunk is damaged, or of another run.
        """
        covered = 0
        for path in place.chunks():
            if covered >= steps:
                break
            about = files.read_arrays(path, "series", self.directory.stored().sha256).about
            if about["start"] != covered:
                break
            covered = about["stop"]
        return covered

    def _check_room(self, needed: int) -> None:
        """Refuse a disk that has not this many bytes free."""
        free = shutil.disk_usage(self.directory.path).free
        if needed + _MARGIN > free:
            raise EnvironmentFailure(
                f"{self.directory.path}: the run needs about {needed >> 20} MiB and {free >> 20} MiB are free; "
                "choose another disk or record less"
            )

    def _trace(self, cell: Cell) -> int:
        """Trace the program of a cell and describe the cell; returns how many bytes it will write at most."""
        self.progress.stage(f"tracing {cell.name}")
        steps, period = cell.steps_at(self.scale_name, self.scale), period_of(cell)
        chunk = choose_chunk(steps, self.scale.chunk, period)
        if steps % chunk:
            self.progress.note(
                f"cell {cell.name!r}: {steps} steps do not divide into chunks of about {self.scale.chunk} steps "
                f"that are multiples of {period}; the last chunk is shorter and compiled apart"
            )
        program = self.worker.call(CellProgram, cell, self.scale.block, self.seed)
        series = self.worker.call(program.trace, chunk)
        check_series_form(cell, series)
        if steps > program.longest(chunk):
            raise InputError(
                f"cell {cell.name!r}: {steps} steps are more than it can draw for ({program.longest(chunk)})"
            )
        self.programs[cell.name] = program
        self.manifest.describe(cell, steps, chunk, series)
        state = 2 * size_in_bytes(program.state_like)
        return self.blocks * (state + size_in_bytes(series) * steps // chunk)

    def run_cells(self) -> None:
        """Run the blocks that are not finished, cell after cell."""
        todo = []
        total = done = 0
        for cell in self.cells:
            steps = cell.steps_at(self.scale_name, self.scale)
            for block in range(self.blocks):
                start, state = self._saved(cell, block, steps)
                total, done = total + steps, done + start
                place = self.directory.block(cell.name, block)
                if start < steps:
                    todo.append((cell, block, steps, start, state))
                elif not place.final.exists():
                    files.rename_atomically(place.checkpoint, place.final)
        self.progress.plan(total, done)
        for remaining in todo:
            self._run_block(*remaining)

    def _saved(self, cell: Cell, block: int, steps: int) -> tuple[int, HostTree | None]:
        """The number of steps that are saved of a block, and the state there (None at the first and the last step)."""
        place = self.directory.block(cell.name, block)
        if place.final.exists():
            return steps, None
        if not place.checkpoint.exists():
            return 0, None
        sha256 = self.directory.stored().sha256
        found = files.read_arrays(place.checkpoint, "state", sha256)
        step = found.about["step"]
        covered = self._covered(place, step)
        if covered != step or (found.about["cell"], found.about["block"]) != (cell.name, block):
            raise FileError(
                f"{place.directory}: the chunks on disk end at step {covered}, the checkpoint is at step {step}; "
                "delete this directory and resume: the block is computed again"
            )
        return step, (HostTree(found.arrays, found.about["keys"]) if step < steps else None)

    def _run_block(self, cell: Cell, block: int, steps: int, start: int, saved: HostTree | None) -> None:
        """Run all remaining chunks of a block."""
        program, place = self.programs[cell.name], self.directory.block(cell.name, block)
        chunk = choose_chunk(steps, self.scale.chunk, period_of(cell))
        files.make_directory(place.directory)
        where = cell.name if self.blocks == 1 else f"{cell.name}, block {block + 1} of {self.blocks}"
        keys = self.worker.call(program.keys, block)
        if saved is None:
            self.progress.stage(f"{where}: first states")
            states = self.worker.call(program.begin, keys)
        else:
            states = self.worker.call(program.restore, saved, str(place.checkpoint))
        while start < steps:
            count = min(chunk, steps - start)
            self._leave_if_asked()
            if not program.is_compiled(count):
                self.progress.stage(f"{where}: compiling")
                self.worker.call(program.compile, count)
                self._leave_if_asked()
            self.progress.stage(where)
            began = time.monotonic()
            states, host, series = self.worker.call(program.advance, keys, states, start, count)
            seconds = round(time.monotonic() - began, 4)
            self._save(place, nan_guard.Span(cell, block * self.scale.block, start, start + count), host, series)
            self.manifest.log("chunk", cell=cell.name, block=block, start=start, stop=start + count, seconds=seconds)
            start += count
            self.progress.advance(count)
        files.rename_atomically(place.checkpoint, place.final)
        self.manifest.log("block", cell=cell.name, block=block)

    def _save(self, place: BlockFiles, span: nan_guard.Span, state: HostTree, series: dict[str, Any]) -> None:
        """Check a chunk for NaN, then write its series, then the checkpoint.

        A process that is killed between the two files repeats the chunk.
        """
        cell, axis = span.cell, 1 if span.cell.lanes else 0
        real = min(self.scale.block, self.scale.replications - span.first_replicate)
        kept = HostTree(series, {}).first(real, axis).arrays  # the last block is padded beyond the last replication
        nan_guard.check_series(kept, span)
        nan_guard.check_state(state.first(real, axis), span)
        about: dict[str, Any] = {
            "spec": self.directory.stored().sha256,
            "cell": cell.name,
            "block": span.first_replicate // self.scale.block,
        }
        chunk = {"kind": "series", "start": span.start, "stop": span.stop}
        files.write_arrays(place.chunk(span.start), kept, about | chunk)
        checkpoint = {"kind": "state", "step": span.stop, "keys": state.keys}
        files.write_arrays(place.checkpoint, state.arrays, about | checkpoint)

    def _leave_if_asked(self) -> None:
        """End the run if a stop was requested."""
        if self.stop():
            raise Interrupted(f"stopped and saved; resume {self.directory.path} to continue")


def _check_seed(seed: object) -> None:
    """Refuse what is not an integer of 32 bits."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise InputError(f"seed must be an integer from 0 to 2**32 - 1, got {seed!r}")
