"""Karma games with infinitely many players: the exact mean-field kernel and its stationary equilibria."""

from .equilibrium import FieldRecord as FieldRecord
from .equilibrium import FieldState as FieldState
from .equilibrium import KarmaEquilibrium as KarmaEquilibrium
from .kernel import ContestOutcomes as ContestOutcomes
from .kernel import Kernel as Kernel
from .kernel import karma_kernel as karma_kernel
from .kernel import outcomes as outcomes
