"""The experiments of the library by name: strings only; a module is imported when it is asked for."""

import difflib
import importlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from catallax.lab import Experiment


class Entry(NamedTuple):
    """Where an experiment lives.

    Attributes:
        module: Module with a global `experiment`.
        summary: What it shows, in one line.
        judged: Whether it judges published numbers; what reproducing a family leaves out does not.
    """

    module: str
    summary: str
    judged: bool = True


_SUMMARIES = {
    "double_auction.summary":
        "Learning and scripted traders in a double auction: four markets, every printed number beside ours",
    "double_auction.market": "One double auction of your own: rules, tokens and traders from the settings",
    "double_auction.opponents":
        "A learning buyer and seller against seven kinds of scripted traders, in two institutions",
    "double_auction.treatments":
        "Which rules and disclosures improve a double auction, and for whom: fifteen treatments and their controls",
    "double_auction.tournament":
        "Every trading rule against every other in the ten environments of 1990: ranking, pairs, invasion, replicators",
    "double_auction.classics":
        "The first laboratory markets: Smith, Gode and Sunder, Cliff, Gjerstad and Dickhaut, each row beside ours",
    "double_auction.learners":
        "Five learners in a double auction: profits beside zero intelligence, collusion, frozen and exploited",
    "karma.social": "COIN, DICT, 200 learners under pay-bid-to-society, and exact mean fields under both payments",
    "growth.brock_mirman": "A household learns to save: the learnt policy against the closed form, state by state",
    "pricing.calvano":
        "Q-learners in a pricing duopoly: profit gain over Nash, time to settle, punishment of price cuts",
    "learning_dynamics.q_learning_flow":
        "Q-learning in competitive games: flows and sampled learners against logit equilibria",
    "learning_dynamics.exploration":
        "Exploration policies and the equilibria they select: paths over the QRE surface, a fair split on a network",
    "learning_dynamics.phase_portraits":
        "One explorer is enough: matching pennies and rock-paper-scissors as portraits, time series and simplices",
    "learning_dynamics.network":
        "Who must explore on a network: surfaces of equilibria, box plots and Lyapunov snapshots of a line of players",
    "learning_dynamics.auctions":
        "Q-learners in first- and second-price auctions and between, with and without feedback, beside static Nash",
    "learning_dynamics.population":
        "A population of Q-learners: the transport equation on nodes, on a grid and by learners, with rates plotted",
    "learning_dynamics.auction_factors":
        "What makes Q-learners collude in auctions: ten factors in a factorial design, effects with intervals",
    "learning_dynamics.first_price":
        "A first-price auction with three bids: its equilibria, their basins, and where Q-learners end",
    "mean_field.ad_auction":
        "A repeated advertising auction as a mean-field game: exact, learnt and naive fixed points beside print",
}  # fmt: skip
_UNJUDGED = ("double_auction.market",)
CATALOGUE: dict[str, Entry] = {
    name: Entry(f"catallax.experiments.{name}", summary, name not in _UNJUDGED) for name, summary in _SUMMARIES.items()
}
"""All experiments. A new one adds its name, which is that of its module in this package, and its summary above."""


def load(name: str) -> "Experiment":
    """Import an experiment.

    Args:
        name: One of the keys of `CATALOGUE`.

    Raises:
        InputError: no experiment has this name; the nearest one is named.
    """
    entry = CATALOGUE.get(name)
    if entry is None:
        from catallax.core.errors import InputError  # loads jax, which listing the names must not

        raise InputError(unknown(name))
    return importlib.import_module(entry.module).experiment


def family(name: str) -> tuple[str, ...]:
    """The experiments of a family, by its name: what stands before the point. Empty for any other name."""
    return tuple(known for known in CATALOGUE if known.partition(".")[0] == name)


def unknown(name: str) -> str:
    """The message for a name that is not in the catalogue, with the nearest one that is."""
    near = difflib.get_close_matches(name, CATALOGUE, n=1, cutoff=0.3)
    hint = f'did you mean "{near[0]}"? ' if near else ""
    return f'no experiment "{name}"; {hint}(all names: catallax list)'
