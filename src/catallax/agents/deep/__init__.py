"""Learners with neural networks."""

from .actor_critic import ActorCritic as ActorCritic
from .dqn import DQN as DQN
from .ppo import PPO as PPO
from .reinforce import Reinforce as Reinforce
