"""Measures of economies: how far prices collude, how far a policy is from the best one."""

from .collusion import Collusion as Collusion
from .collusion import Cycle as Cycle
from .collusion import Deviation as Deviation
from .collusion import PriceCut as PriceCut
from .collusion import deviation as deviation
from .collusion import limit_cycle as limit_cycle
from .collusion import present_value as present_value
from .collusion import profit_gain as profit_gain
from .saving import SavingPolicy as SavingPolicy
from .saving import consumption_loss as consumption_loss
from .saving import euler_error as euler_error
