"""What makes Q-learners collude in auctions: a fractional factorial experiment with ten factors at two levels.

A replication runs the whole design and gives one estimate of each effect, so intervals are over replications. Factors
that are numbers in the program are swept in it; those that change its shape make cells.

Source: the questions are those of Rawat (2023) and of the later study in the same repository; levels are ours.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import pandas

from catallax.core import NaNCount
from catallax.lab import Cell, Experiment, Figure, Report, Results, Scale, Table
from catallax.lab.claims import AbstractClaim, Direction, NotComparable, direction, value
from catallax.lab.factorial import Design, FactorEffect, Term, effects, replicate_effects, robust_effects
from catallax.lab.figure import COLOURS, TWO_COLUMNS
from catallax.lab.quantity import Quantity, recorded
from catallax.measures.sealed_bid import LastBids, Revenue

from .auction_factors_design import FACTORS, design_of, groups, play_of, static_prices
from .quantities import margin

ROUNDS = {"quick": 12_000, "paper": 100_000}
"""Auctions of a run."""
WINDOWS = 50
"""Windows of a run over each of which the price is averaged."""
ORDER = 3
"""Interactions of up to so many factors are estimated."""
NEAR = 0.02
"""How near, in money, the price of a window must be to that of the last to count as settled."""

# What is run.


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing may be changed: a level changed by hand would leave the design as it is described."""


