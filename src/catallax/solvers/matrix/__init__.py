"""Polymatrix games solved: Q-learning flows, logit equilibria, Lyapunov functions, zero-sum weights."""

from .choice import centred as centred
from .choice import logit_gap as logit_gap
from .choice import scores_of as scores_of
from .choice import softmax as softmax
from .fictitious_play import Beliefs as Beliefs
from .fictitious_play import BestResponsePlay as BestResponsePlay
from .integrate import AbstractIntegrator as AbstractIntegrator
from .integrate import Adaptive as Adaptive
from .integrate import RungeKutta as RungeKutta
from .logit import LogitEquilibrium as LogitEquilibrium
from .logit import LogitNewton as LogitNewton
from .logit import Status as Status
from .logit import logit_equilibrium as logit_equilibrium
from .lyapunov import divergence_rate as divergence_rate
from .lyapunov import divergences as divergences
from .lyapunov import player_divergence_rates as player_divergence_rates
from .lyapunov import weighted_divergence as weighted_divergence
from .q_learning_flow import QLearningFlow as QLearningFlow
from .q_learning_flow import SmoothQLearning as SmoothQLearning
from .replicator import evolutionarily_stable as evolutionarily_stable
from .replicator import regret as regret
from .replicator import replicator_path as replicator_path
from .zero_sum import Weights as Weights
from .zero_sum import interior_equilibrium as interior_equilibrium
from .zero_sum import pairwise_constant_sum as pairwise_constant_sum
from .zero_sum import zero_sum_weights as zero_sum_weights
