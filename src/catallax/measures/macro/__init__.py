"""Measures of economies: how far prices collude, how far a policy is from the best one."""

from .collusion import Collusion as Collusion
from .collusion import Deviation as Deviation
from .collusion import deviation as deviation
from .collusion import limit_cycle as limit_cycle
from .collusion import profit_gain as profit_gain
from .saving import SavingPolicy as SavingPolicy
from .saving import constant_share_loss as constant_share_loss
from .saving import euler_error as euler_error