def cells(settings: Settings) -> tuple[Cell, ...]:
    """One for each shape of program at each scale; its points of the design are a lane."""
    return tuple(
        Cell(
            name=name,
            label=name.replace("_", " "),
            build=play_of(scale, numbers, rounds),
            lanes={"point": tuple(range(len(numbers)))},
            measures=(Revenue(rounds // WINDOWS), LastBids(rounds), NaNCount(rounds)),
            steps={scale: rounds},
            scales=(scale,),
        )
        for scale, rounds in ROUNDS.items()
        for name, numbers in groups(scale).items()
    )


# What is read.


def _over_design(of_cell: Callable[[str], Quantity]) -> Quantity:
    """A quantity [replicate, point, ...] of each cell as one over all points of the design, in their order."""

    def read(results: Results[Any]) -> np.ndarray:
        parts: dict[int, np.ndarray] = {}
        for name, numbers in groups(results.scale_name).items():
            values = of_cell(name)(results)
            parts |= {number: values[:, i] for i, number in enumerate(numbers)}
        return np.stack([parts[number] for number in range(len(parts))], axis=1)

    return Quantity(read)


def _windows_of(cell: str) -> Quantity:
    total = recorded(cell, "revenue", copy=0).then(lambda values: np.moveaxis(values, 1, 2))
    sums = total.then(lambda values: np.diff(values, axis=2, prepend=0.0))
    return Quantity(lambda results: sums(results) / results.dataset(cell)["revenue"].attrs["every"])


def _alike(bids: np.ndarray) -> np.ndarray:
    return (np.ptp(bids, axis=2) < 1e-9).astype(float)


def _settled(path: np.ndarray) -> np.ndarray:
    """Share of the windows until the price [replicate, point, window] stays near the last."""
    apart = np.abs(path - path[:, :, -1:]) > NEAR
    last = np.where(apart.any(axis=2), path.shape[2] - apart[:, :, ::-1].argmax(axis=2), 0)
    return last / path.shape[2]


windows = _over_design(_windows_of)
"""Mean price of each window at each point, [replicate, point, window]."""
price = windows[:, :, -1]
outcomes = {
    "relative_price": Quantity(lambda results: price(results) / static_prices(results.scale_name)),
    "price": price,
    "settled": windows.then(_settled),
    "same_bid": _over_design(lambda cell: recorded(cell, "bid", copy=0).last.then(_alike)),
}
"""What is analysed, [replicate, point]."""
MEANINGS = {
    "relative_price": "price over that of the lowest symmetric static equilibrium, last window",
    "price": "price, last window",
    "settled": f"share of the run until the price of a window stays within {NEAR} of the last",
    "same_bid": "share of runs in which all last bids are equal",
}
"""What each outcome is."""


def effect_of(term: Term, outcome: str = "price") -> Quantity:
    """The effect of a term, [replicate]."""

    def estimate(results: Results[Any]) -> np.ndarray:
        design = design_of(results.scale_name)
        kept = design.terms(ORDER)
        wanted = tuple(sorted(term, key=design.factors.index))
        return replicate_effects(design, outcomes[outcome](results), kept)[:, kept.index(wanted)]

    return Quantity(estimate)


def _first_price(outcome: str) -> Quantity:
    """Mean of an outcome over the points with first price, [replicate]."""

    def mean(results: Results[Any]) -> np.ndarray:
        first = design_of(results.scale_name).column(("format",)) < 0
        return outcomes[outcome](results)[:, first].mean(axis=1)

    return Quantity(mean)


# What is claimed, in the order of the sources.

_FIRST = "RawatAuctions2023, abstract of 2023"
_LATER = "RawatAuctions2023, abstract of the later version"
_THIRD = "RawatAuctions2026"
_RETOLD = "retold by others: the page is not known to us"
_OUTCOMES = {"price": "the price", "settled": "the share of the run until the price has settled"}
_LEVELS = "ours is an effect over our ten factors and levels, which are not those of the source: its are not printed"


def _effect(source: str, name: str, sign: Literal[-1, 1], statement: str, outcome: str = "price") -> Direction:
    """A statement on the effect of a factor, or of the auction format with another factor ("format.gamma")."""
    term = tuple(part for part in name.split(".") if part in FACTORS)
    needs = tuple(groups("paper"))[-1:] if set(term) & {"information", "bids"} else ()
    note = f"effect of {' x '.join(term)} on {_OUTCOMES[outcome]}; {_LEVELS}"
    return direction(name, source, statement, sign, effect_of(term, outcome), note, needs=needs)


def _over_format(factor: str, statement: str) -> Direction:
    """The claim that a factor matters more for the price than the auction format."""

    def size(term: Term) -> Quantity:
        return effect_of(term).then(lambda effect: effect * np.sign(effect.mean()))

    note = f"size of the effect on the price less that of the auction format; {_LEVELS}"
    more = size((factor,)) - size(("format",))
    return direction(f"{factor}.over_format", _THIRD, statement, 1, more, note, context=_RETOLD)


CLAIMS: tuple[AbstractClaim, ...] = (
    _effect(_LATER, "format.price", 1, "first-price auctions lead to lower seller revenues"),
    _effect(_LATER, "format.settled", -1, "first-price auctions converge more slowly", "settled"),
    _effect(_LATER, "bidders.price", 1, "tacit collusion is more possible with fewer bidders"),
    _effect(_LATER, "alpha.price", 1, "tacit collusion is more possible with lower learning rates"),
    _effect(_LATER, "gamma.price", -1, "tacit collusion is more possible with higher discount factors"),
    _effect(_FIRST, "format.bidders", -1, "payment rules matter even more with few bidders"),
    _effect(_FIRST, "format.gamma", 1, "payment rules matter even more with high discount factors"),
    _effect(_FIRST, "format.update", -1, "payment rules matter even more with asynchronous learning"),
    _effect(_FIRST, "format.bids", -1, "payment rules matter even more with coarse bid spaces"),
    value(
        "first_price.discount", _FIRST,
        "in first-price auctions winning bids average roughly 20% below the true values",
        0.2, margin(0.05, "'roughly 20%'"), "share of the value", 1.0 - _first_price("price"),
        f"all points with first price; on so coarse grids static equilibria alone lie 5 to 20% below; {_LEVELS}"),
    direction(
        "first_price.suppression", _FIRST, "the first-price auction is susceptible to coordinated bid suppression",
        -1, _first_price("relative_price") - 1.0,
        f"price over the lowest symmetric static equilibrium, less 1, all points with first price; {_LEVELS}"),
    _over_format("bidders", "the number of bidders matters most"),
    _over_format("gamma", "the discount factor is the second most important factor"),
    _over_format("update", "the mode of updating is the third most important factor"),
    value(
        "format.none", _THIRD,
        "no significant main effect of the auction format on end-state revenue with constant values",
        0.0, margin(0.01, "one hundredth of the value, ours: what is small enough to be called none is not said"),
        "price", effect_of(("format",)), f"it contradicts the two abstracts of the same author; {_LEVELS}",
        context=_RETOLD),
    NotComparable(
        id="affiliated_values", source=_LATER, published=None,
        statement="first price lowers seller revenues under affiliated values and under optimal exploration too",
        missing="bandits (UCB, linear contextual) in auctions, and the levels of the design with affiliated values"),
)  # fmt: skip

# What is shown.

_SHOWN = 15
"""Interactions in the table, and effects in the figure."""
Fit = Sequence[FactorEffect]


def report(results: Results[Settings]) -> Report:
    """Factors; main effects on each outcome; the largest interactions; all effects on the price in order of size."""
    design, found = design_of(results.scale_name), {name: q(results) for name, q in outcomes.items()}
    terms, price = design.terms(ORDER), found["relative_price"]
    fits = {name: effects(design, values, terms) for name, values in found.items()}
    interactions = _interactions(fits["relative_price"], price, design)
    tables = (_factors(design), _means(design, found), _main(fits), interactions)
    return Report(tables=tables, figures=(_sizes(fits["relative_price"], len(price)), _formats(design, price)))


def _factors(design: Design) -> Table:
    rows = [
        {"factor": f.label, "low / high": f.levels, "in this run": "varied" if name in design.factors else "low"}
        for name, f in FACTORS.items()
    ]
    words = ", ".join("-".join(word) for word in design.words)
    caption = f"{len(design.matrix)} points, resolution {design.resolution}; defining relation: {words}."
    return Table.of_rows("factors", caption, rows)


def _means(design: Design, found: dict[str, np.ndarray]) -> Table:
    first = design.column(("format",)) < 0
    rows = [
        {"outcome": MEANINGS[name], "all": values.mean()}
        | {"first price": values[:, first].mean(), "second price": values[:, ~first].mean()}
        | {"least point": values.mean(axis=0).min(), "greatest point": values.mean(axis=0).max()}
        for name, values in found.items()
    ]
    caption = f"Means over the design, {len(found['price'])} replications of each point."
    return Table.of_rows("outcomes", caption, rows)


def _label(term: Term) -> str:
    return " x ".join(FACTORS[name].label for name in term)


def _weight(effect: FactorEffect) -> dict[str, Any]:
    """Columns of a table: the Holm-adjusted p-value as text, and the share of the variance between runs."""
    p = effect.adjusted
    text = "-" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"
    return {"p (Holm)": text, "share of variance": effect.share}


def _largest(fit: Fit, least_factors: int = 1) -> Fit:
    """The effects of at least so many factors that are largest in size."""
    return sorted((e for e in fit if len(e.term) >= least_factors), key=lambda e: -abs(e.estimate.mean or 0))[:_SHOWN]


def _main(fits: Mapping[str, Fit]) -> Table:
    rows = [
        {"outcome": outcome.replace("_", " "), "factor": _label(e.term), "effect": e.estimate.text(4)} | _weight(e)
        for outcome, fit in fits.items()
        for e in fit
        if len(e.term) == 1
    ]
    caption = (
        "Main effects: mean at the high level less mean at the low one, with 95% interval over replications of the "
        f"whole design; p adjusted over all main effects and interactions of up to {ORDER} factors of the outcome."
    )
    return Table.of_rows("main_effects", caption, rows, decimals=4)


def _interactions(fit: Fit, values: np.ndarray, design: Design) -> Table:
    terms = design.terms(ORDER)
    robust = dict(zip(terms, robust_effects(design, values, terms).error, strict=True))
    rows = [
        {"interaction": _label(e.term), "effect": e.estimate.text(4), "HC3 s.e.": robust[e.term]} | _weight(e)
        for e in _largest(fit, 2)
    ]
    by_order = [sum(e.share for e in fit if len(e.term) == size) for size in range(1, ORDER + 1)]
    explained = ", ".join(f"{share:.0%}" for share in by_order)
    caption = (
        f"The {len(rows)} largest interactions on the relative price: of two factors, half the change of the one "
        "effect when the other factor goes from low to high. HC3: standard errors that take all runs for independent. "
        f"Main effects, interactions of two and of three factors explain {explained} of the variance between runs."
    )
    return Table.of_rows("interactions", caption, rows, decimals=4)


def _sizes(fit: Fit, runs: int) -> Figure:
    data = pandas.DataFrame(
        {"effect": _label(term), "factors": len(term), "mean": e.mean, "low": e.low, "high": e.high}
        for term, e in ((effect.term, effect.estimate) for effect in _largest(fit))
    )
    caption = (
        f"The {len(data)} largest effects on the price relative to the lowest symmetric static equilibrium, with "
        f"95% t intervals over {runs} replications of the design. Discs: factors; squares: interactions."
    )
    draw = lambda sheet: _draw_sizes(sheet, data)
    return Figure(name="effects", draw=draw, data=data, caption=caption, size=(TWO_COLUMNS[0], 3.8))


def _draw_sizes(sheet: Any, data: pandas.DataFrame) -> None:
    axes = sheet.subplots()
    for place, row in enumerate(data.to_dict("records")):
        single = row["factors"] == 1
        if not np.isnan(float(row["low"] if row["low"] is not None else np.nan)):
            axes.plot([row["low"], row["high"]], [place, place], color=COLOURS[not single], linestyle="-")
        axes.plot([row["mean"]], [place], color=COLOURS[not single], marker="o" if single else "s", linestyle="none")
    axes.axvline(0.0, color="#555555", linewidth=0.6, linestyle="-")
    axes.set_yticks(range(len(data)), list(data["effect"]))
    axes.invert_yaxis()
    axes.set(xlabel="effect on the relative price")


def _formats(design: Design, relative_price: np.ndarray) -> Figure:
    mean, first = relative_price.mean(axis=0), design.column(("format",)) < 0
    samples = {"first price": np.sort(mean[first]), "second price": np.sort(mean[~first])}
    rows = [
        {"format": label, "relative_price": p, "share": (k + 1) / sample.size}
        for label, sample in samples.items()
        for k, p in enumerate(sample)
    ]

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        for colour, (label, sample) in zip(COLOURS, samples.items(), strict=False):
            axes.step(sample, (np.arange(sample.size) + 1) / sample.size, where="post", color=colour, label=label)
        axes.set(xlabel="price relative to static Nash", ylabel="share of points", ylim=(0, 1.02))
        axes.legend(loc="upper left")

    caption = "Share of the points of the design whose mean relative price is at most the abscissa."
    return Figure(name="formats", draw=draw, data=pandas.DataFrame(rows), caption=caption)


experiment = Experiment(
    name="learning_dynamics.auction_factors", settings=Settings, cells=cells, report=report, claims=CLAIMS, x64=True,
    title="What makes Q-learners collude in auctions: a factorial experiment",
    summary="Main effects and interactions of ten factors on price, time to settle and equal bids, with intervals",
    sources=("RawatAuctions2023", "RawatAuctions2026", "BanchioSkrzypacz2022", "BoxHunterHunter2005", "Holm1979"),
    scales={
        "quick": Scale(steps=ROUNDS["quick"], replications=10, block=10, chunk=ROUNDS["quick"]),
        "paper": Scale(steps=ROUNDS["paper"], replications=20, block=20, chunk=ROUNDS["paper"]),
    },
)  # fmt: skip
