"""Parts that learners share: networks."""

from .networks import MLP as MLP
