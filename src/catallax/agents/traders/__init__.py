"""Scripted traders of double auctions, each written once in buyer's form (see `games.double_auction.observation`)."""

from .adaptive_aggressiveness import AA as AA
from .easley_ledyard import EasleyLedyard as EasleyLedyard
from .gamer import Gamer as Gamer
from .gdx import GDX as GDX
from .gjerstad_dickhaut import GD as GD
from .kaplan import Kaplan as Kaplan
from .kaplan_port import KaplanPort as KaplanPort
from .lin import Lin as Lin
from .markup import Markup as Markup
from .modified_gjerstad_dickhaut import MGD as MGD
from .perry import Perry as Perry
from .price_taker import PriceTaker as PriceTaker
from .ringuette import Ringuette as Ringuette
from .skeleton import Skeleton as Skeleton
from .staecker import Staecker as Staecker
from .trader import AbstractTrader as AbstractTrader
from .truth_teller import TruthTeller as TruthTeller
from .zero_intelligence import ZIC as ZIC
from .zero_intelligence import ZIU as ZIU
from .zero_intelligence_plus import ZIP as ZIP
