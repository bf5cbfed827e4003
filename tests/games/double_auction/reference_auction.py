"""A synchronized double auction in plain Python, written from the published rules: lists, floats, no arrays.

One tick has a quote stage and a trade stage. What chance decides (who of equals wins, heads or tails) is asked of the
caller, so that a test can answer with what the library drew, after checking that it was allowed to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, inf, isfinite


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The switches between the memoryless market of Rawat and AURORA."""

    steps: int
    periods: int = 1
    low: float = 0.0
    high: float = 100.0
    bounded: bool = True
    tick: float = 0.0
    persistence: bool = False
    improvement: bool = False
    k: float | None = 0.5
    """Weight of the bid where both accept; None: a coin decides between bid and ask."""
    crossing: bool = False
    weak: bool = True
    open_requests: bool = False
    second: bool = False
    """The two best quotes of each side make the price where bid and ask cross, and nobody is asked to accept."""
    fee: float = 0.0
    lowest_bid: float = -inf
    highest_ask: float = inf


@dataclass(kw_only=True)
class Tick:
    """What happened; -1 and infinities where nothing did."""

    bids: list[float]
    asks: list[float]
    bid: float = -inf
    bidder: int = -1
    ask: float = inf
    asker: int = -1
    buy: bool = False
    sell: bool = False
    traded: bool = False
    price: float = 0.0
    buyer: int = -1
    seller: int = -1
    value: float = 0.0
    cost: float = 0.0
    buyer_reward: list[float] = field(default_factory=list)
    seller_reward: list[float] = field(default_factory=list)
    fees: float = 0.0
    going: bool = True
    """Whether the round goes on after this tick."""


Choose = Callable[[str, list[int]], int]
"""Who of equals wins: (what is drawn, the candidates) -> one of them."""


