"""The ten environments of the 1990 Santa Fe tournament, by name."""

import difflib
from dataclasses import dataclass
from typing import Final, NamedTuple

from catallax.core import InputError

from .tokens import AbstractTokens, CommonShift, GameType


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What the tournament told its programs of a game, and the tokens behind it. Prices are integers."""

    name: str
    tokens: AbstractTokens
    announced: str
    """The game type told to the traders; "0" says "unknown process"."""
    low: int
    """Lowest price."""
    high: int
    """Highest price."""
    buyers: int
    sellers: int
    units: int
    """Tokens a trader."""
    rounds: int
    """Draws of tokens in a game."""
    periods: int
    """Periods a round; tokens are given back in each."""
    steps: int
    """Steps a period, each of a quote and a trade stage."""


class _Row(NamedTuple):
    """A line of the published table."""

    gametype: str
    high: int
    buyers: int
    sellers: int
    units: int
    rounds: int
    periods: int
    steps: int


_TABLE: Final = {
    "BASE": _Row("6453", 2000, 4, 4, 4, 2, 3, 75),
    "BBBS": _Row("6453", 2000, 6, 2, 4, 2, 3, 50),
    "BSSS": _Row("6453", 2000, 2, 6, 4, 2, 3, 50),
    "EQL": _Row("0", 2000, 4, 4, 4, 2, 3, 75),
    "LAD": _Row("0", 2000, 4, 4, 4, 2, 3, 75),
    "PER": _Row("6453", 2000, 4, 4, 4, 6, 1, 75),
    "SHRT": _Row("6453", 2000, 4, 4, 4, 2, 3, 25),
    "SML": _Row("6453", 2000, 2, 2, 4, 2, 3, 50),
    "RAN": _Row("0007", 3000, 4, 4, 4, 2, 3, 50),
    "TOK": _Row("6453", 2000, 4, 4, 1, 2, 3, 25),
}

ENVIRONMENTS: Final = tuple(_TABLE)
"""The ten names."""


def _tokens(name: str, row: _Row) -> AbstractTokens:
    if name == "EQL":
        return CommonShift()
    return GameType(digits="6453" if name == "LAD" else row.gametype, units=row.units)


def environment(name: str) -> Environment:
    """A tournament environment by name, in any case.

    BASE; BBBS and BSSS (six traders against two); EQL (all traders alike); LAD; PER (one period a round);
    SHRT (a third of the time); SML (two against two); RAN (independent private values); TOK (one token each).

    Raises:
        InputError: an unknown name; the nearest one is offered.

    Source: Rust, Miller and Palmer (1992), Table 3.1; (1994), Table 1.
    Differs: how EQL and LAD drew their tokens was kept from the traders and is not printed in full. EQL is
        `CommonShift` with our constants; LAD is the usual type "6453" unannounced.
    """
    row = _TABLE.get(name.upper())
    if row is None:
        near = difflib.get_close_matches(name.upper(), ENVIRONMENTS, n=1, cutoff=0.3)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"no environment {name!r}: {hint}There are {', '.join(ENVIRONMENTS)}")
    return Environment(
        name=name.upper(),
        tokens=_tokens(name.upper(), row),
        announced=row.gametype,
        low=1,
        high=row.high,
        buyers=row.buyers,
        sellers=row.sellers,
        units=row.units,
        rounds=row.rounds,
        periods=row.periods,
        steps=row.steps,
    )
