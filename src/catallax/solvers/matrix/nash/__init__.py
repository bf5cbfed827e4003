"""Nash equilibria of games in matrix form, each verified by its regrets."""

from .bimatrix import lemke_howson as lemke_howson
from .bimatrix import support_enumeration as support_enumeration
from .bimatrix import vertex_enumeration as vertex_enumeration
from .equilibria import NashEquilibria as NashEquilibria
from .equilibria import exploitability as exploitability
from .equilibria import nash_conv as nash_conv
from .pure import pure_equilibria as pure_equilibria
from .zero_sum import zero_sum_nash as zero_sum_nash
