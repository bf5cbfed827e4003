"""The library's errors. Messages say what is wrong, where, why and what to do; each class has an exit code."""


class CatallaxError(Exception):
    """The root of all errors of this library. `exit_code` is what the command line returns; 70 is a bug of ours."""

    exit_code: int = 70


class InputError(CatallaxError):
    """Something the user asked for cannot be: an unknown name, a wrong type, a count below one, options at odds."""

    exit_code = 2


class BuildError(InputError):
    """A game and a population do not fit: a seat filled twice, an action of the wrong form, a hidden observation."""


class FileError(CatallaxError):
    """A file is missing, unreadable, malformed, truncated or altered."""

    exit_code = 3


class NumericalError(CatallaxError):
    """NaN where none may be, or a solver that did not converge when its value was asked for."""

    exit_code = 4


class EnvironmentFailure(CatallaxError):
    """The machine cannot do it: no device, disk full, directory not writable, dependency missing."""

    exit_code = 5


class LockedError(CatallaxError):
    """Another process holds the run directory."""

    exit_code = 6


class Interrupted(CatallaxError):
    """Stopped by Ctrl-C after saving; `resume` continues with the same bits."""

    exit_code = 130
