"""The scripted traders by the names that settings give them."""

from catallax.agents.traders import AbstractTrader, by_name
from catallax.core import InputError
from catallax.lab.experiment import nearest

RULES = by_name()
"""Each can be made without arguments."""


def check_rule(name: str, *others: str) -> None:
    """Raises `InputError` with the nearest name unless `name` is a key of `RULES` or one of `others`."""
    if name not in RULES and name not in others:
        raise InputError(f"no trader {name!r}; {nearest(name, (*RULES, *others))}")


def rule(name: str) -> AbstractTrader:
    """The rule of that name, with its defaults. Raises `InputError` as `check_rule`."""
    check_rule(name)
    return RULES[name]()
