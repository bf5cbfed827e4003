"""Tables and figures of a tournament, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import TWO_COLUMNS, Figure
from catallax.lab.report import Report
from catallax.lab.statistics import Estimate, mean_interval
from catallax.lab.table import Table
from catallax.solvers.matrix.flow import evolutionarily_stable, replicator_path, symmetric_regret

from . import tournament_drawing as drawing
from .tournament_payoffs import (
    advantage,
    field_profit,
    field_share,
    names,
    over_places,
    pair_share,
    payoffs,
    places,
)

ALL = "all"
"""How the mean over environments is called in tables."""
_LONG = 3000.0  # replicator time: what earns 1% more of the surplus grows by e^30
_INVADERS = "invaded_by: single intruders whose advantage has an interval above 0. "
POT = 10_000
"""What the tournament of 1990 would have paid had all surplus been realised, dollars."""


def report(results: Any) -> Report:
    """Rankings, markets, pairs, intruders and replicators; three figures."""
    pairs, path = over_places(results, pair_share), _path(results)
    played = results.settings.intruders
    return Report(
        tables=(
            _ranking(results),
            _environments(results),
            _markets(results),
            _pairwise(results, pairs),
            _pairs(results),
            *((_invasion(results), _intruders(results)) if played else ()),
            _replicator(results, pairs, path),
        ),
        figures=(_ranking_figure(results), _pairwise_figure(results, pairs), _replicator_figure(results, path)),
    )


def _estimate(values: np.ndarray) -> Estimate:
    return mean_interval(values, allow_undefined=True)


def _line(name: str, values: np.ndarray) -> dict[str, Any]:
    e = _estimate(values)
    return {name: e.mean, f"{name}_low": e.low, f"{name}_high": e.high}


def _defined(values: np.ndarray) -> np.ndarray:
    """The mean over replications in which it is defined (axis 0)."""
    known = ~np.isnan(values)
    return np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def _scope(results: Any) -> str:
    one = payoffs(results, places(results)[0])
    r = one.profit.shape[0]
    return (
        f"{r} replications of {one.rounds} draws of tokens; 95% intervals over replications. Shares are profits over "
        "own equilibrium surplus; environments weigh the same."
    )


def against_others(share: np.ndarray) -> np.ndarray:
    """[R, N]: the mean over opponents other than itself of [R, N, N]."""
    n = share.shape[1]
    return (share.sum(axis=2) - np.diagonal(share, axis1=1, axis2=2)) / (n - 1)


def _firsts(results: Any) -> np.ndarray:
    """In how many environments each rule has the highest mean share."""
    best = [int(np.argmax(_defined(field_share(payoffs(results, place))))) for place in places(results)]
    return np.bincount(best, minlength=len(names(results)))


def _ranking(results: Any) -> Table:
    who, field = names(results), over_places(results, field_share)
    pairs, firsts = over_places(results, pair_share), _firsts(results)
    lead = _leads(pairs)
    rows = []
    for i in np.argsort(-_defined(field), kind="stable"):
        beaten = sum(e is not None and e > 0 for e in (_estimate(lead[:, i, j]).low for j in range(len(who))))
        rows.append(
            {
                "rank": len(rows) + 1,
                "trader": who[i],
                **_line("share", field[:, i]),
                "dollars": float(_defined(field)[i]) * POT / len(who),
                "first_in": int(firsts[i]),
                **_line("in_pairs", against_others(pairs)[:, i]),
                "beaten": beaten,
            }
        )
    caption = (
        "Ranking in the free-for-all (share), and the mean over opponents in the round robin (in_pairs); beaten: "
        "opponents below which the interval of the difference in the common markets lies. dollars: had the pot of 1990 "
        f"been {POT} for these {len(who)} traders; first_in: environments of {len(places(results))} in which it is "
        f"first. {_scope(results)}"
    )
    return Table(name="ranking", frame=pandas.DataFrame(rows), caption=caption)


def _environments(results: Any) -> Table:
    who, rows = names(results), []
    for place in places(results):
        p = payoffs(results, place)
        share, profit = field_share(p), field_profit(p)
        for rank, i in enumerate(np.argsort(-_defined(share), kind="stable")):
            row = {"environment": place, "rank": rank + 1, "trader": who[i]}
            rows.append({**row, **_line("profit", profit[:, i]), **_line("share", share[:, i])})
    caption = f"Free-for-all by environment: mean profit a round in price units, and share. {_scope(results)}"
    return Table(name="environments", frame=pandas.DataFrame(rows), caption=caption)


def _markets(results: Any) -> Table:
    """Efficiency of the free-for-all, and of the markets of one rule alone."""
    who, rows = names(results), []
    for place in places(results):
        p = payoffs(results, place)
        row = {"environment": place, **_line("free_for_all", field_share(p).mean(axis=1))}
        own = np.diagonal(pair_share(p), axis1=1, axis2=2)
        rows.append(row | {f"{name}": float(_defined(own)[i]) for i, name in enumerate(who)})
    caption = (
        "Efficiency (realised over maximum surplus, a ratio of sums) of the free-for-all markets, and of markets of "
        f"one rule alone. {_scope(results)}"
    )
    return Table(name="markets", frame=pandas.DataFrame(rows), caption=caption)


def _pairwise(results: Any, pairs: np.ndarray) -> Table:
    who = names(results)
    frame = pandas.DataFrame(_defined(pairs), columns=list(who))
    frame.insert(0, "share of", list(who))
    caption = (
        "Share of the row's rule in markets half its own kind, half the column's, replayed with the seats exchanged, "
        f"mean over environments; on the diagonal alone. {_scope(results)}"
    )
    return Table(name="pairwise", frame=frame, caption=caption)


def _leads(share: np.ndarray) -> np.ndarray:
    """[i, j]: how much more rule i earns than rule j in their common markets."""
    return share - share.swapaxes(1, 2)


def _by_place(results: Any, of: Any) -> dict[str, np.ndarray]:
    """A quantity as the mean over environments and in each."""
    return {ALL: over_places(results, of)} | {place: of(payoffs(results, place)) for place in places(results)}


def _pairs(results: Any) -> Table:
    who, rows = names(results), []
    for place, share in _by_place(results, pair_share).items():
        lead = _leads(share)
        for i, first in enumerate(who):
            for j, second in enumerate(who):
                row = {"environment": place, "trader": first, "against": second, **_line("share", share[:, i, j])}
                rows.append(row | (_line("lead", lead[:, i, j]) if i != j else {}))
    caption = f"Every pair: share of the trader, and its lead over the other in the same markets. {_scope(results)}"
    return Table(name="pairs", frame=pandas.DataFrame(rows), caption=caption)


def verdict(values: np.ndarray) -> str:
    """What an advantage over the residents says."""
    e = _estimate(values)
    if e.low is None or e.high is None:
        return "no interval"
    return "invades" if e.low > 0 else "repelled" if e.high < 0 else "undecided"


def _invasion(results: Any) -> Table:
    who, gain = names(results), over_places(results, advantage)
    frame = pandas.DataFrame(_defined(gain), columns=[f"among {name}" for name in who])
    frame.insert(0, "intruder", list(who))
    caption = (
        "What one intruder among others of one kind earns more than a resident in the same seat with the same tokens, "
        f"shares of a seat's mean equilibrium surplus; mean over environments. {_scope(results)}"
    )
    return Table(name="invasion", frame=frame, caption=caption)


def _intruders(results: Any) -> Table:
    who, rows = names(results), []
    for place, gain in _by_place(results, advantage).items():
        for i, intruder in enumerate(who):
            for j, resident in enumerate(who):
                if i != j:
                    row = {"environment": place, "intruder": intruder, "residents": resident}
                    rows.append({**row, **_line("advantage", gain[:, i, j]), "verdict": verdict(gain[:, i, j])})
    caption = (
        "Every intruder among every kind of residents: invades where the interval of its advantage lies above 0, "
        f"repelled where below. {_scope(results)}"
    )
    return Table(name="intruders", frame=pandas.DataFrame(rows), caption=caption)


def _path(results: Any) -> pandas.DataFrame:
    """Population shares over time from equal shares, with the mean payoffs of the pairs."""
    game = _defined(over_places(results, pair_share))
    times = np.concatenate([[0.0], np.geomspace(0.1, _LONG, 300)])
    path = replicator_path(game, np.full(len(game), 1 / len(game)), times)
    return pandas.DataFrame(path, columns=list(names(results))).assign(time=times)


def _replicator(results: Any, pairs: np.ndarray, path: pandas.DataFrame) -> Table:
    who, game = names(results), _defined(pairs)
    end = path[list(who)].to_numpy()[-1]
    stable = evolutionarily_stable(game)
    gain = over_places(results, advantage)
    rows = []
    for i in np.argsort(-end, kind="stable"):
        invaders = [who[j] for j in range(len(who)) if j != i and verdict(gain[:, j, i]) == "invades"]
        rows.append(
            {
                "trader": who[i],
                "start": 1 / len(who),
                "end": end[i],
                "payoff_at_end": float((game @ end)[i]),
                "stable": "yes" if stable[i] else "no",
            }
            | ({"invaded_by": ", ".join(invaders) or "nobody"} if results.settings.intruders else {})
        )
    caption = (
        "Replicator dynamics on the pairwise table from equal shares, to time "
        f"{path['time'].iloc[-1]:.0f} (a share of 1 more grows by e in one unit of time); at the end the best rule "
        f"earns {symmetric_regret(game, end):.2g} more than the mean (0 at an equilibrium). "
        "stable: evolutionarily stable in the "
        f"pairwise table of means. {_INVADERS if results.settings.intruders else ''}{_scope(results)}"
    )
    return Table(name="replicator", frame=pandas.DataFrame(rows), caption=caption)


def _ranking_figure(results: Any) -> Figure:
    who, field, pairs = names(results), over_places(results, field_share), over_places(results, pair_share)
    rows = []
    for i in np.argsort(-_defined(field), kind="stable"):
        for design, values in (("free-for-all", field[:, i]), ("round robin", against_others(pairs)[:, i])):
            rows.append({"trader": who[i], "design": design, **_line("share", values)})
    data = pandas.DataFrame(rows)
    return Figure(
        name="ranking",
        draw=lambda sheet: drawing.draw_ranking(sheet, data),
        data=data,
        caption=f"Share of each trader in the free-for-all and against single opponents. {_scope(results)}",
        size=(TWO_COLUMNS[0], 0.8 + 0.28 * len(who)),
    )


def _pairwise_figure(results: Any, pairs: np.ndarray) -> Figure:
    who, lead = names(results), _defined(_leads(pairs))
    order = np.argsort(-_defined(against_others(pairs)), kind="stable")
    labels, table = [who[i] for i in order], lead[np.ix_(order, order)]
    data = pandas.DataFrame(
        [
            {"trader": labels[i], "against": labels[j], "lead": table[i, j]}
            for i in range(len(labels))
            for j in range(len(labels))
        ]
    )
    return Figure(
        name="pairwise",
        draw=lambda sheet: drawing.draw_pairwise(sheet, labels, table),
        data=data,
        caption=f"What the row's rule earns more than the column's in their common markets. {_scope(results)}",
        size=(2.2 + 0.36 * len(who), 1.6 + 0.3 * len(who)),
    )


def _replicator_figure(results: Any, path: pandas.DataFrame) -> Figure:
    return Figure(
        name="replicator",
        draw=lambda sheet: drawing.draw_replicator(sheet, path),
        data=path,
        caption=f"Replicator dynamics on the mean pairwise shares, from equal shares. {_scope(results)}",
        size=TWO_COLUMNS,
    )
