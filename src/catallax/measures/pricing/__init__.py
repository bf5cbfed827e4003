"""Measures of pricing oligopolies: how far prices collude, and what follows a price cut."""

from .collusion import Collusion as Collusion
from .collusion import Cycle as Cycle
from .collusion import Deviation as Deviation
from .collusion import PriceCut as PriceCut
from .collusion import deviation as deviation
from .collusion import limit_cycle as limit_cycle
from .collusion import present_value as present_value
from .collusion import profit_gain as profit_gain
