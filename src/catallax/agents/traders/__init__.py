"""Scripted traders of double auctions, each written once in buyer's form (see `games.double_auction.observation`).

A new trader is one file and one import at the end of this list; `by_name` then knows it.
"""

from .trader import AbstractTrader as AbstractTrader

# The order of these imports is the order in which tournaments number and print the traders.
# isort: off
from .zero_intelligence import ZIC as ZIC
from .zero_intelligence import ZIU as ZIU
from .truth_teller import TruthTeller as TruthTeller
from .markup import Markup as Markup
from .skeleton import Skeleton as Skeleton
from .zero_intelligence_plus import ZIP as ZIP
from .gjerstad_dickhaut import GD as GD
from .modified_gjerstad_dickhaut import MGD as MGD
from .gdx import GDX as GDX
from .adaptive_aggressiveness import AA as AA
from .kaplan import Kaplan as Kaplan
from .kaplan_port import KaplanPort as KaplanPort
from .ringuette import Ringuette as Ringuette
from .easley_ledyard import EasleyLedyard as EasleyLedyard
from .price_taker import PriceTaker as PriceTaker
from .perry import Perry as Perry
from .lin import Lin as Lin
from .gamer import Gamer as Gamer
from .staecker import Staecker as Staecker
# isort: on


def by_name() -> dict[str, type[AbstractTrader]]:
    """The traders that this package exports by their `short_name`, in the order of the imports above.

    Each can be made without arguments.
    """
    classes = [value for value in globals().values() if isinstance(value, type) and issubclass(value, AbstractTrader)]
    return {trader.short_name: trader for trader in classes if trader is not AbstractTrader}
