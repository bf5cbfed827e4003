"""The check of annotations in tests: beartype, which looks at a function when it is first called, not at its import.

Most functions of the library are not called by a given worker, and preparing all checks took a third of the collection.
Functions inside functions are made anew at every call of these; the check is prepared once for all that are alike.
"""

from collections.abc import Callable, Hashable
from typing import Any

from beartype import beartype

_prepared: dict[Hashable, Callable] = {}


def checked_when_called(function: Callable) -> Callable:
    """The function with its arguments and its result checked against their annotations.

    The functions that jaxtyping hands over have no body: they return what they are given, or nothing. So of those of
    one name whose annotations are equal any serves for all.
    """
    checked: Callable | None = None

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal checked
        if checked is None:
            checked = _prepare(function)
        return checked(*args, **kwargs)

    return call


def _prepare(function: Callable) -> Callable:
    code = function.__code__
    shape = (code.co_varnames, code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount, code.co_flags)
    key = (function.__module__, function.__qualname__, shape, tuple(function.__annotations__.items()))
    try:
        hash(key)
    except TypeError:  # an annotation that has no hash
        return beartype(function)
    if key not in _prepared:
        _prepared[key] = beartype(function)
    return _prepared[key]
