"""Parts that learners share: networks."""

from .mlp import MLP as MLP
