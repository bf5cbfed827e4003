"""Sealed-bid auctions of one unit, from first price to second price, and their static equilibria."""

from .equilibrium import affiliated_revenue as affiliated_revenue
from .equilibrium import lowest_symmetric_bid as lowest_symmetric_bid
from .equilibrium import pure_equilibria as pure_equilibria
from .equilibrium import signal_weight as signal_weight
from .equilibrium import stage_game as stage_game
from .equilibrium import symmetric_equilibria as symmetric_equilibria
from .sealed_bid import SealedBid as SealedBid
from .sealed_bid import SealedBidEvent as SealedBidEvent
from .sealed_bid import SealedBidWorld as SealedBidWorld
from .sealed_bid import even_grid as even_grid
from .values import AbstractValues as AbstractValues
from .values import AffiliatedValues as AffiliatedValues
from .values import ConstantValue as ConstantValue
