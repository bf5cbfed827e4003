"""Results with hand-made data, to test what an experiment reads, claims and shows without running it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray

from catallax.lab.experiment import Cell, Experiment
from catallax.lab.results import Results


class Invented(Results):
    """Results that hold the given datasets, cell by cell, in place of stored ones.

    Args:
        experiment: the experiment whose cells, claims and report are tested.
        scale_name: one of its scales.
        data: name of a cell -> dataset, or nothing for a cell that is not read.
        settings: settings of the run; the defaults if None.
    """

    def __init__(
        self, experiment: Experiment, scale_name: str, data: dict[str, xarray.Dataset], settings: Any = None
    ) -> None:
        self.experiment, self.scale_name, self.scale = experiment, scale_name, experiment.scale(scale_name)
        self.settings = experiment.settings() if settings is None else settings
        self._cells, self._datasets = None, data


def noisy(
    experiment: Experiment,
    scale_name: str,
    sizes: Callable[[Cell], dict[str, int]],
    centres: dict[str, float],
    settings: Any = None,
) -> Invented:
    """Results in which every variable of every cell is a number and a little noise.

    Args:
        experiment, scale_name, settings: as for `Invented`.
        sizes: from a cell to the lengths of the axes of its variables, besides lanes, replications and steps.
        centres: name of a variable -> the number; 10 where it is not named.
    """
    random, results = np.random.default_rng(0), Invented(experiment, scale_name, {}, settings)
    scale = results.scale
    for name, cell in results.cells.items():
        known = {"replicate": scale.replications, "phase": cell.steps_at(scale_name, scale)}
        known |= {lane: len(values) for lane, values in cell.lanes.items()} | sizes(cell)
        made = {}
        for v in cell.variables:
            dims = ("replicate", *cell.lanes, "phase", *v.dims)
            noise = random.normal(size=[known[d] for d in dims])
            made[v.name] = (dims, centres.get(v.name, 10.0) + 0.001 * noise)
        results._datasets[name] = xarray.Dataset(made)
    return results
