"""catallax: learning agents in markets, games and economies, on JAX."""

__version__ = "0.1.0.dev0"
