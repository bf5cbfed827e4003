"""Pricing oligopolies: firms that set prices against each other."""

from .pricing import LogitMarket as LogitMarket
from .pricing import PricingEvent as PricingEvent
from .pricing import PricingGame as PricingGame
from .pricing import pricing_game as pricing_game
