"""Results of a finished run with some stored numbers changed, to see that claims and reports notice."""

from collections.abc import Callable
from typing import Any


class Doctored:
    """Answers as the results do, with datasets changed by the functions given, one for each cell."""

    def __init__(self, results: Any, changes: dict[str, Callable[[Any], None]]) -> None:
        self._results, self._changes = results, changes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._results, name)

    def dataset(self, cell: str) -> Any:
        """A deep copy, changed in place by the cell's function."""
        data = self._results.dataset(cell)
        if cell in self._changes:
            data = data.copy(deep=True)
            self._changes[cell](data)
        return data


def swap_trajectory(to: int, by: int) -> Callable[[Any], None]:
    """Puts another trajectory in the place of one, in every variable."""

    def change(data: Any) -> None:
        for variable in data.data_vars.values():
            variable.values[..., to] = variable.values[..., by]

    return change
