"""Measures of learning in matrix games: policies, payoffs, regrets, distances to an equilibrium."""

from .gap import Gap as Gap
from .lyapunov import Lyapunov as Lyapunov
from .policy import AbstractMatrixMeasure as AbstractMatrixMeasure
from .policy import Distance as Distance
from .policy import Payoffs as Payoffs
from .policy import Policy as Policy
from .policy import policies as policies
from .policy import stage_of as stage_of
from .regrets import Regrets as Regrets
