"""Measures of mean-field solvers: distance from equilibrium, movement of the law, revenue."""

from .law import ActionValues as ActionValues
from .law import L1Distance as L1Distance
from .law import Marginals as Marginals
from .law import Revenue as Revenue
from .law import TwoStepDistance as TwoStepDistance
from .stationary_exploitability import StationaryExploitability as StationaryExploitability
