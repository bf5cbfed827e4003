"""What Rawat (2023) prints in its summary table and says of it, as claims with our reading of each number."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from catallax.lab import AbstractClaim, Baseline, Direction, Margin, NotComparable, PrintedError, Statement, Value
from catallax.lab.claims import direction, value
from catallax.lab.quantity import Quantity

from .rounds import late_mean, too_short

TABLE = "Rawat2023, summary table"


class Printed(NamedTuple):
    """A printed cell, in our reading of its unit."""

    mean: float
    sd: float | None
    last_digit: float
    note: str = ""


class Row(NamedTuple):
    """A printed row: what it is, the variable that measures it, the margin of its numbers, and its four cells."""

    name: str
    variable: str
    unit: str
    margin: Margin
    cells: dict[str, Printed]


_RATIO = "printed as a percentage with its SD as a ratio"
_SWAPPED = (
    "the cells for deviation and volatility of this column are swapped in print (the author's stored output has "
    "deviation 1.991 (0.992) and volatility 1.538 (0.568)); this is the {row} cell put right, "
    "printed in the {other} row"
)

_SET = "2026-12-01"
"""When the margins were set: by the rules that are their reasons, after earlier runs at scale paper had been seen."""
_TENTH = "a tenth of what is printed for the ZIC market; differences of half of it are what the source interprets"

TABLE_ROWS = (
    Row("efficiency", "efficiency", "1", Margin(
            0.0035, "half of what the source reads as a gain in efficiency, 0.994 less 0.987", _SET), {
        "zic": Printed(0.987, 0.02, 0.001, f"98.7 (0.02): {_RATIO}"),
        "single": Printed(0.986, 0.02, 0.001, f"98.6 (0.02): {_RATIO}"),
        "none": Printed(0.994, 0.01, 0.001, f"99.4 (0.01): {_RATIO}"),
        "full": Printed(0.99, 0.06, 0.01, "0.99 (0.06): a ratio, where its neighbours are percentages"),
    }),
    Row("buyer_efficiency", "buyer_efficiency", "1", Margin(
            0.01, "half of the smallest difference that is called buyer power, 1.05 less 1.03", _SET), {
        "zic": Printed(1.03, 0.15, 0.01), "single": Printed(1.03, 0.12, 0.01),
        "none": Printed(1.05, 0.12, 0.01, "one training run; read it against the ZIC control, not against 1"),
        "full": Printed(1.07, 0.15, 0.01, "one training run; read it against the ZIC control, not against 1"),
    }),
    Row("mean_absolute_deviation", "mad", "price", Margin(0.463, _TENTH, _SET), {
        "zic": Printed(4.63, 0.96, 0.01), "single": Printed(4.51, 0.91, 0.01),
        "none": Printed(1.99, 0.99, 0.01, _SWAPPED.format(row="deviation", other="volatility")),
        "full": Printed(2.28, 0.99, 0.01),
    }),
    Row("volatility", "price_sd", "price", Margin(0.541, _TENTH, _SET), {
        "zic": Printed(5.41, 0.98, 0.01), "single": Printed(5.11, 0.89, 0.01),
        "none": Printed(1.53, 0.56, 0.01, _SWAPPED.format(row="volatility", other="deviation")),
        "full": Printed(2.15, 0.65, 0.01),
    }),
    Row("autocorrelation", "autocorrelation", "1", Margin(
            0.05, "less than half of what the source reads as a change, 0.09 less -0.04", _SET), {
        "zic": Printed(-0.04, 0.24, 0.01), "single": Printed(-0.03, 0.25, 0.01),
        "none": Printed(0.09, 0.29, 0.01), "full": Printed(0.019, 0.32, 0.001),
    }),
    Row("bid_handover", "bid_handover", "1", Margin(
            0.025, "half of the smallest difference from the ZIC market, 0.72 less 0.67", _SET), {
        "zic": Printed(0.72, None, 0.01, "72%, no SD printed; a random holder among four gives 70.3%"),
        "single": Printed(0.67, None, 0.01, "67%, no SD printed"),
        "none": Printed(0.60, None, 0.01, "60%, no SD printed"),
        "full": Printed(0.64, None, 0.01, "64%, no SD printed"),
    }),
)  # fmt: skip
"""All rows of the printed table, with the swapped cells put right."""

LABELS = {
    "zic": "ZIC only", "single": "single RL", "none": "multi RL, no disclosure", "full": "multi RL, full disclosure"
}  # fmt: skip


def change(variable: str, cell: str, control: str = "zic") -> Quantity:
    """A late mean less that of a control cell, replication by replication (same tokens, same rounds)."""
    return late_mean(cell, variable) - late_mean(control, variable)


def advantage(variable: str) -> Quantity:
    """Profit of the learning seat less the mean of its three zero-intelligence neighbours, a round."""
    return late_mean("single", variable).then(lambda profit: profit[:, 0] - profit[:, 1:].mean(axis=1))


def far(cell: str, side: str, seats: slice = slice(None)) -> Quantity:
    """Mean distance from p* of the quotes of some seats of a side, price units."""
    return late_mean(cell, f"{side}_quote_distance")[:, seats].then(lambda distance: np.nanmean(distance, axis=1))


def of_both_sides(effect: Callable[[str], Quantity]) -> Quantity:
    """The mean over both sides of a quantity of one side."""
    return (effect("buyer") + effect("seller")) / 2


def _value(id: str, row: Row, column: str, printed: Printed, context: str = "") -> Value:
    """A printed cell, a mean over 100 rounds of one run, as is each of our replications."""
    control = Baseline("ZIC only", row.cells["zic"].mean, late_mean("zic", row.variable))
    learns = column != "zic"
    return value(
        id, TABLE, f"{row.name.replace('_', ' ')}, {LABELS[column]}", printed.mean, row.margin, row.unit,
        late_mean(column, row.variable), printed.note, PrintedError(printed.last_digit, runs=1),
        baseline=control if learns else None, unfinished=too_short(column) if learns else None,
        may_be_undefined=True, context=context,
    )  # fmt: skip


def _as_printed() -> tuple[Value, ...]:
    """The two swapped numbers in the rows in which they are printed."""
    rows = {row.name: row for row in TABLE_ROWS}
    note = "not what the author's code computed; see the claim without this suffix"
    context = "printed in the wrong row"
    deviation, volatility = rows["mean_absolute_deviation"], rows["volatility"]
    return tuple(
        _value(f"{row.name}.none.as_printed", row, "none", other.cells["none"]._replace(note=note), context)
        for row, other in ((deviation, volatility), (volatility, deviation))
    )


def _said(
    id: str, where: str, statement: str, sign: Literal[-1, 1], effect: Quantity, note: str, *learners: str
) -> Direction:
    """A sentence on a sign; `learners` are the cells whose learners must have finished."""
    return direction(id, f"Rawat2023, {where}", statement, sign, effect, note, unfinished=too_short(*learners))


_CONTROL = "paired with the all-ZIC market on the same tokens, whose buyer efficiency is above 1 by itself"

_SAID = (
    Statement(
        id="learner_beats_zic", source="Rawat2023, experiment I", statement="the reinforcers outsmart the ZIC agents",
        unfinished=too_short("single"),
        parts=tuple(_said(side, "experiment I", f"the learning {side} outsmarts its neighbours", 1,
                          advantage(f"{side}_profit"),
                          f"profit a round of the learning {side} less that of its three neighbours")
                    for side in ("buyer", "seller")),
    ),
    _said("learner_quotes_closer", "experiment I", "unlike ZIC, reinforcers are able to bid close to prices", 1,
          of_both_sides(lambda side: far("single", side, slice(1, None)) - far("single", side, slice(0, 1))),
          "distance of quotes from p*, neighbours less learners", "single"),
    _said("prices_calmer.none", "experiment II", "prices are not volatile", -1,
          change("price_sd", "none"), "volatility less the all-ZIC control", "none"),
    _said("deviation_smaller.none", "experiment II", "reinforcer competition: prices are stable", -1,
          change("mad", "none"), "mean absolute deviation less the all-ZIC control", "none"),
    _said("efficiency_higher.none", "experiment II", "efficiency is very high", 1,
          change("efficiency", "none"),
          "less the all-ZIC control; bounded by 16 steps for about 16 trades, not by who trades", "none"),
    _said("offers_closer.none", "experiment II", "offers are also closer together", -1,
          of_both_sides(lambda side: far("none", side)) - of_both_sides(lambda side: far("single", side)),
          "mean distance of quotes from p*, less that of the single-RL market", "none", "single"),
    _said("buyer_power.none", "experiment II", "there is noticeable buyer power", 1,
          change("buyer_efficiency", "none"), _CONTROL, "none"),
    _said("prices_calmer.full", "experiment III", "prices continue to be less volatile", -1,
          change("price_sd", "full"), "volatility less the all-ZIC control", "full"),
    _said("buyer_power.full", "experiment III", "buyer power is pronounced", 1,
          change("buyer_efficiency", "full"), _CONTROL, "full"),
    _said("disclosure_worsens_deviation", "summary", "increasing disclosures can worsen market outcomes", 1,
          change("mad", "full", "none"), "mean absolute deviation, full less no disclosure", "full", "none"),
    _said("no_fight_for_the_bid", "summary", "there is no fight to hold the current bid", -1,
          change("bid_handover", "full"),
          "handovers less the all-ZIC control, which itself equals a random holder (0.703)", "full"),
    _said("no_quick_reversals", "summary", "prices do not show quick reversals or corrections", 1,
          late_mean("full", "autocorrelation_of_changes") + 0.25,
          "autocorrelation of price CHANGES above -0.25, the upper end of the human range; the printed table sets "
          "levels beside it, which is unlike with unlike", "full"),
)  # fmt: skip
"""What is said about signs."""

CLAIMS: tuple[AbstractClaim, ...] = (
    *(_value(f"{row.name}.{column}", row, column, cell) for row in TABLE_ROWS for column, cell in row.cells.items()),
    *_as_printed(),
    *_SAID,
    value("no_market_power.single", "Rawat2023, experiment I", "neither side seems to enjoy market power",
          0.0, Margin(0.02, "the smallest difference that the source calls buyer power, 1.05 less 1.03", _SET), "1",
          change("buyer_efficiency", "single"),
          "buyer efficiency less that of the all-ZIC control; printed as 1.03 in both columns",
          PrintedError(0.01, runs=1), unfinished=too_short("single")),
    NotComparable(
        id="humans", source=TABLE, statement="the column of human traders", published="higher, lower or close to ZIC",
        missing="numbers: the column is verbal and its two sources are other markets",
    ),
)  # fmt: skip
