"""catallax: learning agents in markets, games and economies, on JAX.

Import what you need from its rooms: `catallax.core` (protocols, lifts, play, run), `catallax.games`, `catallax.agents`,
`catallax.measures`, `catallax.lab` (experiments, results, claims) and `catallax.experiments`.
"""

from .version import __version__ as __version__
