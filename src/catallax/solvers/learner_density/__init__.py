"""The distribution of a population of Q-learners over their values: the transport equation, solved in three ways.

`Characteristics` (on moving nodes, the reference), `FiniteVolume` (on a fixed grid) and `FiniteLearners` (finitely many
learners who draw their actions) all follow one `LearnerModel` from one `ProductLaw`.
"""

from .characteristics import Characteristics as Characteristics
from .finite_learners import FiniteLearners as FiniteLearners
from .finite_volume import FiniteVolume as FiniteVolume
from .finite_volume import ValueGrid as ValueGrid
from .finite_volume import minmod as minmod
from .finite_volume import monotonized_central as monotonized_central
from .law import AbstractMarginal as AbstractMarginal
from .law import Beta as Beta
from .law import ProductLaw as ProductLaw
from .law import Quadrature as Quadrature
from .law import TruncatedNormal as TruncatedNormal
from .law import Uniform as Uniform
from .law import given_nodes as given_nodes
from .model import AbstractLearnerDensity as AbstractLearnerDensity
from .model import LearnerModel as LearnerModel
from .model import WeightedPoints as WeightedPoints
from .model import symmetric_payoff as symmetric_payoff
from .stationary import StationaryState as StationaryState
from .stationary import stationary_state as stationary_state
