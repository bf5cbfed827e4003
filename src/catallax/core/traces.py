"""Traces of a function of a piece: counted, compared with each other and checked for keys that are used twice."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, Var

_PLAIN = (bool, int, float, complex, str, bytes, np.dtype, np.generic, type(None))


class Traced:
    """A function of a piece and other arguments, traced when it is made and compiled when it is first called.

    Args:
        f: the function; its first argument is the piece.
        piece: array leaves are arguments of the program, all else is part of it.
        args: further arguments, arrays only.

    Attributes:
        jaxpr: the traced program.
        form: what the function returns, with a `jax.ShapeDtypeStruct` in place of each array.
    """

    def __init__(self, f: Callable, piece: Any, *args: Any) -> None:
        self.traces = 0

        def counted(piece: Any, *args: Any) -> Any:
            self.traces += 1
            return f(piece, *args)

        self.call = eqx.filter_jit(counted)
        self.jaxpr, arrays, others = eqx.filter_make_jaxpr(self.call)(piece, *args)
        self.form = eqx.combine(arrays, others)

    def again(self, piece: Any, *args: Any) -> bool:
        """Whether this call needs another trace. It is traced only, not compiled."""
        before = self.traces
        eqx.filter_eval_shape(self.call, piece, *args)
        return self.traces > before


def first_difference(a: ClosedJaxpr, b: ClosedJaxpr) -> str | None:
    """Where two programs differ, in words; None where they compute the same in the same order.

    Compared are operations, their order and arguments, constants, shapes and dtypes, and parameters that are plain
    values or programs. Parameters of other kinds (such as derivative rules) are objects without an equality.
    """
    if a is b:
        return None
    for x, y in zip(a.consts, b.consts, strict=False):
        if not _same_array(x, y):
            return f"a constant is {x} and {y}"
    return _in_jaxprs(a.jaxpr, b.jaxpr)


def _in_jaxprs(a: Jaxpr, b: Jaxpr) -> str | None:
    if a is b:
        return None
    known: dict[Var, Var] = dict(zip([*a.constvars, *a.invars], [*b.constvars, *b.invars], strict=False))
    for one, other in zip(a.eqns, b.eqns, strict=False):
        alike = (
            one.primitive is other.primitive
            and [x.aval for x in one.outvars] == [x.aval for x in other.outvars]
            and _same_atoms(one.invars, other.invars, known)
        )
        inside = _in_params(one.params, other.params) if alike else ""
        if inside is not None:
            return inside or f"{str(one)[:200]!r} and {str(other)[:200]!r}"
        known.update(zip(one.outvars, other.outvars, strict=True))
    same_size = [len(x) for x in (a.constvars, a.invars, a.eqns)] == [len(x) for x in (b.constvars, b.invars, b.eqns)]
    if not same_size or not _same_atoms(a.outvars, b.outvars, known):
        return f"{len(a.eqns)} operations with results {a.outvars} and {len(b.eqns)} with {b.outvars}"
    return None


def _same_atoms(a: Any, b: Any, known: dict[Var, Var]) -> bool:
    """Whether two lists of arguments or results are the same; `known` pairs the variables of the two programs."""
    return len(a) == len(b) and all(
        known.get(x) is y
        if isinstance(x, Var) and isinstance(y, Var)
        else isinstance(x, Literal) and isinstance(y, Literal) and _same_array(x.val, y.val)
        for x, y in zip(a, b, strict=True)
    )


def _in_params(a: Any, b: Any) -> str | None:
    """As `first_difference`, of the parameters of an operation; empty where the operation itself says best."""
    if isinstance(a, ClosedJaxpr) and isinstance(b, ClosedJaxpr):
        return first_difference(a, b)
    if isinstance(a, Jaxpr) and isinstance(b, Jaxpr):
        return _in_jaxprs(a, b)
    if type(a) is not type(b):
        return ""
    if isinstance(a, dict):
        return "" if a.keys() != b.keys() else _in_params(list(a.values()), list(b.values()))
    if isinstance(a, list | tuple):
        if len(a) != len(b):
            return ""
        return next((found for found in map(_in_params, a, b) if found is not None), None)
    if isinstance(a, np.ndarray | jax.Array):
        return None if _same_array(a, b) else ""
    return None if not isinstance(a, _PLAIN) or a == b or a != a else ""


def _same_array(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, jax.Array) and jax.numpy.issubdtype(a.dtype, jax.dtypes.prng_key):
        a, b = jax.random.key_data(a), jax.random.key_data(b)
    x, y = np.asarray(a), np.asarray(b)
    return x.dtype == y.dtype and np.array_equal(x, y, equal_nan=np.issubdtype(x.dtype, np.inexact))
