"""Measures of two-sided markets: efficiency, prices, activity and profits of each round."""

from .activity import Handover as Handover
from .activity import TradingOrder as TradingOrder
from .activity import Volume as Volume
from .collusion import ForcedDeviation as ForcedDeviation
from .collusion import SurplusShift as SurplusShift
from .efficiency import Efficiency as Efficiency
from .efficiency import LossAudit as LossAudit
from .prices import Autocorrelation as Autocorrelation
from .prices import CompetitiveBenchmark as CompetitiveBenchmark
from .prices import DeviationByTrade as DeviationByTrade
from .prices import Dispersion as Dispersion
from .profit import EquilibriumProfit as EquilibriumProfit
from .profit import Profit as Profit
from .profit import ProfitDispersion as ProfitDispersion
from .quotes import QuoteDistance as QuoteDistance
from .quotes import QuoteFees as QuoteFees
from .quotes import SampleRound as SampleRound
from .rounds import AbstractAuctionMeasure as AbstractAuctionMeasure
from .rounds import Round as Round
from .selected_copies import SelectedCopies as SelectedCopies
from .series import moving_mean as moving_mean
from .series import speed_of_convergence as speed_of_convergence
from .series import speed_of_learning as speed_of_learning
from .series import total_efficiency as total_efficiency