class Auction:
    """A round: units are given back at the start of every period, one unit at most trades in a tick."""

    def __init__(self, rules: Rules, values: Sequence[Sequence[float]], costs: Sequence[Sequence[float]]):
        self.rules = rules
        self.values = [[v for v in row if isfinite(v)] for row in values]
        self.costs = [[c for c in row if isfinite(c)] for row in costs]
        self.clock = 0
        self._start_period()

    def _start_period(self) -> None:
        self.bought = [0] * len(self.values)
        self.sold = [0] * len(self.costs)
        self._clear()

    def _clear(self) -> None:
        self.bid, self.bidder, self.ask, self.asker = -inf, -1, inf, -1

    def value(self, buyer: int) -> float | None:
        """Value of the buyer's next unit, None if it has all it wants."""
        left = self.values[buyer][self.bought[buyer] :]
        return left[0] if left else None

    def cost(self, seller: int) -> float | None:
        """Cost of the seller's next unit, None if it has sold out."""
        left = self.costs[seller][self.sold[seller] :]
        return left[0] if left else None

    def _legal_bid(self, buyer: int, price: float) -> float:
        rules = self.rules
        if self.value(buyer) is None or not isfinite(price):
            return -inf
        if rules.tick:
            price = floor(price / rules.tick) * rules.tick
        if rules.bounded and not rules.low <= price <= rules.high:
            return -inf
        if rules.persistence and rules.improvement and not price > self.bid:
            return -inf
        if price < rules.lowest_bid:
            return -inf
        return price

    def _legal_ask(self, seller: int, price: float) -> float:
        rules = self.rules
        if self.cost(seller) is None or not isfinite(price):
            return inf
        if rules.tick:
            price = ceil(price / rules.tick) * rules.tick
        if rules.bounded and not rules.low <= price <= rules.high:
            return inf
        if rules.persistence and rules.improvement and not price < self.ask:
            return inf
        if price > rules.highest_ask:
            return inf
        return price

    def play(
        self,
        bids: Sequence[float],
        asks: Sequence[float],
        most: Sequence[float],
        least: Sequence[float],
        choose: Choose,
        heads: Callable[[], bool],
    ) -> Tick:
        """One tick. `most` and `least` are the prices up to (down to) which buyers (sellers) accept."""
        rules = self.rules
        if not rules.persistence:
            self._clear()
        now = Tick(
            bids=[self._legal_bid(i, p) for i, p in enumerate(bids)],
            asks=[self._legal_ask(j, p) for j, p in enumerate(asks)],
        )
        if max(now.bids) > -inf:
            self.bid = max(now.bids)
            self.bidder = choose("bidder", [i for i, p in enumerate(now.bids) if p == self.bid])
        if min(now.asks) < inf:
            self.ask = min(now.asks)
            self.asker = choose("asker", [j for j, p in enumerate(now.asks) if p == self.ask])
        now.bid, now.bidder, now.ask, now.asker = self.bid, self.bidder, self.ask, self.asker
        now.buyer_reward = [-rules.fee * (self.value(i) is not None and isfinite(p)) for i, p in enumerate(bids)]
        now.seller_reward = [-rules.fee * (self.cost(j) is not None and isfinite(p)) for j, p in enumerate(asks)]
        now.fees = -sum(now.buyer_reward) - sum(now.seller_reward)
        if rules.second:
            self._second_price(now)
        else:
            self._trade_stage(now, most, least, choose, heads)
        if now.traded:
            self._exchange(now)
        self.clock += 1
        now.going = self.clock < rules.steps * rules.periods
        if self.clock % rules.steps == 0:
            self._start_period()
        return now

    def _trade_stage(
        self, now: Tick, most: Sequence[float], least: Sequence[float], choose: Choose, heads: Callable[[], bool]
    ) -> None:
        """Requests of the holders; where a side has no quote, of anyone on it."""
        rules = self.rules
        if rules.crossing and not now.bid >= now.ask:
            return
        if now.ask < inf:
            able = [i for i in range(len(self.values)) if self.value(i) is not None]
            willing = [i for i in able if most[i] > now.ask or (rules.weak and most[i] == now.ask)]
            if now.bidder >= 0:
                now.buy, now.buyer = now.bidder in willing, now.bidder
            elif rules.open_requests and willing:
                now.buy, now.buyer = True, choose("buyer", willing)
        if now.bid > -inf:
            able = [j for j in range(len(self.costs)) if self.cost(j) is not None]
            willing = [j for j in able if least[j] < now.bid or (rules.weak and least[j] == now.bid)]
            if now.asker >= 0:
                now.sell, now.seller = now.asker in willing, now.asker
            elif rules.open_requests and willing:
                now.sell, now.seller = True, choose("seller", willing)
        if now.buy and now.sell:
            both = (now.bid if heads() else now.ask) if rules.k is None else rules.k * now.bid + (1 - rules.k) * now.ask
            now.price = both
        elif now.buy:
            now.price, now.seller = now.ask, now.asker
        elif now.sell:
            now.price, now.buyer = now.bid, now.bidder
        now.traded = now.buy or now.sell
        if not now.traded:
            now.buyer = now.seller = -1

    def _second_price(self, now: Tick) -> None:
        """The highest bidder and the lowest asker trade between the runners-up."""
        if not (now.bid > -inf and now.ask < inf and now.bid >= now.ask):
            return
        others = [p for i, p in enumerate(now.bids) if i != now.bidder or p != now.bid]
        rivals = [p for j, p in enumerate(now.asks) if j != now.asker or p != now.ask]
        low, high = max([now.ask, *others]), min([now.bid, *rivals])
        now.buy = now.sell = now.traded = True
        now.buyer, now.seller = now.bidder, now.asker
        assert self.rules.k is not None
        now.price = self.rules.k * high + (1 - self.rules.k) * low

    def _exchange(self, now: Tick) -> None:
        """The unit and the money change hands, and the book is cleared."""
        value, cost = self.value(now.buyer), self.cost(now.seller)
        assert value is not None and cost is not None
        now.value, now.cost = value, cost
        now.buyer_reward[now.buyer] += value - now.price
        now.seller_reward[now.seller] += now.price - cost
        self.bought[now.buyer] += 1
        self.sold[now.seller] += 1
        self._clear()
