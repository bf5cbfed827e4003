"""A class from a user's own Python file, loaded by path; whatever is wrong with the file is one clear line."""

import importlib.util
import inspect
import sys
from pathlib import Path
from typing import TypeVar

from catallax.core.errors import FileError, InputError

T = TypeVar("T")


def load_class(path: Path, base: type[T]) -> type[T]:
    """The one concrete subclass of `base` that the file defines.

    The file runs as Python with all rights of the user who named it: only name files that you trust.

    Raises:
        FileError: the file is missing, is no Python, or fails while it is run.
        InputError: it defines no such class, or more than one.
    """
    if path.suffix != ".py" or not path.is_file():
        raise FileError(f"{path}: expected a Python file (.py)")
    name = f"catallax_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # a .py file always has both
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up by name
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise FileError(f"{path}:{error.lineno}: not valid Python: {error.msg}") from error
    except Exception as error:
        line = _line(error, path)
        raise FileError(f"{path}:{line}: failed while it was loaded: {type(error).__name__}: {error}") from error
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == name
        and not inspect.isabstract(value)
    ]
    if len(found) != 1:
        names = ", ".join(c.__name__ for c in found) or "none"
        raise InputError(f"{path}: expected one class that extends {base.__name__}, found {names}")
    return found[0]


def make(cls: type[T], path: Path) -> T:
    """An instance with default hyperparameters; `InputError` if the class cannot be made without arguments."""
    try:
        return cls()
    except TypeError as error:
        raise InputError(f"{path}: {cls.__name__}() cannot be made without arguments: {error}") from error


def _line(error: BaseException, path: Path) -> int:
    """The last line of the user's file in the traceback; 0 if it never got there."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
