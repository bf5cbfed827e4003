"""Gjerstad and Dickhaut's trader: the bid that is best, given how often such bids were taken of late."""

from jaxtyping import Array, PRNGKeyArray, PyTree, Shaped

from catallax.core import rng
from catallax.games.double_auction.observation import Order, TraderView

from .beliefs import AbstractBeliefTrader, History, belief, listen, no_history, price_grid
from .expected_surplus import best_bid


class GD(AbstractBeliefTrader):
    """Bids what maximises q(b) (v - b), q being its belief that a bid of b is taken, and v its limit.

    From the messages that led to the last 5 trades and those since (TB and RB taken and refused bids, A asks), at every
    price among them

        q(b) = [TB(<= b) + A(<= b)] / [TB(<= b) + A(<= b) + RB(>= b)],

    0 at the lowest price of the market and 1 at the highest; between two such prices it rises as a cubic without slope
    at both. It is 0 up to the standing bid. What stands is not counted. It accepts an ask that leaves it more than the
    expected surplus max q(b) (v - b): its reserve is v less that. It is silent where no bid gains. The messages of past
    periods of a round are remembered, since values are the same in all of them.

    Before anything was heard q is one cubic over the bounds, so that first bids depend on the bounds: where these are
    not centred on the tokens (1 to 2000 in most tournament environments, tokens near 538), one side gains from it.

    Raises:
        BuildError: a market that hides quotes or trades, always or sometimes.

    Source: Gjerstad and Dickhaut (1998), "Price formation in double auctions".
    Differs: theirs is a continuous market, in which the trader that expects most speaks first; here all speak at once,
        and the holder of the standing bid may better its own. Of a tick only the best new bid and ask are messages. At
        most 63 messages are kept, the oldest going first: among itself in environment BASE fewer than one tick in ten
        has more. Prices are told apart on at most 2**14 levels between the bounds.
    """

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> History:
        """The start of a round: nothing was heard."""
        return no_history()

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: History, obs: TraderView) -> tuple[Order, History]:
        grid = price_grid(obs)
        history = listen(memory, obs, grid, (rng.key_bits(key).first & 1) == 1)
        best = best_bid(belief(history, grid.top), obs.limit, grid, obs)
        return Order(best.price, obs.limit - best.surplus), history
