"""Learners that keep a number for each state and action."""

from .boltzmann import BoltzmannQ as BoltzmannQ
from .cross_learning import CrossLearning as CrossLearning
from .experience_weighted import Attractions as Attractions
from .experience_weighted import ExperienceWeighted as ExperienceWeighted
from .fictitious_play import Averages as Averages
from .fictitious_play import FictitiousPlay as FictitiousPlay
from .initial import UniformValues as UniformValues
from .q_learning import AbstractExploration as AbstractExploration
from .q_learning import AbstractRate as AbstractRate
from .q_learning import Boltzmann as Boltzmann
from .q_learning import ConstantRate as ConstantRate
from .q_learning import EpsilonGreedy as EpsilonGreedy
from .q_learning import PolynomialRate as PolynomialRate
from .q_learning import QLearning as QLearning
from .q_learning import QState as QState
from .regret_matching import RegretMatching as RegretMatching
from .regret_matching import Regrets as Regrets
from .sarsa import Sarsa as Sarsa
from .synchronous_q import SynchronousQLearning as SynchronousQLearning
