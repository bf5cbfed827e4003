"""Measures of growth economies: how far a policy is from the best one."""

from .saving import SavingPolicy as SavingPolicy
from .saving import consumption_loss as consumption_loss
from .saving import euler_error as euler_error
