"""Reading runs of auctions out of results."""

from typing import Any

import numpy as np

from .auction_settings import GROUPS

WINDOW = 1000
"""Auctions over which a price is averaged."""


def place(name: str) -> tuple[str, int]:
    """The cell of a setting and its place on the lane."""
    for cell, settings in GROUPS.items():
        for i, setting in enumerate(settings):
            if setting.name == name:
                return cell, i
    raise KeyError(name)


def prices(results: Any, name: str) -> np.ndarray:
    """Mean price of each window of 1000 auctions, [replicate, window]."""
    cell, i = place(name)
    total = results.dataset(cell)["revenue"].isel(setting=i, copy=0).values
    return np.diff(total, axis=1, prepend=0.0) / WINDOW


def last_price(results: Any, name: str) -> np.ndarray:
    """Mean price of the last 1000 auctions, [replicate]."""
    return prices(results, name)[:, -1]


def last_bids(results: Any, name: str) -> np.ndarray:
    """The last bids, [replicate, bidder]."""
    cell, i = place(name)
    bid = results.dataset(cell)["bid"].isel(setting=i, copy=0)
    time = next(d for d in bid.dims if str(d).startswith("phase"))
    return bid.isel({time: -1}).values
