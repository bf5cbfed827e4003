"""The results of a run: labelled data that are read from its files, and the report and verdicts made from them."""

from collections.abc import Iterator
from os import PathLike
from typing import TYPE_CHECKING, Any, Generic, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from catallax.core.errors import FileError, InputError
from catallax.lab import files
from catallax.lab.experiment import Cell, Experiment, S, Scale, nearest
from catallax.lab.program import CellProgram, HostTree
from catallax.lab.report import Judgement, Report, judge_all, write_report
from catallax.lab.run_directory import BlockFiles, RunDirectory

if TYPE_CHECKING:
    from pathlib import Path

    import xarray


class WrittenReport(NamedTuple):
    """A report that was written into a run directory.

    Attributes:
        report: The tables and figures.
        judgement: The verdicts, and the claims whose estimate failed.
        files: The files that were written, summary.json last.
    """

    report: Report
    judgement: Judgement
    files: "tuple[Path, ...]"


class Results(Generic[S]):
    """A run on disk. Opening it reads its specification and manifest; data are read and verified when they are used.

    Args:
        experiment: The experiment of the run.
        directory: The run directory.

    Raises:
        FileError: the directory holds no run, or a file was altered.
        InputError: the run is of another experiment, or of a scale that the experiment does not have.
    """

    def __init__(self, experiment: Experiment[S], directory: str | PathLike[str]) -> None:
        self._place = RunDirectory.at(directory)
        self.directory = self._place.path
        self._hash = self._place.stored().sha256
        request = self._place.request(experiment)
        self.experiment: Experiment[S] = request.experiment
        self.settings: S = request.settings
        self.scale_name, self.seed = request.scale_name, request.seed
        self.scale: Scale = self.experiment.scale(self.scale_name)
        self.manifest = files.read_json(self._place.manifest)
        if self.manifest.get("spec_sha256") != self._hash:
            raise FileError(f"{self._place.manifest}: belongs to another run, or was altered")
        self._cells: dict[str, Cell] | None = None
        self._datasets: dict[str, xarray.Dataset] = {}

    @property
    def complete(self) -> bool:
        """Whether every block of every cell is finished."""
        return self.manifest["status"] == "complete"

    @property
    def cells(self) -> dict[str, Cell]:
        """The cells by name, in their order, built from the settings of the run."""
        if self._cells is None:
            with jax.enable_x64(self.experiment.x64):
                cells = self.experiment.build_cells(self.settings, self.scale_name)
                self._cells = {c.name: c for c in cells}
        return self._cells

    # ------------------------------------------------------------------ what the run shows

    def report(self) -> Report:
        """The tables and figures of the experiment.

        Raises:
            FileError: the run is not finished, or a file is missing, truncated or altered.
        """
        return self.experiment.report(self)

    def judge(self) -> Judgement:
        """The verdicts on the experiment's claims.

        Raises:
            FileError: as `report`.
        """
        return judge_all(self.experiment.claims, self)

    def write_report(self) -> WrittenReport:
        """Make the report and the verdicts and write them into the run directory; see `catallax.lab.report`.

        Raises:
            FileError: as `report`.
            EnvironmentFailure: a file cannot be written.
        """
        report, judgement = self.experiment.report(self), judge_all(self.experiment.claims, self)
        about = {
            "experiment": self.experiment.name,
            "title": self.experiment.title,
            "scale": self.scale_name,
            "replications": self.scale.replications,
            "seed": self.seed,
        }
        return WrittenReport(report, judgement, write_report(report, self.directory, judgement=judgement, about=about))

    # ------------------------------------------------------------------ what the run recorded

    def dataset(self, cell_name: str) -> "xarray.Dataset":
        """Everything that the measures of a cell recorded.

        The dimensions are "replicate", one for each lane, "phase" (the number of the step at whose end a value was
        taken, counted from 0), and the dimensions of the variable. If measures of a cell have several `every`, "phase"
        belongs to the shortest, and "phase_every_k" to a longer one, k. Unit and meaning are attributes of each
        variable.

        Raises:
            InputError: there is no such cell.
            FileError: the run is not finished, or a file is missing, truncated or altered.
        """
        if cell_name in self._datasets:
            return self._datasets[cell_name]
        import xarray

        about = self._about(cell_name)
        lanes = {name: np.asarray(values) for name, values in about["lanes"].items()}
        blocks = [self._block_series(place, about) for _, place in self._blocks(cell_name)]
        coords: dict[str, Any] = {"replicate": np.arange(self.scale.replications), **lanes}
        variables = {}
        for v in about["variables"]:
            # from [(lane,) replicate, evaluation, ...] to [replicate, lane axes..., evaluation, ...]
            value = np.concatenate([b[v["name"]] for b in blocks], axis=1 if lanes else 0)
            if lanes:
                value = np.moveaxis(value, 1, 0)
                value = value.reshape(value.shape[0], *(len(x) for x in lanes.values()), *value.shape[2:])
            time = v["dims"][1 + len(lanes)]
            coords[time] = np.arange(v["every"] - 1, about["steps"], v["every"])
            attrs = {"unit": v["unit"], "meaning": v["meaning"], "every": v["every"]}
            variables[v["name"]] = xarray.Variable(tuple(v["dims"]), value, attrs)
        attrs = {"experiment": self.experiment.name, "cell": cell_name, "label": about["label"], "spec": self._hash}
        self._datasets[cell_name] = xarray.Dataset(variables, coords, attrs)
        return self._datasets[cell_name]

    def final(self, cell_name: str) -> Any:
        """The last state of a cell's dynamics: NumPy arrays and typed keys, [lane axes..., replicate, ...].

        Raises:
            InputError: as `dataset`.
            FileError: as `dataset`.
        """
        self._about(cell_name)
        cell = self.cells[cell_name]
        axis, shape = 1 if cell.lanes else 0, [len(v) for v in cell.lanes.values()]
        with jax.enable_x64(self.experiment.x64):
            program = CellProgram(cell, self.scale.block, self.seed, devices=jax.local_devices()[:1])
            parts = [self._final_block(program, axis, *block) for block in self._blocks(cell_name)]
            return jax.tree.map(lambda *leaves: _join(leaves, axis, shape), *parts)

    def _final_block(self, program: CellProgram, axis: int, block: int, place: BlockFiles) -> Any:
        """The last state of one block, without its padding."""
        found = files.read_arrays(place.final, "state", self._hash)
        tree = program.on_host(HostTree(found.arrays, found.about["keys"]), str(place.final))
        real = min(self.scale.block, self.scale.replications - block * self.scale.block)
        return jax.tree.map(lambda x: x[:, :real] if axis else x[:real], tree)

    def _block_series(self, place: BlockFiles, about: dict[str, Any]) -> dict[str, np.ndarray]:
        """The series of one block over all its steps."""
        names = [v["name"] for v in about["variables"]]
        chunks: list[dict[str, np.ndarray]] = []
        covered = 0
        for path in place.chunks():
            found = files.read_arrays(path, "series", self._hash)
            if found.about["start"] != covered:
                raise FileError(f"{path}: begins at step {found.about['start']}, but step {covered} is missing")
            if set(found.arrays) != set(names):
                raise FileError(f"{path}: holds other variables than the manifest names")
            chunks.append(found.arrays)
            covered = found.about["stop"]
        if covered != about["steps"]:
            raise FileError(
                f"{place.directory}: the series end at step {covered} of {about['steps']}; a file is missing"
            )
        axis = 2 if about["lanes"] else 1
        return {name: np.concatenate([c[name] for c in chunks], axis=axis) for name in names}

    def _about(self, cell_name: str) -> dict[str, Any]:
        """The manifest's entry of a cell."""
        cells = self.manifest["cells"]
        if cell_name not in cells:
            raise InputError(f"{self.experiment.name} has no cell {cell_name!r}; {nearest(cell_name, cells)}")
        return cells[cell_name]

    def _blocks(self, cell_name: str) -> Iterator[tuple[int, BlockFiles]]:
        """Number and files of the blocks of a cell; FileError for a block that is not finished."""
        for block in range(-(-self.scale.replications // self.scale.block)):
            place = self._place.block(cell_name, block)
            if not place.final.exists():
                raise FileError(f"{self.directory}: cell {cell_name!r} is not finished; resume the run first")
            yield block, place


def _join(leaves: tuple[Any, ...], axis: int, lanes: list[int]) -> Any:
    """The blocks of a leaf joined along the replicate axis; the flat lane axis becomes one axis a lane."""
    if jnp.issubdtype(leaves[0].dtype, jax.dtypes.prng_key):
        whole = jnp.concatenate(leaves, axis=axis)
    else:
        whole = np.concatenate(leaves, axis=axis)
    return whole.reshape(*lanes, *whole.shape[1:]) if lanes else whole
