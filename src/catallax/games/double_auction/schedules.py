"""Induced schedules of published experiments, with the equilibrium their authors print. Plain data: no arrays
here."""

from dataclasses import dataclass
from typing import Final

from .tokens import Fixed

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class PublishedEquilibrium:
    """A competitive equilibrium as stated for a schedule, per period."""

    price: tuple[float, float]
    """Lowest and highest competitive price."""
    quantity: tuple[int, int]
    """Fewest and most units traded: units that strictly gain, and also those that neither gain nor lose."""
    surplus: float
    """Maximum surplus, price units."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Who is given which units, the same in every round."""

    name: str
    buyers: Rows
    """For each buyer the values of its units, descending, in the source's price units."""
    sellers: Rows
    """For each seller the costs of its units, ascending."""
    unit: str = "1"
    """What prices are counted in."""
    source: str = ""
    equilibrium: PublishedEquilibrium | None = None
    """As published; parts that are not printed were recomputed. None for a user's own schedule."""

    def tokens(self) -> Fixed:
        """The schedule as tokens for a market with as many buyers and sellers."""
        return Fixed(self.buyers, self.sellers)


def _one_each(*prices: float) -> Rows:
    return tuple((price,) for price in prices)


_DOLLARS: Final = tuple(0.75 + 0.25 * i for i in range(11))
_CENTS: Final = tuple(75.0 + 25.0 * i for i in range(11))

SMITH_1962_TEST_1: Final = Schedule(
    name="Smith 1962, test 1",
    buyers=_one_each(*reversed(_DOLLARS)),
    sellers=_one_each(*_DOLLARS),
    unit="dollar",
    source="Smith (1962), test 1: 11 buyers and 11 sellers of one unit; predicted price 2.00, quantity 6",
    equilibrium=PublishedEquilibrium(price=(2.0, 2.0), quantity=(5, 6), surplus=7.5),
)
"""Surplus recomputed. The marginal pair (2.00, 2.00) gains nothing and is counted in the printed quantity."""

CLIFF_A: Final = Schedule(
    name="Cliff 1997, market A",
    buyers=_one_each(*reversed(_CENTS)),
    sellers=_one_each(*_CENTS),
    unit="cent",
    source="Cliff (1997), market A: symmetric; price 200, quantity 6",
    equilibrium=PublishedEquilibrium(price=(200.0, 200.0), quantity=(5, 6), surplus=750.0),
)
CLIFF_B: Final = Schedule(
    name="Cliff 1997, market B",
    buyers=_one_each(*reversed(_CENTS)),
    sellers=_one_each(*[200.0] * 11),
    unit="cent",
    source="Cliff (1997), market B: flat supply; price 200, quantity 6",
    equilibrium=PublishedEquilibrium(price=(200.0, 200.0), quantity=(5, 6), surplus=375.0),
)
CLIFF_C: Final = Schedule(
    name="Cliff 1997, market C",
    buyers=_one_each(*[200.0] * 11),
    sellers=_one_each(*[50.0] * 6),
    unit="cent",
    source="Cliff (1997), market C: flat excess demand; price 200, quantity 6",
    equilibrium=PublishedEquilibrium(price=(200.0, 200.0), quantity=(6, 6), surplus=900.0),
)
CLIFF_D: Final = Schedule(
    name="Cliff 1997, market D",
    buyers=_one_each(*[320.0] * 6),
    sellers=_one_each(*[200.0] * 11),
    unit="cent",
    source="Cliff (1997), market D: flat excess supply; price 200, quantity 6",
    equilibrium=PublishedEquilibrium(price=(200.0, 200.0), quantity=(6, 6), surplus=720.0),
)

GJERSTAD_DICKHAUT_SYMMETRIC: Final = Schedule(
    name="Gjerstad and Dickhaut 1998, symmetric market",
    buyers=((330.0, 225.0, 210.0), (280.0, 235.0, 220.0), (260.0, 240.0, 215.0), (305.0, 235.0, 230.0)),
    sellers=((190.0, 235.0, 250.0), (140.0, 245.0, 260.0), (210.0, 230.0, 255.0), (165.0, 235.0, 240.0)),
    unit="cent",
    source="Gjerstad and Dickhaut (1998): 4 buyers and 4 sellers of three units; price 235, surplus 480",
    equilibrium=PublishedEquilibrium(price=(235.0, 235.0), quantity=(5, 7), surplus=480.0),
)

SANTA_FE_SAMPLE_ROUND: Final = Schedule(
    name="Santa Fe tournament, sample round",
    buyers=(
        (754.0, 722.0, 691.0, 681.0),
        (760.0, 708.0, 705.0, 678.0),
        (761.0, 717.0, 690.0, 689.0),
        (751.0, 719.0, 702.0, 691.0),
    ),
    sellers=(
        (651.0, 661.0, 680.0, 779.0),
        (666.0, 675.0, 683.0, 776.0),
        (646.0, 659.0, 680.0, 788.0),
        (661.0, 665.0, 693.0, 774.0),
    ),
    unit="token price",
    source="Rust, Miller and Palmer (1992), Fig. 3.2: price 691, quantity 11; 10 trades realised 604 of 663",
    equilibrium=PublishedEquilibrium(price=(691.0, 691.0), quantity=(11, 11), surplus=663.0),
)

SCHEDULES: Final = (
    SMITH_1962_TEST_1,
    CLIFF_A,
    CLIFF_B,
    CLIFF_C,
    CLIFF_D,
    GJERSTAD_DICKHAUT_SYMMETRIC,
    SANTA_FE_SAMPLE_ROUND,
)
"""All schedules that ship with the library."""
