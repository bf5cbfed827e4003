"""Where learning flows lead: rest points and their stability, basins of attraction, orbits, Lyapunov functions."""

from .basins import Basins as Basins
from .basins import basins as basins
from .basins import drawn_starts as drawn_starts
from .basins import grid_starts as grid_starts
from .lyapunov import LyapunovBalance as LyapunovBalance
from .lyapunov import divergence_rate as divergence_rate
from .lyapunov import divergences as divergences
from .lyapunov import lyapunov_balance as lyapunov_balance
from .lyapunov import player_divergence_rates as player_divergence_rates
from .lyapunov import weighted_divergence as weighted_divergence
from .one_explorer import OneExplorer as OneExplorer
from .one_explorer import one_explorer as one_explorer
from .orbits import ConservedQuantity as ConservedQuantity
from .orbits import Orbit as Orbit
from .orbits import closed_orbit as closed_orbit
from .orbits import conserved_quantity as conserved_quantity
from .orbits import recurrence as recurrence
from .orbits import running_average as running_average
from .rest_points import RestKind as RestKind
from .rest_points import RestPoint as RestPoint
from .rest_points import rest_point as rest_point
from .snapshot import Snapshot as Snapshot
from .snapshot import snapshot as snapshot
from .spectrum import Spectrum as Spectrum
from .spectrum import spectrum as spectrum
