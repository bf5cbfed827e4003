"""Measures of sealed-bid auctions: revenue and bids."""

from .bids import LastBids as LastBids
from .bids import Revenue as Revenue
