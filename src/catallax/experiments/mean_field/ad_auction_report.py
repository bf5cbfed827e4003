"""Tables and figures of the auction experiment, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import TWO_COLUMNS, Figure, plot_with_interval, state_sample
from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table

from .ad_auction_claims import DELTA_Q, INNER, OUTER, TEMPERATURE, delta_q

_CYCLE = 1e-2  # l1 step beyond which a law that returns after two steps is called a cycle


def report(results: Any) -> Report:
    """Solutions side by side, inverse temperatures, distances of Q-tables; how laws move and what is bid."""
    return Report(
        tables=(_solutions(results), _temperatures(results), _distances(results)),
        figures=(_movement(results), _bids(results)),
    )


def _last(results: Any, cell: str, variable: str, **lane: float) -> np.ndarray:
    """The last value of a variable, `[replicate, ...]`."""
    data = results.dataset(cell)[variable]
    data = data.sel(lane) if lane else data
    time = next(d for d in data.dims if str(d).startswith("phase"))
    return data.isel({time: -1}).values.astype(float)


def _mean_bid(results: Any, cell: str, **lane: float) -> np.ndarray:
    law = _last(results, cell, "action_law", **lane)
    return law @ np.arange(law.shape[-1])


def _solution(results: Any, label: str, cell: str, **lane: float) -> dict[str, Any]:
    row: dict[str, Any] = {"solution": label}
    for name, values in (
        ("exploitability", _last(results, cell, "exploitability", **lane)),
        ("value of the best response", _last(results, cell, "best_response_value", **lane)),
        ("revenue", _last(results, cell, "revenue", **lane)),
        ("mean bid", _mean_bid(results, cell, **lane)),
        ("l1 step", _last(results, cell, "law_step", **lane)),
    ):
        estimate = mean_interval(values, allow_undefined=True)
        row[name] = estimate.mean
    return row


def _n(results: Any) -> int:
    return results.dataset("gmf_v").sizes["replicate"]


def _solutions(results: Any) -> Table:
    rate = float(results.dataset("mirror_descent")["rate"].values[-1])
    rows = [
        _solution(results, f"GMF-V, softmax, c = {TEMPERATURE:g}", "gmf_v", c=TEMPERATURE),
        _solution(results, "naive, argmax-e", "naive"),
        _solution(results, f"mirror descent, rate {rate:g}", "mirror_descent", rate=rate),
    ]
    caption = (
        f"Means over {_n(results)} replications at the end of the run. Exploitability: gain of the best deviation at "
        "the policy's own stationary law, in discounted reward; an equilibrium has 0. Truthful bidding would be the "
        "mean worth of a conversion."
    )
    return Table(name="solutions", frame=pandas.DataFrame(rows), caption=caption, decimals=5)


def _temperatures(results: Any) -> Table:
    rows = []
    for c in results.dataset("gmf_v")["c"].values:
        step = _last(results, "gmf_v", "law_step", c=c)
        two = _last(results, "gmf_v", "law_two_steps", c=c)
        cycles = (step > _CYCLE) & (two < _CYCLE * step)
        row: dict[str, Any] = {"c": float(c), "l1 step": step.mean(), "l1 two steps": two.mean()}
        row["cycles of two"] = f"{int(cycles.sum())} of {cycles.size}"
        for name in ("exploitability", "best_response_value", "revenue"):
            row[name.replace("_", " ")] = mean_interval(_last(results, "gmf_v", name, c=c), allow_undefined=True).mean
        rows.append(row)
    caption = (
        f"GMF-V by inverse temperature c, means over {_n(results)} replications. A large step with a vanishing "
        "two-step distance is a cycle of length two: the policy there is no fixed point, its exploitability that "
        "of one of two policies."
    )
    return Table(name="temperatures", frame=pandas.DataFrame(rows), caption=caption, decimals=5)


def _distances(results: Any) -> Table:
    rows = []
    for inner in INNER:
        for name, weighted in (("all cells alike", False), ("cells weighted by the law", True)):
            ours = mean_interval(delta_q(results, inner, weighted=weighted))
            rows.append(
                {
                    "T_k": inner,
                    "distance": name,
                    "printed": None if weighted else DELTA_Q[inner],
                    "ours": ours.mean,
                    "low": ours.low,
                    "high": ours.high,
                    "sd": ours.sd,
                }
            )
    caption = (
        f"Relative l2 distance of the learnt from the exact Q-table after {OUTER} outer iterations from the same first "
        f"law; mean, 95% interval and SD over {_n(results)} replications. Most of the plain norm lies in cells that "
        "nobody plays."
    )
    return Table(name="delta_q", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _movement(results: Any) -> Figure:
    curves = []
    for label, cell, lane in (
        (f"softmax, c = {TEMPERATURE:g}", "gmf_v", {"c": TEMPERATURE}),
        ("softmax, c = 10", "gmf_v", {"c": 10.0}),
        ("argmax-e", "naive", {}),
    ):
        data = results.dataset(cell)["law_step"]
        data = (data.sel(lane) if lane else data).isel(phase=slice(0, 50)).values.astype(float)
        for k in range(data.shape[1]):
            e = mean_interval(data[:, k])
            curves.append({"series": label, "iteration": k + 1, "mean": e.mean, "low": e.low, "high": e.high})
    frame = pandas.DataFrame(curves)
    n = _n(results)
    caption = f"l1 step of the population's law by iteration, exact values; mean of {n} first laws, 95% t interval."
    draw = lambda sheet: _draw_movement(sheet, frame, n)
    return Figure(name="movement", draw=draw, data=frame, caption=caption)


def _draw_movement(sheet: Any, frame: pandas.DataFrame, n: int) -> None:
    axes = sheet.subplots()
    for index, (label, part) in enumerate(frame.groupby("series", sort=False)):
        low, high = (np.asarray(part[x], float) for x in ("low", "high"))
        known = bool(np.isfinite(low).all())
        low, high = (np.maximum(x, 1e-12) if known else None for x in (low, high))
        x, y = np.asarray(part["iteration"]), np.asarray(part["mean"], float)
        plot_with_interval(axes, x, y, low, high, index=index, label=str(label))
    axes.set(xlabel="outer iteration", ylabel="l1 step of the law", yscale="log", ylim=(1e-5, 3))
    axes.legend()
    state_sample(sheet, n, "95% t interval" if bool(np.isfinite(frame["low"].to_numpy(float)).all()) else None)


def _bids(results: Any) -> Figure:
    rate = float(results.dataset("mirror_descent")["rate"].values[-1])
    rows = []
    for label, cell, lane in (
        (f"GMF-V, c = {TEMPERATURE:g}", "gmf_v", {"c": TEMPERATURE}),
        ("mirror descent", "mirror_descent", {"rate": rate}),
    ):
        for variable, panel in (("action_law", "bid"), ("state_law", "budget")):
            law = _last(results, cell, variable, **lane).mean(axis=0)
            rows += [{"panel": panel, "series": label, "at": i, "share": x} for i, x in enumerate(law)]
    frame = pandas.DataFrame(rows)
    caption = (
        f"Shares of players by bid and by budget at the end of the run, mean of {_n(results)} first laws: the softmax "
        "solution and the unregularised equilibrium."
    )
    return Figure(name="laws", draw=lambda s: _draw_bids(s, frame), data=frame, caption=caption, size=TWO_COLUMNS)


def _draw_bids(sheet: Any, frame: pandas.DataFrame) -> None:
    panels = list(dict.fromkeys(frame["panel"]))
    for axes, panel in zip(sheet.subplots(1, len(panels)), panels, strict=True):
        for index, (label, part) in enumerate(frame[frame["panel"] == panel].groupby("series", sort=False)):
            plot_with_interval(
                axes, np.asarray(part["at"]), np.asarray(part["share"]), None, None, index=index, label=str(label)
            )
        axes.set(xlabel=panel, ylabel="share of players")
        axes.legend()
