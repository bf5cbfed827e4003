"""Pictures of double auctions: demand and supply, quotes over rounds; and the numbers they show."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas

from catallax.games.double_auction.equilibrium import competitive_equilibrium
from catallax.lab import Figure, Results
from catallax.lab.figure import ASKS, BIDS, COLOURS, ONE_COLUMN, PRICES, TWO_COLUMNS
from catallax.lab.quantity import time_axis


def schedules(values: np.ndarray, costs: np.ndarray) -> pandas.DataFrame:
    """Demand and supply of a round, unit by unit, with the competitive interval on every line."""
    demand = np.sort(values[np.isfinite(values)])[::-1]
    supply = np.sort(costs[np.isfinite(costs)])
    n = max(demand.size, supply.size)
    pad = lambda x: np.concatenate([x, np.full(n - x.size, np.nan)])
    ce = competitive_equilibrium(jnp.asarray(values), jnp.asarray(costs))
    units = pandas.DataFrame({"unit": np.arange(1, n + 1), "value": pad(demand), "cost": pad(supply)})
    ends = {"equilibrium_low": float(ce.low), "equilibrium_high": float(ce.high)}
    return units.assign(**ends, equilibrium_quantity=int(ce.quantity))


def draw_schedules(sheet: Any, table: pandas.DataFrame) -> None:
    """The two step functions and the band of competitive prices."""
    axes = sheet.subplots()
    edges = np.arange(len(table) + 1)
    axes.stairs(table["value"], edges, color=BIDS["color"], label="demand (values)", baseline=None)
    axes.stairs(table["cost"], edges, color=ASKS["color"], label="supply (costs)", baseline=None, linestyle="--")
    low, high = table["equilibrium_low"][0], table["equilibrium_high"][0]
    axes.axhspan(low, high, color=COLOURS[3], alpha=0.25, linewidth=0, label="competitive prices")
    axes.axvline(table["equilibrium_quantity"][0], color=COLOURS[3], linewidth=0.8, linestyle=":")
    axes.set(xlabel="units", ylabel="price")
    axes.legend()


def sampled_quotes(results: Results[Any], cell: str) -> pandas.DataFrame:
    """Quotes and prices of the sampled rounds of replication 1, one row each: round, kind, price."""
    data = results.dataset(cell).isel(replicate=0)
    copies, time = data.sizes["copy"], time_axis(data["sample_price"])
    frames = []
    for i, phase in enumerate(data[time].values):
        sample = data.isel({time: i})
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


def schedule_figure(results: Results[Any], cell: str, which: str = "") -> Figure:
    """Demand and supply of the first sampled round of replication 1 of a cell; `which` says so in the caption."""
    sample = results.dataset(cell).isel(replicate=0)
    table = schedules(*(sample[f"sample_{side}"].values[0] for side in ("values", "costs")))
    caption = f"Demand and supply of one round, with the competitive price interval{which}."
    return Figure(name="supply_and_demand", draw=lambda s: draw_schedules(s, table), data=table, caption=caption)


def quotes_figure(results: Results[Any], labels: Mapping[str, str], caption: str) -> Figure:
    """Quotes over the sampled rounds of one or several cells, a panel each.

    Args:
        labels: name of a cell -> title of its panel.
        caption: what is shown.
    """
    frames = {label: sampled_quotes(results, cell) for cell, label in labels.items()}
    several = len(frames) > 1
    parts = [frame.assign(market=label) if several else frame for label, frame in frames.items()]
    data, size = pandas.concat(parts, ignore_index=True), (TWO_COLUMNS[0], 4.6) if several else ONE_COLUMN
    draw = lambda sheet: draw_quotes(sheet, frames)
    return Figure(name="quotes_over_rounds", draw=draw, data=data, caption=caption, size=size)
