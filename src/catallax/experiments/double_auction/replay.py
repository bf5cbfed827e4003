"""A market replayed: every quote and every trade of one round, tick by tick, over the band of competitive prices."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas

from catallax.games.double_auction.equilibrium import competitive_equilibrium
from catallax.lab import Figure, Results
from catallax.lab.figure import ASKS, BIDS, COLOURS, PRICES, TWO_COLUMNS
from catallax.lab.quantity import time_axis


def replay(results: Results[Any], cell: str, steps: int, which: int = -1) -> pandas.DataFrame:
    """One sampled round of replication 1, one row for each quote and trade: tick, period, kind, seat, price.

    Args:
        results: of an experiment that records `SampleRound`.
        cell: whose round; a cell without lanes.
        steps: ticks in a period.
        which: number of the sampled round; the last one by default.
    """
    data = results.dataset(cell).isel(replicate=0)
    sample = data.isel({time_axis(data["sample_price"]): which})
    ce = competitive_equilibrium(*(jnp.asarray(sample[f"sample_{x}"].values) for x in ("values", "costs")))
    rows = []
    for kind, quotes in (("bid", sample["sample_bids"].values), ("ask", sample["sample_asks"].values)):
        for tick, seat in zip(*np.nonzero(np.isfinite(quotes)), strict=True):
            rows.append((int(tick), kind, int(seat) + 1, float(quotes[tick, seat])))
    for tick in np.flatnonzero(sample["sample_traded"].values):
        rows.append((int(tick), "trade", 0, float(sample["sample_price"].values[tick])))
    frame = pandas.DataFrame(rows, columns=["tick", "kind", "seat", "price"]).sort_values("tick", kind="stable")
    frame.insert(1, "period", frame["tick"] // steps + 1)
    return frame.assign(competitive_low=float(ce.low), competitive_high=float(ce.high)).reset_index(drop=True)


def replay_figure(results: Results[Any], cell: str, steps: int, ticks: int) -> Figure:
    """The last sampled round of a cell, as a figure.

    Args:
        ticks: in the round.
    """
    frame = replay(results, cell, steps)
    caption = (
        "One round tick by tick (the last sample of replication 1): bids (red), asks (blue) and trades (black, joined) "
        "over the band of competitive prices; dotted lines part the periods."
    )
    draw = lambda sheet: draw_replay(sheet, frame, steps, ticks)
    return Figure(name="replay", draw=draw, data=frame, caption=caption, size=TWO_COLUMNS)


def draw_replay(sheet: Any, frame: pandas.DataFrame, steps: int, ticks: int) -> None:
    """Quotes as triangles, trades as joined discs, the band behind them."""
    axes = sheet.subplots()
    if len(frame):
        low, high = float(frame["competitive_low"].iloc[0]), float(frame["competitive_high"].iloc[0])
        if np.isfinite([low, high]).all():
            bottom, top = min(low, high), max(low, high)  # where nobody gains, the interval is turned around
            axes.axhspan(bottom, top, color=COLOURS[3], alpha=0.25, linewidth=0, label="competitive prices")
    for kind, style in (("bid", BIDS), ("ask", ASKS)):
        part = frame[frame["kind"] == kind]
        axes.plot(part["tick"] + 1, part["price"], **(style | {"markersize": 2.2, "alpha": 0.6}))
    trades = frame[frame["kind"] == "trade"]
    for _, period in trades.groupby("period"):
        axes.plot(period["tick"] + 1, period["price"], color=PRICES["color"], linewidth=0.7)
    axes.plot(trades["tick"] + 1, trades["price"], **(PRICES | {"label": "trades"}))
    for edge in range(steps, ticks, steps):
        axes.axvline(edge + 0.5, color="#888888", linewidth=0.6, linestyle=":")
    axes.set(xlabel="tick", ylabel="price", xlim=(0.5, ticks + 0.5))
    axes.legend(loc="upper right", ncols=4)
