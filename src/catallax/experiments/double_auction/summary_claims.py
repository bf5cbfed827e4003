"""What Rawat (2023) prints in its summary table and says of it, as claims with our reading of each number."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from catallax.lab.claims import AbstractClaim, Baseline, Direction, NotComparable, Value, printed_error

from .rounds import mean_of_last

TABLE = "Rawat2023, summary table"
Estimate = Callable[[Any], np.ndarray]


def mean(cell: str, variable: str) -> Estimate:
    """Mean of the last 100 rounds, one for each replication."""
    return lambda results: mean_of_last(results, cell, variable)


def difference(variable: str, cell: str, control: str) -> Estimate:
    """The same less that of a control cell, replication by replication (same tokens, same rounds)."""
    return lambda results: mean_of_last(results, cell, variable) - mean_of_last(results, control, variable)


class Cell(NamedTuple):
    """A printed cell, in our reading of its unit."""

    mean: float
    sd: float | None
    last_digit: float
    note: str = ""


class Row(NamedTuple):
    """A printed row: what it is, the variable that measures it, and its four cells."""

    name: str
    variable: str
    unit: str
    cells: dict[str, Cell]


_RATIO = "printed as a percentage with its SD as a ratio"
_SWAPPED = (
    "the cells for deviation and volatility of this column are swapped in print (the author's stored output has "
    "deviation 1.991 (0.992) and volatility 1.538 (0.568)); this is the {row} cell put right, "
    "printed in the {other} row"
)

TABLE_ROWS = (
    Row("efficiency", "efficiency", "1", {
        "zic": Cell(0.987, 0.02, 0.001, f"98.7 (0.02): {_RATIO}"),
        "single": Cell(0.986, 0.02, 0.001, f"98.6 (0.02): {_RATIO}"),
        "none": Cell(0.994, 0.01, 0.001, f"99.4 (0.01): {_RATIO}"),
        "full": Cell(0.99, 0.06, 0.01, "0.99 (0.06): a ratio, where its neighbours are percentages"),
    }),
    Row("buyer_efficiency", "buyer_efficiency", "1", {
        "zic": Cell(1.03, 0.15, 0.01),
        "single": Cell(1.03, 0.12, 0.01),
        "none": Cell(1.05, 0.12, 0.01, "one training run; read it against the ZIC control, not against 1"),
        "full": Cell(1.07, 0.15, 0.01, "one training run; read it against the ZIC control, not against 1"),
    }),
    Row("mean_absolute_deviation", "mad", "price", {
        "zic": Cell(4.63, 0.96, 0.01),
        "single": Cell(4.51, 0.91, 0.01),
        "none": Cell(1.99, 0.99, 0.01, _SWAPPED.format(row="deviation", other="volatility")),
        "full": Cell(2.28, 0.99, 0.01),
    }),
    Row("volatility", "price_sd", "price", {
        "zic": Cell(5.41, 0.98, 0.01),
        "single": Cell(5.11, 0.89, 0.01),
        "none": Cell(1.53, 0.56, 0.01, _SWAPPED.format(row="volatility", other="deviation")),
        "full": Cell(2.15, 0.65, 0.01),
    }),
    Row("autocorrelation", "autocorrelation", "1", {
        "zic": Cell(-0.04, 0.24, 0.01),
        "single": Cell(-0.03, 0.25, 0.01),
        "none": Cell(0.09, 0.29, 0.01),
        "full": Cell(0.019, 0.32, 0.001),
    }),
    Row("bid_handover", "bid_handover", "1", {
        "zic": Cell(0.72, None, 0.01, "72%, no SD printed; a random holder among four gives 70.3%"),
        "single": Cell(0.67, None, 0.01, "67%, no SD printed"),
        "none": Cell(0.60, None, 0.01, "60%, no SD printed"),
        "full": Cell(0.64, None, 0.01, "64%, no SD printed"),
    }),
)  # fmt: skip
"""All rows of the printed table, with the swapped cells put right."""

LABELS = {
    "zic": "ZIC only",
    "single": "single RL",
    "none": "multi RL, no disclosure",
    "full": "multi RL, full disclosure",
}


RANDOM_HOLDER_SD = (15 * 3 / 4 * 1 / 4) ** 0.5 / 16
"""SD over rounds of the handover share if each tick's holder is drawn among four: 0.105. Handovers are printed without
an SD, so this stands in for it: the printed means come from 100 rounds like the others."""


def _error(cell: Cell) -> tuple[float, str]:
    sd = RANDOM_HOLDER_SD if cell.sd is None else cell.sd
    error, reason = printed_error(last_digit=cell.last_digit, sd=round(sd, 3), observations=100)
    return error, reason if cell.sd is not None else f"{reason}; no SD is printed, a random holder's stands in"


def _value(id: str, row: Row, column: str, cell: Cell) -> Value:
    error, reason = _error(cell)
    control = row.cells["zic"]
    return Value(
        id=id,
        source=TABLE,
        statement=f"{row.name.replace('_', ' ')}, {LABELS[column]}",
        published=cell.mean,
        error=error,
        error_reason=reason,
        unit=row.unit,
        estimate=mean(column, row.variable),
        note=cell.note,
        baseline=None if column == "zic" else Baseline("ZIC only", control.mean, mean("zic", row.variable)),
        may_be_undefined=True,
    )


def _numbers() -> list[Value]:
    """Every printed number, and the two swapped ones also as printed."""
    claims = [
        _value(f"{row.name}.{column}", row, column, cell) for row in TABLE_ROWS for column, cell in row.cells.items()
    ]
    rows = {row.name: row for row in TABLE_ROWS}
    note = "as printed, in the wrong row: not what the author's code computed; see the claim without this suffix"
    deviation, volatility = rows["mean_absolute_deviation"], rows["volatility"]
    claims += [
        _value(f"{row.name}.none.as_printed", row, "none", cell._replace(note=note))
        for row, cell in ((deviation, volatility.cells["none"]), (volatility, deviation.cells["none"]))
    ]
    return claims


def _advantage(variable: str) -> Estimate:
    """Profit of the learning seat less the mean of its three zero-intelligence neighbours, a round."""

    def estimate(results: Any) -> np.ndarray:
        profit = mean_of_last(results, "single", variable)
        return profit[:, 0] - profit[:, 1:].mean(axis=1)

    return estimate


def _closeness(results: Any) -> np.ndarray:
    """How much nearer to p* the learners' quotes lie than their neighbours'; mean of both sides, price units."""
    gains = []
    for variable in ("buyer_quote_distance", "seller_quote_distance"):
        distance = mean_of_last(results, "single", variable)
        gains.append(np.nanmean(distance[:, 1:], axis=1) - distance[:, 0])
    return np.mean(gains, axis=0)


def _spread_change(results: Any) -> np.ndarray:
    """Mean distance of all quotes from p*: no disclosure less single RL."""
    both = ("buyer_quote_distance", "seller_quote_distance")
    cell = lambda name: np.mean([np.nanmean(mean_of_last(results, name, v), axis=1) for v in both], axis=0)
    return cell("none") - cell("single")


_CONTROL = "paired with the all-ZIC market on the same tokens, whose buyer efficiency is above 1 by itself"


class _Said(NamedTuple):
    """A statement about a sign: identifier, where it stands, what it says, the sign, our effect, our reading."""

    id: str
    where: str
    statement: str
    sign: Literal[-1, 1]
    estimate: Estimate
    note: str = ""


_SAID = (
    _Said(
        "learner_beats_zic.buyer",
        "experiment I",
        "the reinforcers outsmart the ZIC agents",
        1,
        _advantage("buyer_profit"),
        "profit a round of the learning buyer less that of its three neighbours",
    ),
    _Said(
        "learner_beats_zic.seller",
        "experiment I",
        "the reinforcers outsmart the ZIC agents",
        1,
        _advantage("seller_profit"),
        "profit a round of the learning seller less that of its three neighbours",
    ),
    _Said(
        "learner_quotes_closer",
        "experiment I",
        "unlike ZIC, reinforcers are able to bid close to prices",
        1,
        _closeness,
        "distance of quotes from p*, neighbours less learners",
    ),
    _Said(
        "prices_calmer.none",
        "experiment II",
        "prices are not volatile",
        -1,
        difference("price_sd", "none", "zic"),
        "volatility less the all-ZIC control",
    ),
    _Said(
        "deviation_smaller.none",
        "experiment II",
        "reinforcer competition: prices are stable",
        -1,
        difference("mad", "none", "zic"),
        "mean absolute deviation less the all-ZIC control",
    ),
    _Said(
        "efficiency_higher.none",
        "experiment II",
        "efficiency is very high",
        1,
        difference("efficiency", "none", "zic"),
        "less the all-ZIC control; bounded by 16 steps for about 16 trades, not by who trades",
    ),
    _Said(
        "offers_closer.none",
        "experiment II",
        "offers are also closer together",
        -1,
        _spread_change,
        "mean distance of quotes from p*, less that of the single-RL market",
    ),
    _Said(
        "buyer_power.none",
        "experiment II",
        "there is noticeable buyer power",
        1,
        difference("buyer_efficiency", "none", "zic"),
        _CONTROL,
    ),
    _Said(
        "prices_calmer.full",
        "experiment III",
        "prices continue to be less volatile",
        -1,
        difference("price_sd", "full", "zic"),
        "volatility less the all-ZIC control",
    ),
    _Said(
        "buyer_power.full",
        "experiment III",
        "buyer power is pronounced",
        1,
        difference("buyer_efficiency", "full", "zic"),
        _CONTROL,
    ),
    _Said(
        "disclosure_worsens_deviation",
        "summary",
        "increasing disclosures can worsen market outcomes",
        1,
        difference("mad", "full", "none"),
        "mean absolute deviation, full less no disclosure",
    ),
    _Said(
        "no_fight_for_the_bid",
        "summary",
        "there is no fight to hold the current bid",
        -1,
        difference("bid_handover", "full", "zic"),
        "handovers less the all-ZIC control, which itself equals a random holder (0.703)",
    ),
    _Said(
        "no_quick_reversals",
        "summary",
        "prices do not show quick reversals or corrections",
        1,
        lambda results: mean_of_last(results, "full", "autocorrelation_of_changes") + 0.25,
        "autocorrelation of price CHANGES above -0.25, the upper end of the human range; the printed table sets levels "
        "beside it, which is unlike with unlike",
    ),
)


def _statements() -> list[AbstractClaim]:
    """What is said of the table."""
    signs = [
        Direction(
            id=said.id,
            source=f"Rawat2023, {said.where}",
            statement=said.statement,
            sign=said.sign,
            estimate=said.estimate,
            note=said.note,
        )
        for said in _SAID
    ]
    nobody = Value(
        id="no_market_power.single",
        source="Rawat2023, experiment I",
        statement="neither side seems to enjoy market power",
        published=0.0,
        error=2 * float(np.hypot(0.15, 0.12)) / 10 + 0.01,
        error_reason="2 standard errors of the difference of two printed buyer efficiencies, and their rounding",
        unit="1",
        estimate=difference("buyer_efficiency", "single", "zic"),
        note="buyer efficiency less that of the all-ZIC control",
    )
    humans = NotComparable(
        id="humans",
        source=TABLE,
        statement="the column of human traders",
        published="higher, lower or close to ZIC",
        missing="numbers: the column is verbal and its two sources are other markets",
    )
    return [*signs, nobody, humans]


CLAIMS = (*_numbers(), *_statements())
