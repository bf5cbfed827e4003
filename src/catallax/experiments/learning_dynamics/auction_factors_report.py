"""Tables and figures of the factorial experiment on auctions, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.factorial import effects, robust_effects
from catallax.lab.figure import COLOURS, TWO_COLUMNS, Figure
from catallax.lab.report import Report
from catallax.lab.table import Table

from .auction_factors_design import FACTORS, design_of
from .auction_factors_reading import ORDER, OUTCOMES, outcomes

_SHOWN = 15
"""Interactions in the table, and effects in the figure."""


def report(results: Any) -> Report:
    """Factors; main effects on each outcome; the largest interactions; all effects on the price in order of size."""
    design, found = design_of(results.scale_name), outcomes(results)
    terms = design.terms(ORDER)
    fits = {name: effects(design, values, terms) for name, values in found.items()}
    return Report(
        tables=(
            _factors(design),
            _means(design, found),
            _main(fits),
            _interactions(fits["relative_price"], found["relative_price"], design),
        ),
        figures=(_sizes(fits["relative_price"], found["relative_price"].shape[0]), _formats(design, found)),
    )


def _factors(design: Any) -> Table:
    rows = [
        {"factor": f.label, "low / high": f.levels, "in this run": "varied" if name in design.factors else "low"}
        for name, f in FACTORS.items()
    ]
    words = ", ".join("-".join(word) for word in design.words)
    caption = f"{len(design.matrix)} points, resolution {design.resolution}; defining relation: {words}."
    return Table(name="factors", frame=pandas.DataFrame(rows), caption=caption)


def _means(design: Any, found: dict[str, np.ndarray]) -> Table:
    first = design.column(("format",)) < 0
    rows = []
    for name, what in OUTCOMES.items():
        values = found[name]
        rows.append(
            {
                "outcome": what,
                "all": values.mean(),
                "first price": values[:, first].mean(),
                "second price": values[:, ~first].mean(),
                "least point": values.mean(axis=0).min(),
                "greatest point": values.mean(axis=0).max(),
            }
        )
    caption = f"Means over the design, {found['price'].shape[0]} replications of each point."
    return Table(name="outcomes", frame=pandas.DataFrame(rows), caption=caption)


def _stars(adjusted: float | None) -> str:
    """Holm-adjusted p-value in a word."""
    if adjusted is None:
        return "-"
    return "< 0.001" if adjusted < 0.001 else f"{adjusted:.3f}"


def _main(fits: dict[str, Any]) -> Table:
    rows = []
    for outcome, fit in fits.items():
        for e in fit:
            if len(e.term) == 1:
                rows.append(
                    {
                        "outcome": outcome.replace("_", " "),
                        "factor": FACTORS[e.term[0]].label,
                        "effect": e.estimate.text(4),
                        "p (Holm)": _stars(e.adjusted),
                        "share of variance": e.share,
                    }
                )
    caption = (
        "Main effects: mean at the high level less mean at the low one, with 95% interval over replications of the "
        f"whole design; p adjusted over all main effects and interactions of up to {ORDER} factors of the outcome."
    )
    return Table(name="main_effects", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _interactions(fit: Any, values: np.ndarray, design: Any) -> Table:
    terms = design.terms(ORDER)
    robust = dict(zip(terms, robust_effects(design, values, terms).error, strict=True))
    pairs = sorted((e for e in fit if len(e.term) > 1), key=lambda e: -abs(e.estimate.mean))[:_SHOWN]
    rows = [
        {
            "interaction": _label(e.term),
            "effect": e.estimate.text(4),
            "HC3 s.e.": robust[e.term],
            "p (Holm)": _stars(e.adjusted),
            "share of variance": e.share,
        }
        for e in pairs
    ]
    by_order = [sum(e.share for e in fit if len(e.term) == size) for size in range(1, ORDER + 1)]
    explained = ", ".join(f"{share:.0%}" for share in by_order)
    caption = (
        f"The {len(rows)} largest interactions on the relative price: of two factors, half the change of the one "
        "effect when the other factor goes from low to high. HC3: standard errors that take all runs for independent. "
        f"Main effects, interactions of two and of three factors explain {explained} of the variance between runs."
    )
    return Table(name="interactions", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _label(term: tuple[str, ...]) -> str:
    return " x ".join(FACTORS[name].label for name in term)


def _sizes(fit: Any, runs: int) -> Figure:
    largest = sorted(fit, key=lambda e: -abs(e.estimate.mean))[:_SHOWN]
    data = pandas.DataFrame(
        [
            {
                "effect": _label(e.term),
                "factors": len(e.term),
                "mean": e.estimate.mean,
                "low": e.estimate.low,
                "high": e.estimate.high,
            }
            for e in largest
        ]
    )
    return Figure(
        name="effects",
        draw=lambda sheet: _draw_sizes(sheet, data),
        data=data,
        caption=(
            f"The {len(data)} largest effects on the price relative to the lowest symmetric static equilibrium, with "
            f"95% t intervals over {runs} replications of the design. Discs: factors; squares: interactions."
        ),
        size=(TWO_COLUMNS[0], 3.8),
    )


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


def _formats(design: Any, found: dict[str, np.ndarray]) -> Figure:
    price = found["relative_price"].mean(axis=0)
    first = design.column(("format",)) < 0
    rows = []
    for label, which in (("first price", first), ("second price", ~first)):
        ordered = np.sort(price[which])
        rows += [{"format": label, "relative_price": p, "share": (k + 1) / ordered.size} for k, p in enumerate(ordered)]
    data = pandas.DataFrame(rows)
    return Figure(
        name="formats",
        draw=lambda sheet: _draw_formats(sheet, data),
        data=data,
        caption="Share of the points of the design whose mean relative price is at most the abscissa.",
    )


def _draw_formats(sheet: Any, data: pandas.DataFrame) -> None:
    axes = sheet.subplots()
    for index, (label, part) in enumerate(data.groupby("format", sort=False)):
        x, y = np.asarray(part["relative_price"], float), np.asarray(part["share"], float)
        axes.step(x, y, where="post", color=COLOURS[index], label=str(label))
    axes.set(xlabel="price relative to static Nash", ylabel="share of points", ylim=(0, 1.02))
    axes.legend(loc="upper left")
