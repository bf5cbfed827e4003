"""The continuous auction, the call market and the posted offer in plain Python: lists and floats, true prices.

What chance decides is asked of the caller: `draw(candidates)` is one of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, isfinite
from typing import Any

from reference_auction import Tick

Draw = Callable[[list[Any]], Any]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the three have in common, and the switches of each."""

    steps: int
    periods: int = 1
    low: float = 0.0
    high: float = 100.0
    bounded: bool = True
    tick: float = 0.0
    improvement: bool = False
    clear_after_trade: bool = False
    takes: str = "quote"
    k: float = 0.5
    units: int = 2
    poster: str = "seller"


class Institution:
    """A round: units are given back at the start of every period."""

    def __init__(self, rules: Rules, values: Sequence[Sequence[float]], costs: Sequence[Sequence[float]]):
        self.rules = rules
        self.values = [[v for v in row if isfinite(v)] for row in values]
        self.costs = [[c for c in row if isfinite(c)] for row in costs]
        self.clock = 0
        self.begin_period()

    def begin_period(self) -> None:
        self.bought = [0] * len(self.values)
        self.sold = [0] * len(self.costs)

    @property
    def step(self) -> int:
        return self.clock % self.rules.steps

    def buyers(self) -> list[int]:
        """Those with units left."""
        return [i for i, row in enumerate(self.values) if self.bought[i] < len(row)]

    def sellers(self) -> list[int]:
        return [j for j, row in enumerate(self.costs) if self.sold[j] < len(row)]

    def legal(self, price: float, rounded: Callable[[float], int]) -> float | None:
        """The price on the grid, or None."""
        rules = self.rules
        if not isfinite(price):
            return None
        if rules.tick:
            price = rounded(price / rules.tick) * rules.tick
        return price if rules.low <= price <= rules.high or not rules.bounded else None

    def tick_of(self, **said: Any) -> Tick:
        blank: dict[str, Any] = dict(bids=[-inf] * len(self.values), asks=[inf] * len(self.costs))
        now = Tick(**(blank | said))
        now.buyer_reward, now.seller_reward = [0.0] * len(self.values), [0.0] * len(self.costs)
        return now

    def exchange(self, now: Tick, buyer: int, seller: int, price: float) -> None:
        now.traded, now.price, now.buyer, now.seller = True, price, buyer, seller
        now.value, now.cost = self.values[buyer][self.bought[buyer]], self.costs[seller][self.sold[seller]]
        now.buyer_reward[buyer], now.seller_reward[seller] = now.value - price, price - now.cost
        self.bought[buyer] += 1
        self.sold[seller] += 1

    def end_tick(self, now: Tick) -> Tick:
        self.clock += 1
        now.going = self.clock < self.rules.steps * self.rules.periods
        if self.step == 0:
            self.begin_period()
        return now


@dataclass
class Limit:
    """A limit order."""

    buys: bool
    trader: int
    price: float


class Continuous(Institution):
    """The book is a list in the order of arrival."""

    def begin_period(self) -> None:
        super().begin_period()
        self.book: list[Limit] = []

    def line(self, buys: bool) -> list[Limit]:
        """One side's orders, the first to trade first: a stable sort of the order of arrival."""
        return sorted((x for x in self.book if x.buys == buys), key=lambda x: -x.price if buys else x.price)

    def best(self, buys: bool) -> tuple[float, int]:
        line = self.line(buys)
        return (line[0].price, line[0].trader) if line else (-inf if buys else inf, -1)

    def remove(self, buys: bool, trader: int) -> None:
        self.book = [x for x in self.book if (x.buys, x.trader) != (buys, trader)]

    def play(self, bids: list, asks: list, most: list, least: list, draw: Draw, _: Draw) -> Tick:
        arrivals = [(True, i) for i in self.buyers()] + [(False, j) for j in self.sellers()]
        now = self.tick_of()
        if arrivals:
            buys, trader = draw(arrivals)
            said = (bids, most) if buys else (asks, least)
            self.arrive(now, buys, trader, said[0][trader], said[1][trader])
        else:
            (now.bid, now.bidder), (now.ask, now.asker) = self.best(True), self.best(False)
        return self.end_tick(now)

    def arrive(self, now: Tick, buys: bool, trader: int, price: float, reserve: float) -> None:
        rival, holder = self.best(not buys)
        sign = 1 if buys else -1
        quote = self.legal(price, floor if buys else ceil)
        if self.rules.improvement and quote is not None and not sign * quote > sign * self.best(buys)[0]:
            quote = None
        if quote is not None or price == reserve == -sign * inf:
            self.remove(buys, trader)
        if quote is not None:
            self.book.append(Limit(buys, trader, quote))
            (now.bids if buys else now.asks)[trader] = quote
        (now.bid, now.bidder), (now.ask, now.asker) = self.best(True), self.best(False)
        willing = quote is not None and sign * quote >= sign * rival
        willing |= self.rules.takes == "reserve" and sign * reserve >= sign * rival
        if holder >= 0 and willing:
            now.buy, now.sell = buys, not buys
            buyer, seller = (trader, holder) if buys else (holder, trader)
            self.exchange(now, buyer, seller, rival)
            self.remove(True, buyer)
            self.remove(False, seller)
            if self.rules.clear_after_trade:
                self.book = []


