"""Measures of populations of Q-learners: means, spread, mass, distance from rest, densities."""

from .moments import AbstractPopulationMeasure as AbstractPopulationMeasure
from .moments import MeanPolicy as MeanPolicy
from .moments import Moments as Moments
from .moments import StationaryDistance as StationaryDistance
from .spread import Courant as Courant
from .spread import Density as Density
from .spread import Histogram as Histogram
