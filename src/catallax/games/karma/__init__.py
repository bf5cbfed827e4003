"""Karma economies: resources contested with bids of a currency that cannot be bought, and is conserved exactly."""

from .closed_form import coin_cost as coin_cost
from .closed_form import coin_reward_variance as coin_reward_variance
from .closed_form import dictator_cost as dictator_cost
from .closed_form import dictator_reward_variance as dictator_reward_variance
from .matching import AbstractMatching as AbstractMatching
from .matching import CircleMatching as CircleMatching
from .matching import Pairing as Pairing
from .matching import UniformMatching as UniformMatching
from .pairwise import KarmaEvent as KarmaEvent
from .pairwise import KarmaWorld as KarmaWorld
from .pairwise import PairwiseKarma as PairwiseKarma
from .payment import AbstractPayment as AbstractPayment
from .payment import PayBidToPeer as PayBidToPeer
from .payment import PayBidToSociety as PayBidToSociety
from .payment import PayNothing as PayNothing
from .redistribution import share_out as share_out
from .tables import TableRow as TableRow
from .tables import karma_interface as karma_interface
from .tables import open_bids as open_bids
from .urgency import Urgency as Urgency
from .views import KarmaView as KarmaView
