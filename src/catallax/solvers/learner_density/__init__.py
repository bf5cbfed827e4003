"""The density of a population of Q-learners: the transport equation of their values, solved three ways."""

from .characteristics import Characteristics as Characteristics
from .finite_population import FinitePopulation as FinitePopulation
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
from .model import AbstractPopulation as AbstractPopulation
from .model import Atoms as Atoms
from .model import LearnerPopulation as LearnerPopulation
from .model import symmetric_payoff as symmetric_payoff
from .stationary import StationaryState as StationaryState
from .stationary import stationary_state as stationary_state
