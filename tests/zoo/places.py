"""Where a piece can be tried: a rule with a seat that it fits, a measure with a dynamics that it can be taken of."""

import functools
import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from catallax.core import AbstractAgent, AbstractDynamics, AbstractGame, AbstractMeasure, Interface


class Seat(NamedTuple):
    """A rule with a seat that it fits: the game, the role, and how it sees and speaks there."""

    rule: Callable[[], AbstractAgent]
    game: Callable[[], AbstractGame]
    role: str = "buyer"
    interface: Callable[[], Interface] = Interface


class Watch(NamedTuple):
    """A measure with a dynamics that it can be taken of. These are shared, so name the function that makes them."""

    measure: Callable[[], AbstractMeasure]
    dynamics: Callable[[], AbstractDynamics]
    x64: bool = False


class Solver(NamedTuple):
    """A dynamics that `solve` brings to rest, with the tolerance that it meets."""

    dynamics: Callable[[], AbstractDynamics]
    tol: float
    x64: bool = False


class Home(NamedTuple):
    """Where every piece of a package is tried that has no entry of its own.

    Attributes:
        package: The package that exports the pieces.
        root: Their base class.
        place: From a function that makes a piece to its entry.
        arguments: What pieces are made of, by the name of the parameter; all without a default must be here.
    """

    package: ModuleType
    root: type
    place: Callable[[Callable[[], Any]], Any]
    arguments: Mapping[str, Callable[[], Any]] = {}


def exported(package: ModuleType, root: type) -> list[type]:
    """The classes under `root` that a package exports and that can be made, in the order of its imports."""
    return [
        cls
        for name, cls in vars(package).items()
        if inspect.isclass(cls) and issubclass(cls, root) and not inspect.isabstract(cls) and name == cls.__name__
        if cls.__module__.startswith(package.__name__ + ".")
    ]


def derived(home: Home, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of the package's classes that `entries` does not name and for which there are arguments."""
    named, found = {class_of(name) for name in entries}, {}
    for cls in exported(home.package, home.root):
        parameters = inspect.signature(cls).parameters.values()
        needed = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        if cls.__name__ not in named and all(name in home.arguments for name in needed):
            make = functools.partial(made, cls, {name: home.arguments[name] for name in needed})
            found[cls.__name__] = home.place(make)
    return found


def made(cls: type, arguments: Mapping[str, Callable[[], Any]]) -> Any:
    """An object of the class, its arguments made for it."""
    return cls(**{name: make() for name, make in arguments.items()})


def class_of(name: str) -> str:
    """The class that an entry is of, by the entry's name: what stands before the first comma."""
    return name.partition(",")[0]
