"""Measures of karma economies: efficiency and fairness, the distribution of karma, bids, and its conservation."""

from .field import FieldOutcomes as FieldOutcomes
from .outcomes import SocialOutcomes as SocialOutcomes
from .wealth import Conservation as Conservation
from .wealth import KarmaDistribution as KarmaDistribution
from .wealth import MeanBids as MeanBids
