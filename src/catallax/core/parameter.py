"""Declarations of checked fields: a number in an interval, a count, a switch.

    class Rule(AbstractAgent):
        rate: Float[Array, ""] = number(0.1, "(0, 1]")    # an array leaf: it may be swept and may differ between seats
        states: int = count(1)                            # static: a change compiles anew

A value out of range is refused when the module is made; the message names the class and the field.
"""

import abc
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import equinox as eqx

from .checks import as_numbers, check_count, check_flag, check_number

_ABSENT: Any = dataclasses.MISSING


class _Converter:
    """Converts and checks the value of one field; messages name the class that declares the field."""

    def __init__(self, convert: Callable[[str, str, Any], Any]) -> None:
        self.convert = convert
        self.who, self.name = "a module", "a parameter"

    def __call__(self, value: Any) -> Any:
        return self.convert(self.who, self.name, value)


if TYPE_CHECKING:  # A type checker would ask for arrays where the fields take whatever can be converted to them.

    class Parametrized(abc.ABC):  # noqa: B024
        """The base of modules whose fields may be declared with `number`, `count` and `flag`."""

        def __init__(self, *args: Any, **values: Any) -> None:
            super().__init__()

else:

    class Parametrized(eqx.Module):
        """The base of modules whose fields may be declared with `number`, `count` and `flag`."""

        def __init_subclass__(cls, **options: Any) -> None:
            super().__init_subclass__(**options)
            for name, value in list(vars(cls).items()):
                if isinstance(value, dataclasses.Field):
                    converter = value.metadata.get("converter")
                    if isinstance(converter, _Converter):
                        converter.who, converter.name = cls.__name__, name


def number(default: Any = _ABSENT, interval: str = "(-inf, inf)", *, dtype: Any = float, optional: bool = False) -> Any:
    """A field that holds one real number in an interval, as an array leaf.

    Args:
        default: the value where none is given; without a default the field must be given.
        interval: as on paper, such as "[0, 1)" or "(0, inf)"; NaN lies in none.
        dtype: of the array; by default JAX's own float type, which is double precision under `jax_enable_x64`.
        optional: whether None is allowed and stays None.

    Raises:
        InputError: when a module is made with a value that is no number of the interval.
    """

    def convert(who: str, name: str, value: Any) -> Any:
        if optional and value is None:
            return None
        value = as_numbers(who, name, value, dtype)
        check_number(who, name, value, interval)
        return value

    return eqx.field(converter=_Converter(convert), **_default(default))


def numbers(default: Any = _ABSENT, *, dtype: Any = float) -> Any:
    """A field that holds an array of real numbers of any shape, as an array leaf; its class checks shape and range.

    Raises:
        InputError: when a module is made with a value that is no array of real numbers.
    """
    convert = lambda who, name, value: as_numbers(who, name, value, dtype)
    return eqx.field(converter=_Converter(convert), **_default(default))


def static_number(default: Any = _ABSENT, interval: str = "(-inf, inf)", *, optional: bool = False) -> Any:
    """A field that holds one real number in an interval as part of the program: another value compiles anew.

    Args and errors: as `number`; the value stays what was given.
    """

    def convert(who: str, name: str, value: Any) -> Any:
        if not (optional and value is None):
            check_number(who, name, value, interval)
        return value

    return eqx.field(static=True, converter=_Converter(convert), **_default(default))


def count(default: Any = _ABSENT, least: int = 1, *, optional: bool = False) -> Any:
    """A static field that holds an integer of at least `least`: a size, a number of seats or of steps.

    Raises:
        InputError: when a module is made with anything else.
    """

    def convert(who: str, name: str, value: Any) -> Any:
        if not (optional and value is None):
            check_count(who, name, value, least)
        return value

    return eqx.field(static=True, converter=_Converter(convert), **_default(default))


def flag(default: Any = _ABSENT) -> Any:
    """A static field that is True or False. Raises `InputError` when a module is made with anything else."""

    def convert(who: str, name: str, value: Any) -> Any:
        check_flag(who, name, value)
        return value

    return eqx.field(static=True, converter=_Converter(convert), **_default(default))


def _default(default: Any) -> dict[str, Any]:
    """Arrays cannot be defaults of a dataclass field, so a default is converted at each construction."""
    return {} if default is _ABSENT else {"default": default}
