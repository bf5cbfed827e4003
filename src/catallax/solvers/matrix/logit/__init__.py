"""Logit (quantal response) equilibria: single points, many starts, branches over the temperature, surfaces."""

from .branch import Branch as Branch
from .branch import BranchEvent as BranchEvent
from .branch import BranchEventKind as BranchEventKind
from .branch import switch_branch as switch_branch
from .branch import trace_logit_branch as trace_logit_branch
from .choice import centred as centred
from .choice import logit_gap as logit_gap
from .choice import scores_of as scores_of
from .choice import softmax as softmax
from .equilibrium import LogitEquilibrium as LogitEquilibrium
from .equilibrium import LogitNewton as LogitNewton
from .equilibrium import Status as Status
from .equilibrium import logit_equilibrium as logit_equilibrium
from .multistart import LogitEquilibria as LogitEquilibria
from .multistart import logit_equilibria as logit_equilibria
from .selection import Selection as Selection
from .selection import select_by_vanishing_exploration as select_by_vanishing_exploration
from .surface import LogitGrid as LogitGrid
from .surface import LogitSurface as LogitSurface
from .surface import logit_surface as logit_surface
from .surface import temperature_grid as temperature_grid
