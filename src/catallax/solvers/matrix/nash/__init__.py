"""Nash equilibria of games in matrix form: pure ones, all of a two-player game, one of a zero-sum network; correlated
equilibria of any game."""

from .bimatrix import lemke_howson as lemke_howson
from .bimatrix import support_enumeration as support_enumeration
from .bimatrix import vertex_enumeration as vertex_enumeration
from .correlated import CorrelatedEquilibrium as CorrelatedEquilibrium
from .correlated import correlated_equilibrium as correlated_equilibrium
from .correlated import correlated_regret as correlated_regret
from .equilibria import NashEquilibria as NashEquilibria
from .equilibria import largest_regret as largest_regret
from .equilibria import nash_conv as nash_conv
from .equilibria import pure_nash as pure_nash
from .zero_sum import zero_sum_nash as zero_sum_nash
