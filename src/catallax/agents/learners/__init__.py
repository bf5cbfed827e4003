"""Rules that learn from what they lived through."""

from .central import CentralLearner as CentralLearner
from .dqn import DQN as DQN
from .ppo import PPO as PPO
from .reinforce import Reinforce as Reinforce
