"""The library's errors. Each class has an exit code; messages say what is wrong, where it is, why, and what to do."""


class CatallaxError(Exception):
    """The base of all errors of this library. `exit_code` is what the command line returns; 70 marks a bug of ours."""

    exit_code: int = 70


class InputError(CatallaxError):
    """The user asked for something impossible: an unknown name, a wrong type, a count below one, options at odds."""

    exit_code = 2


class BuildError(InputError):
    """A game and a population do not fit: a seat filled twice, an action of the wrong form, a hidden observation."""


class FileError(CatallaxError):
    """A file is missing, unreadable, malformed, truncated or altered."""

    exit_code = 3


class NumericalError(CatallaxError):
    """A value is NaN where none may be, or the value of a solver that did not converge was asked for."""

    exit_code = 4


class EnvironmentFailure(CatallaxError):
    """The machine lacks something: a device, space on the disk, the right to write, an optional package."""

    exit_code = 5


class LockedError(CatallaxError):
    """Another process holds the run directory."""

    exit_code = 6


class Interrupted(CatallaxError):
    """The run was stopped by Ctrl-C and saved its state; `resume` continues it with the same bits."""

    exit_code = 130
