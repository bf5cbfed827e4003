"""Stochastic growth: households that consume and save."""

from .growth import BrockMirman as BrockMirman
from .growth import GrowthEvent as GrowthEvent
from .growth import GrowthView as GrowthView
from .growth import GrowthWorld as GrowthWorld
from .growth import log_deviations as log_deviations
from .growth import saving_interface as saving_interface
from .growth import saving_share as saving_share
