"""Rules that learn from what they lived through."""

from .reinforce import Reinforce as Reinforce
