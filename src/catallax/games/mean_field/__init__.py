"""Mean-field games: a continuum of players who meet only through the law of their states and actions."""

from .ad_auction import AdAuction as AdAuction
from .ad_auction import AuctionMDP as AuctionMDP
from .ad_auction import Cleared as Cleared
from .as_game import FinitePlayers as FinitePlayers
from .as_game import Representative as Representative
from .as_game import Visit as Visit
from .mdp import AbstractMDP as AbstractMDP
from .mdp import TabularMDP as TabularMDP
from .mdp import check_mdp as check_mdp
from .mdp import dense_transition as dense_transition
from .model import AbstractMeanFieldGame as AbstractMeanFieldGame
from .model import check_law as check_law
from .model import check_policy as check_policy
from .model import empirical_law as empirical_law
from .model import meet_in_law as meet_in_law
from .model import uniform_law as uniform_law
from .model import uniform_policy as uniform_policy
