"""Games of the literature: two players, networks, many players in normal form."""

from .many_player import congestion_game as congestion_game
from .many_player import congestion_potential as congestion_potential
from .many_player import hunt_of_many as hunt_of_many
from .many_player import public_goods as public_goods
from .many_player import random_normal_form as random_normal_form
from .many_player import random_potential as random_potential
from .many_player import random_zero_sum as random_zero_sum
from .network_games import match_mismatch_line as match_mismatch_line
from .network_games import matching_ring as matching_ring
from .network_games import polymatrix_on as polymatrix_on
from .network_games import random_polymatrix as random_polymatrix
from .network_games import random_zero_sum_polymatrix as random_zero_sum_polymatrix
from .two_player import asymmetric_matching_pennies as asymmetric_matching_pennies
from .two_player import battle_of_the_sexes as battle_of_the_sexes
from .two_player import coordination as coordination
from .two_player import first_price_bids as first_price_bids
from .two_player import hawk_dove as hawk_dove
from .two_player import identity_game as identity_game
from .two_player import matching_pennies as matching_pennies
from .two_player import odd_cycle as odd_cycle
from .two_player import prisoners_dilemma as prisoners_dilemma
from .two_player import rock_paper_scissors as rock_paper_scissors
from .two_player import shapleys_game as shapleys_game
from .two_player import stag_hunt as stag_hunt
