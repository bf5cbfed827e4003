"""Results with numbers made by hand or changed by hand, to see that claims and reports notice."""

from collections.abc import Callable
from typing import Any

from catallax.lab.results import Results


class HandMade(Results[Any]):
    """The results of a run that was never made: only the cells given here were run.

    Args:
        experiment: the experiment.
        datasets: what its cells recorded, by name; dimensions as in stored results.
        scale_name: the scale of the run.
        seed: the seed of the run.
    """

    def __init__(self, experiment: Any, datasets: dict[str, Any], *, scale_name: str = "quick", seed: int = 0) -> None:
        self.experiment, self.settings, self.seed = experiment, experiment.settings(), seed
        self.scale_name, self.scale = scale_name, experiment.scale(scale_name)
        self._made = datasets

    @property
    def cells(self) -> dict[str, Any]:
        """The cells that were run."""
        cells = self.experiment.build_cells(self.settings, self.scale_name)
        return {cell.name: cell for cell in cells if cell.name in self._made}

    def dataset(self, cell_name: str) -> Any:
        """What the cell recorded."""
        return self._made[cell_name]


class Doctored(Results[Any]):
    """The results of a finished run, with datasets changed by the functions given, one for each cell."""

    def __init__(self, results: Any, changes: dict[str, Callable[[Any], None]]) -> None:
        vars(self).update(vars(results))
        self._results, self._changes = results, changes

    def dataset(self, cell_name: str) -> Any:
        """A deep copy, changed in place by the cell's function."""
        data = self._results.dataset(cell_name)
        if cell_name in self._changes:
            data = data.copy(deep=True)
            self._changes[cell_name](data)
        return data


def verdicts_by_name(judgement: Any) -> dict[str, Any]:
    """All verdicts, those on the parts of a statement as "statement/part"."""
    verdicts = judgement.verdicts
    return {v.id: v for v in verdicts} | {f"{v.id}/{part.id}": part for v in verdicts for part in v.parts}


def swap_trajectory(to: int, by: int) -> Callable[[Any], None]:
    """Puts another trajectory in the place of one, in every variable."""

    def change(data: Any) -> None:
        for variable in data.data_vars.values():
            variable.values[..., to] = variable.values[..., by]

    return change
