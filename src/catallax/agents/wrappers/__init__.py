"""Rules made of other rules: a trained learner held fixed, one policy for a whole team."""

from .central import CentralLearner as CentralLearner
from .frozen import Frozen as Frozen
from .frozen import frozen_population as frozen_population
from .frozen import frozen_seat as frozen_seat
