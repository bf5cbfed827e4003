"""Learning dynamics of games in matrix form: Q-learning flow, replicator dynamics, fictitious play, schedules.

`flow_analysis` says where they lead.
"""

from .fictitious_play import Beliefs as Beliefs
from .fictitious_play import BestResponsePlay as BestResponsePlay
from .integrate import AbstractIntegrator as AbstractIntegrator
from .integrate import Adaptive as Adaptive
from .integrate import RungeKutta as RungeKutta
from .q_learning_flow import QLearningFlow as QLearningFlow
from .q_learning_flow import SmoothQLearning as SmoothQLearning
from .replicator import evolutionarily_stable as evolutionarily_stable
from .replicator import replicator_path as replicator_path
from .replicator import symmetric_regret as symmetric_regret
from .replicator_mutator import replicator_mutator_path as replicator_mutator_path
from .temperature_schedules import AbstractTemperatureSchedule as AbstractTemperatureSchedule
from .temperature_schedules import ConstantTemperature as ConstantTemperature
from .temperature_schedules import CosineTemperature as CosineTemperature
from .temperature_schedules import ExploreThenExploit as ExploreThenExploit
from .temperature_schedules import LinearTemperature as LinearTemperature
from .temperature_schedules import Matched as Matched
from .temperature_schedules import OneCycle as OneCycle
from .temperature_schedules import matched_at_random as matched_at_random
