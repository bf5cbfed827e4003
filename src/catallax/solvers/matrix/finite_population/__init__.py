"""Imitation in finite populations: the Moran process of two rules, rare mutations among many, alpha-rank.

`flow` has their limits for large populations, replicator dynamics with and without mutation.
"""

from .alpha_rank import AlphaRank as AlphaRank
from .alpha_rank import alpha_rank as alpha_rank
from .moran import fixation_probabilities as fixation_probabilities
from .moran import moran_distribution as moran_distribution
from .moran import small_mutation_distribution as small_mutation_distribution
