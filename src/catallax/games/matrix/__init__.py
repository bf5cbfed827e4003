"""Games in matrix form: polymatrix and normal form, the games of the literature, and their repetition."""

from .matrix_game import AbstractMatrixGame as AbstractMatrixGame
from .matrix_game import per_player as per_player
from .normal_form import NormalForm as NormalForm
from .normal_form import as_normal_form as as_normal_form
from .polymatrix import Edge as Edge
from .polymatrix import Polymatrix as Polymatrix
from .repeated import Repeated as Repeated
from .zoo import asymmetric_matching_pennies as asymmetric_matching_pennies
from .zoo import coordination as coordination
from .zoo import first_price_bids as first_price_bids
from .zoo import match_mismatch_line as match_mismatch_line
from .zoo import matching_pennies as matching_pennies
from .zoo import matching_ring as matching_ring
from .zoo import prisoners_dilemma as prisoners_dilemma
from .zoo import rock_paper_scissors as rock_paper_scissors
