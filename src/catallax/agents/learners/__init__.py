"""Rules that learn from what they lived through."""

from .dqn import DQN as DQN
from .reinforce import Reinforce as Reinforce
