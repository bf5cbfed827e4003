"""Structure of games in matrix form: dominated actions, potentials, zero-sum weights, interior equilibria."""

from .dominance import Reduction as Reduction
from .dominance import dominated_actions as dominated_actions
from .dominance import eliminate_dominated as eliminate_dominated
from .potential import Potential as Potential
from .potential import exact_potential as exact_potential
from .potential import weighted_potential as weighted_potential
from .zero_sum import ZeroSumWeights as ZeroSumWeights
from .zero_sum import interior_equilibrium as interior_equilibrium
from .zero_sum import pairwise_constant_sum as pairwise_constant_sum
from .zero_sum import zero_sum_weights as zero_sum_weights
