"""Stationary mean-field games, solved on their exact model in double precision.

`FixedPoint`, `MirrorDescent` and `MeanFieldQ` find equilibria; `exploitability` measures how near a policy is to one.
`best_response` and `evaluate` solve one player's problem. Rules of choice are `Softmax` and `Argmax`; population maps
are `OneStep` and `Stationary`.
"""

from .choice import AbstractChoice as AbstractChoice
from .choice import Argmax as Argmax
from .choice import Softmax as Softmax
from .decision import PolicyValue as PolicyValue
from .decision import ValueIteration as ValueIteration
from .decision import best_response as best_response
from .decision import evaluate as evaluate
from .exploitability import Exploitability as Exploitability
from .exploitability import exploitability as exploitability
from .fixed_point import FixedPoint as FixedPoint
from .fixed_point import FixedPointState as FixedPointState
from .mean_field_q import MeanFieldQ as MeanFieldQ
from .mean_field_q import MeanFieldQState as MeanFieldQState
from .mean_field_q import nearest_on_net as nearest_on_net
from .mirror_descent import MirrorDescent as MirrorDescent
from .mirror_descent import MirrorDescentState as MirrorDescentState
from .population_map import AbstractPopulationMap as AbstractPopulationMap
from .population_map import OneStep as OneStep
from .population_map import PopulationFlow as PopulationFlow
from .population_map import Stationary as Stationary
from .population_map import one_step as one_step
from .population_map import stationary_law as stationary_law
from .solver import AbstractMeanFieldSolver as AbstractMeanFieldSolver