class Call(Institution):
    """Quotes are sorted once, when the market clears."""

    def begin_period(self) -> None:
        super().begin_period()
        self.bids: list[tuple[float, int, int]] = []  # price, trader, unit
        self.asks: list[tuple[float, int, int]] = []
        self.pairs, self.price = 0, 0.0

    def play(self, bids: list, asks: list, most: list, least: list, draw: Draw, draw_ask: Draw) -> Tick:
        now = self.tick_of()
        if self.step < self.rules.units:
            self.collect(now, bids, asks)
        if self.step == self.rules.units:
            self.clear()
        best_bid, best_ask = max(self.bids, default=(-inf,))[0], min(self.asks, default=(inf,))[0]
        bid = draw(sorted((q for q in self.bids if q[0] == best_bid), key=lambda q: q[1:])) if self.bids else None
        ask = draw_ask(sorted((q for q in self.asks if q[0] == best_ask), key=lambda q: q[1:])) if self.asks else None
        if bid is not None:
            now.bid, now.bidder = bid[:2]
        if ask is not None:
            now.ask, now.asker = ask[:2]
        if self.step >= self.rules.units and self.pairs > 0:
            self.pairs -= 1
            now.buy = now.sell = True
            self.exchange(now, now.bidder, now.asker, self.price)
            self.bids.remove(bid)
            self.asks.remove(ask)
        return self.end_tick(now)

    def collect(self, now: Tick, bids: list, asks: list) -> None:
        for rows, said, quotes, book, rounded in (
            (self.values, bids, now.bids, self.bids, floor),
            (self.costs, asks, now.asks, self.asks, ceil),
        ):
            for trader, row in enumerate(rows):
                price = self.legal(said[trader], rounded)
                if self.step < len(row) and price is not None:
                    quotes[trader] = price
                    book.append((price, trader, self.step))

    def clear(self) -> None:
        b, a = sorted((q[0] for q in self.bids), reverse=True), sorted(q[0] for q in self.asks)
        self.pairs = sum(x >= y for x, y in zip(b, a, strict=False))
        n = self.pairs
        if n:
            highest = min([b[n - 1], *a[n : n + 1]])
            lowest = max([a[n - 1], *b[n : n + 1]])
            self.price = self.rules.k * highest + (1 - self.rules.k) * lowest


class Posted(Institution):
    """Offers, or with buyers as posters bids."""

    def begin_period(self) -> None:
        super().begin_period()
        self.posted: dict[int, float] = {}

    def in_market(self) -> dict[int, float]:
        if self.rules.poster == "seller":
            return {j: p for j, p in self.posted.items() if j in self.sellers() and p >= self.costs[j][self.sold[j]]}
        return {i: p for i, p in self.posted.items() if i in self.buyers() and p <= self.values[i][self.bought[i]]}

    def play(self, bids: list, asks: list, most: list, least: list, draw: Draw, draw_tie: Draw) -> Tick:
        now, sells = self.tick_of(), self.rules.poster == "seller"
        if self.step == 0:
            for trader in self.sellers() if sells else self.buyers():
                price = self.legal(asks[trader] if sells else bids[trader], ceil if sells else floor)
                if price is not None:
                    self.posted[trader] = (now.asks if sells else now.bids)[trader] = price
        offers = self.in_market()
        best = (min if sells else max)(offers.values(), default=inf if sells else -inf)
        first = draw_tie([x for x in sorted(offers) if offers[x] == best]) if offers else -1
        if sells:
            now.ask, now.asker = best, first
        else:
            now.bid, now.bidder = best, first
        shoppers = self.buyers() if sells else self.sellers()
        if self.step > 0 and shoppers and offers:
            shopper = draw(shoppers)
            if sells and most[shopper] >= best:
                now.buy = True
                self.exchange(now, shopper, first, best)
            elif not sells and least[shopper] <= best:
                now.sell = True
                self.exchange(now, first, shopper, best)
        return self.end_tick(now)
