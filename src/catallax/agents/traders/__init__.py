"""Scripted traders of double auctions, each written once in buyer's form (see `games.auction.observation`)."""

from .kaplan import Kaplan as Kaplan
from .trader import AbstractTrader as AbstractTrader
from .truth_teller import TruthTeller as TruthTeller
from .zero_intelligence import ZIC as ZIC
from .zero_intelligence import ZIU as ZIU
