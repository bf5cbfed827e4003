"""The check of annotations in tests: beartype, which looks at a function when it is first called, not at its import.

Preparing the checks of all functions at import took about a third of the time of the collection. A function inside a
function is made anew at every call of the outer one; its check is prepared once and serves for all that are alike.
"""

from collections.abc import Callable, Hashable
from typing import Any

from beartype import beartype

_prepared: dict[Hashable, Callable] = {}


def checked_when_called(function: Callable) -> Callable:
    """The function with its arguments and its result checked against their annotations.

    jaxtyping hands over functions without a body of their own, which return what they are given or nothing. Functions
    of one name with the same arguments and equal annotations can therefore share one check.
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
