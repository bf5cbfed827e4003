"""Pictures of double auctions: schedules, quotes over rounds, learning curves; and the numbers they show."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas

from catallax.games.auction.equilibrium import competitive_equilibrium
from catallax.lab.figure import ASKS, BIDS, COLOURS, PRICES, plot_with_interval, state_sample
from catallax.lab.statistics import mean_interval
from catallax.measures.auction.series import moving_mean

from .rounds import rounds

_POINTS = 60  # points of a learning curve: enough for a column's width


def schedules(values: np.ndarray, costs: np.ndarray) -> pandas.DataFrame:
    """Demand and supply of a round, unit by unit, with the competitive interval on every line."""
    demand = np.sort(values[np.isfinite(values)])[::-1]
    supply = np.sort(costs[np.isfinite(costs)])
    n = max(demand.size, supply.size)
    pad = lambda x: np.concatenate([x, np.full(n - x.size, np.nan)])
    ce = competitive_equilibrium(jnp.asarray(values), jnp.asarray(costs))
    return pandas.DataFrame(
        {
            "unit": np.arange(1, n + 1),
            "value": pad(demand),
            "cost": pad(supply),
            "equilibrium_low": float(ce.low),
            "equilibrium_high": float(ce.high),
            "equilibrium_quantity": int(ce.quantity),
        }
    )


def draw_schedules(sheet: Any, values: np.ndarray, costs: np.ndarray) -> None:
    """The two step functions and the band of competitive prices."""
    table = schedules(values, costs)
    axes = sheet.subplots()
    edges = np.arange(len(table) + 1)
    axes.stairs(table["value"], edges, color=BIDS["color"], label="demand (values)", baseline=None)
    axes.stairs(table["cost"], edges, color=ASKS["color"], label="supply (costs)", baseline=None, linestyle="--")
    low, high = table["equilibrium_low"][0], table["equilibrium_high"][0]
    axes.axhspan(low, high, color=COLOURS[3], alpha=0.25, linewidth=0, label="competitive prices")
    axes.axvline(table["equilibrium_quantity"][0], color=COLOURS[3], linewidth=0.8, linestyle=":")
    axes.set(xlabel="units", ylabel="price")
    axes.legend()


def sampled_quotes(results: Any, cell: str) -> pandas.DataFrame:
    """Quotes and prices of the sampled rounds of replication 1, one line each: round, kind, price."""
    data = results.dataset(cell).isel(replicate=0)
    copies = data.sizes["copy"]
    phases = data[data["sample_price"].dims[0]].values
    frames = []
    for i, phase in enumerate(phases):
        sample = data.isel({data["sample_price"].dims[0]: i})
        ce = competitive_equilibrium(*(jnp.asarray(sample[f"sample_{x}"].values) for x in ("values", "costs")))
        traded = sample["sample_traded"].values.astype(bool)
        for kind, prices in (
            ("bid", sample["sample_bids"].values.ravel()),
            ("ask", sample["sample_asks"].values.ravel()),
            ("price", sample["sample_price"].values[traded]),
            ("competitive", np.asarray([float(ce.price)])),
        ):
            prices = prices[np.isfinite(prices)]
            frames.append(pandas.DataFrame({"round": int(phase + 1) * copies, "kind": kind, "price": prices}))
    return pandas.concat(frames, ignore_index=True)


def draw_quotes(sheet: Any, markets: Mapping[str, pandas.DataFrame]) -> None:
    """A panel a market: bids red, asks blue, prices black, over rounds."""
    rows = 2 if len(markets) > 1 else 1
    grid = sheet.subplots(rows, (len(markets) + 1) // 2, sharex=True, sharey=True, squeeze=False)
    panels = grid.ravel()
    low, high = np.inf, -np.inf
    for axes, (label, frame) in zip(panels, markets.items(), strict=False):
        every = frame["round"].min()
        for kind, style, shift in (("bid", BIDS, -0.22), ("ask", ASKS, 0.22), ("price", PRICES, 0.0)):
            part = frame[frame["kind"] == kind]
            axes.plot(part["round"] + shift * every, part["price"], **(style | {"markersize": 1.6, "alpha": 0.5}))
        line = frame[frame["kind"] == "competitive"]
        axes.plot(line["round"], line["price"], color=COLOURS[3], linewidth=0.9, label="competitive price")
        axes.set_title(label, fontsize=8)
        quotes = frame["price"]
        low, high = min(low, quotes.quantile(0.005)), max(high, quotes.quantile(0.995))
    panels[0].set_ylim(low - 2, high + 2)
    sheet.legend(*panels[0].get_legend_handles_labels(), markerscale=2, loc="outside upper center", ncols=4)
    sheet.supxlabel("round", fontsize=8)
    sheet.supylabel("price", fontsize=8)


def _curve(series: np.ndarray, panel: str, label: str) -> pandas.DataFrame:
    """A moving mean over 100 rounds, thinned, with intervals: `series` is [replicate, round]."""
    smooth = np.stack([moving_mean(s, 100) for s in series])
    at = np.unique(np.linspace(0, smooth.shape[1] - 1, _POINTS).astype(int))
    rows = []
    for i in at:
        e = mean_interval(smooth[:, i], allow_undefined=True)
        first = series.shape[1] - smooth.shape[1]
        rows.append(
            {
                "panel": panel,
                "series": label,
                "round": first + i + 1,
                "mean": e.mean,
                "low": e.low,
                "high": e.high,
            }
        )
    return pandas.DataFrame(rows)


def learning_curves(results: Any, labels: Mapping[str, str]) -> pandas.DataFrame:
    """Profit of the learner and its neighbours, deviation and buyer efficiency, by round."""
    profit = rounds(results, "single", "buyer_profit")
    curves = [
        _curve(profit[:, :, 0], "profit", "learning buyer"),
        _curve(profit[:, :, 1:].mean(axis=2), "profit", "ZIC buyers"),
    ]
    for panel, variable in (("deviation", "mad"), ("buyer efficiency", "buyer_efficiency")):
        curves += [_curve(rounds(results, cell, variable), panel, label) for cell, label in labels.items()]
    return pandas.concat(curves, ignore_index=True)


def draw_learning(sheet: Any, curves: pandas.DataFrame, replications: int) -> None:
    """A panel a quantity, a curve a market, bands where there are enough replications."""
    names = list(dict.fromkeys(curves["panel"]))
    units = {"profit": "profit a round, price units", "deviation": "mean |p - p*|, price units"}
    banded = False
    for axes, panel in zip(sheet.subplots(1, len(names)), names, strict=True):
        part = curves[curves["panel"] == panel]
        for index, (label, curve) in enumerate(part.groupby("series", sort=False)):
            low, high = np.asarray(curve["low"], float), np.asarray(curve["high"], float)
            known = bool(np.isfinite(low).all())
            banded |= known
            plot_with_interval(
                axes,
                np.asarray(curve["round"]),
                np.asarray(curve["mean"], float),
                low if known else None,
                high if known else None,
                index=index,
                label=str(label),
            )
        axes.set(xlabel="round", ylabel=units.get(panel, panel))
        axes.legend()
    state_sample(sheet, replications, "95% t interval" if banded else None)
