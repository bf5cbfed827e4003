"""Games in matrix form: polymatrix games, the games of the literature, and their repetition."""

from .polymatrix import Edge as Edge
from .polymatrix import Polymatrix as Polymatrix
from .polymatrix import per_player as per_player
from .repeated import Repeated as Repeated
from .zoo import asymmetric_matching_pennies as asymmetric_matching_pennies
from .zoo import coordination as coordination
from .zoo import first_price_bids as first_price_bids
from .zoo import match_mismatch_line as match_mismatch_line
from .zoo import matching_pennies as matching_pennies
from .zoo import matching_ring as matching_ring
from .zoo import prisoners_dilemma as prisoners_dilemma
from .zoo import rock_paper_scissors as rock_paper_scissors
