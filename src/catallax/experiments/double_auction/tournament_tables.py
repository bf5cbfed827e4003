"""Tables and figures of a tournament, from stored results only."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas

from catallax.lab import Figure, Report, Results, Table
from catallax.lab.charts import interval_columns
from catallax.lab.figure import TWO_COLUMNS, series_style
from catallax.lab.quantity import defined_mean
from catallax.lab.statistics import mean_interval
from catallax.solvers.matrix.flow import evolutionarily_stable, replicator_path, symmetric_regret

from . import tournament_design as design
from .tournament_design import Payoffs, Settings, names, payoffs, places

ALL = "all"
"""How the mean over environments is called in tables."""
POT = 10_000
"""What the tournament of 1990 would have paid had all surplus been realised, dollars."""
LAST_TIME = 3000.0
"""End of the replicator dynamics: by then a rule that earns 1% more of the surplus has grown by e^30."""


def report(results: Results[Settings]) -> Report:
    """Rankings, markets, pairs, intruders and replicators; three figures."""
    path = _path(results)
    return Report(
        tables=(
            _ranking(results),
            _environments(results),
            _markets(results),
            _pairwise(results),
            _pairs(results),
            *((_invasion(results), _intruders(results)) if results.settings.intruders else ()),
            _replicator(results, path),
        ),
        figures=(_ranking_figure(results), _pairwise_figure(results), _replicator_figure(results, path)),
    )


# What is read of the replications.


def _line(name: str, sample: np.ndarray) -> dict[str, Any]:
    return interval_columns(sample, name, f"{name}_", allow_undefined=True)


def _mean(values: np.ndarray) -> np.ndarray:
    """The mean over the replications (axis 0) in which it is defined; 0 where there is none."""
    return np.nan_to_num(defined_mean(values, axis=0))


def against_others(share: np.ndarray) -> np.ndarray:
    """[R, N]: the mean over opponents other than itself of [R, N, N]."""
    n = share.shape[1]
    return (share.sum(axis=2) - np.diagonal(share, axis1=1, axis2=2)) / (n - 1)


def _leads(share: np.ndarray) -> np.ndarray:
    """[i, j]: how much more rule i earns than rule j in their common markets."""
    return share - share.swapaxes(1, 2)


def _best_first(values: np.ndarray) -> np.ndarray:
    """The numbers of the rules in the order of their means over replications."""
    return np.argsort(-_mean(values), kind="stable")


def _by_place(results: Results[Settings], of: Callable[[Payoffs], np.ndarray]) -> dict[str, np.ndarray]:
    """A function of the payoffs as the mean over environments and in each."""
    return {ALL: design.everywhere(of)(results)} | {place: of(payoffs(results, place)) for place in places(results)}


def _is_positive(sample: np.ndarray) -> bool:
    low = mean_interval(sample, allow_undefined=True).low
    return low is not None and low > 0


def verdict(sample: np.ndarray) -> str:
    """What the advantage of an intruder over the residents, one a replication, says of it."""
    e = mean_interval(sample, allow_undefined=True)
    if e.low is None or e.high is None:
        return "no interval"
    return "invades" if e.low > 0 else "repelled" if e.high < 0 else "undecided"


# Tables.


def _table(results: Results[Settings], name: str, rows: Iterable[dict[str, Any]], caption: str) -> Table:
    return Table.of_rows(name, f"{caption} {_scope(results)}", rows)


def _scope(results: Results[Settings]) -> str:
    one = payoffs(results, places(results)[0])
    return (
        f"{one.profit.shape[0]} replications of {one.rounds} draws of tokens; 95% intervals over replications. Shares "
        "are profits over own equilibrium surplus; environments weigh the same."
    )


def _ranking(results: Results[Settings]) -> Table:
    who, field, pairs = names(results), design.FIELD(results), design.PAIRS(results)
    others, lead = against_others(pairs), _leads(pairs)
    best = [_best_first(design.field_share(payoffs(results, place)))[0] for place in places(results)]
    rows = [
        {
            "rank": rank,
            "trader": who[i],
            **_line("share", field[:, i]),
            "dollars": float(_mean(field)[i]) * POT / len(who),
            "first_in": best.count(i),
            **_line("in_pairs", others[:, i]),
            "beaten": sum(_is_positive(lead[:, i, j]) for j in range(len(who))),
        }
        for rank, i in enumerate(_best_first(field), 1)
    ]
    caption = (
        "Ranking in the free-for-all (share), and the mean over opponents in the round robin (in_pairs); beaten: "
        "opponents below which the interval of the difference in the common markets lies. dollars: had the pot of 1990 "
        f"been {POT} for these {len(who)} traders; first_in: environments of {len(places(results))} in which it is "
        "first."
    )
    return _table(results, "ranking", rows, caption)


def _environments(results: Results[Settings]) -> Table:
    who, rows = names(results), []
    for place in places(results):
        p = payoffs(results, place)
        share, profit = design.field_share(p), design.field_profit(p)
        for rank, i in enumerate(_best_first(share), 1):
            row = {"environment": place, "rank": rank, "trader": who[i]}
            rows.append(row | _line("profit", profit[:, i]) | _line("share", share[:, i]))
    caption = "Free-for-all by environment: mean profit a round in price units, and share."
    return _table(results, "environments", rows, caption)


def _markets(results: Results[Settings]) -> Table:
    rows = []
    for place in places(results):
        p = payoffs(results, place)
        own = _mean(np.diagonal(design.pair_share(p), axis1=1, axis2=2))
        row = {"environment": place, **_line("free_for_all", design.field_share(p).mean(axis=1))}
        rows.append(row | dict(zip(names(results), own.tolist(), strict=True)))
    caption = (
        "Efficiency (realised over maximum surplus, a ratio of sums) of the free-for-all markets, and of markets of "
        "one rule alone."
    )
    return _table(results, "markets", rows, caption)


def _square(results: Results[Settings], head: str, columns: str, values: np.ndarray) -> list[dict[str, Any]]:
    """Rows of a table with a row and a column for each rule; `columns` is what stands before a column's rule."""
    who = names(results)
    heads = [f"{columns}{name}" for name in who]
    return [{head: name} | dict(zip(heads, row, strict=True)) for name, row in zip(who, values, strict=True)]


def _pairwise(results: Results[Settings]) -> Table:
    caption = (
        "Share of the row's rule in markets half its own kind, half the column's, replayed with the seats exchanged, "
        "mean over environments; on the diagonal alone."
    )
    return _table(results, "pairwise", _square(results, "share of", "", _mean(design.PAIRS(results))), caption)


def _pairs(results: Results[Settings]) -> Table:
    rows = [
        {"environment": place, "trader": first, "against": second, **_line("share", share[:, i, j])}
        | (_line("lead", share[:, i, j] - share[:, j, i]) if i != j else {})
        for place, share in _by_place(results, design.pair_share).items()
        for i, first in enumerate(names(results))
        for j, second in enumerate(names(results))
    ]
    caption = "Every pair: share of the trader, and its lead over the other in the same markets."
    return _table(results, "pairs", rows, caption)


def _invasion(results: Results[Settings]) -> Table:
    caption = (
        "What one intruder among others of one kind earns more than a resident in the same seat with the same tokens, "
        "shares of a seat's mean equilibrium surplus; mean over environments."
    )
    rows = _square(results, "intruder", "among ", _mean(design.ADVANTAGE(results)))
    return _table(results, "invasion", rows, caption)


def _intruders(results: Results[Settings]) -> Table:
    rows = [
        {"environment": place, "intruder": intruder, "residents": resident}
        | _line("advantage", gain[:, i, j])
        | {"verdict": verdict(gain[:, i, j])}
        for place, gain in _by_place(results, design.advantage).items()
        for i, intruder in enumerate(names(results))
        for j, resident in enumerate(names(results))
        if i != j
    ]
    caption = (
        "Every intruder among every kind of residents: invades where the interval of its advantage lies above 0, "
        "repelled where below."
    )
    return _table(results, "intruders", rows, caption)


def _path(results: Results[Settings]) -> pandas.DataFrame:
    """Population shares over time from equal shares, with the mean payoffs of the pairs."""
    game = _mean(design.PAIRS(results))
    times = np.concatenate([[0.0], np.geomspace(0.1, LAST_TIME, 300)])
    path = replicator_path(game, np.full(len(game), 1 / len(game)), times)
    return pandas.DataFrame(path, columns=list(names(results))).assign(time=times)


def _replicator(results: Results[Settings], path: pandas.DataFrame) -> Table:
    who, game, gain = names(results), _mean(design.PAIRS(results)), design.ADVANTAGE(results)
    end, stable, rows = path[list(who)].to_numpy()[-1], evolutionarily_stable(game), []
    for i in np.argsort(-end, kind="stable"):
        row = {"trader": who[i], "start": 1 / len(who), "end": end[i], "payoff_at_end": float((game @ end)[i])}
        row["stable"] = "yes" if stable[i] else "no"
        if results.settings.intruders:
            invaders = [name for j, name in enumerate(who) if j != i and _is_positive(gain[:, j, i])]
            row["invaded_by"] = ", ".join(invaders) or "nobody"
        rows.append(row)
    invaded = " invaded_by: single intruders whose advantage has an interval above 0."
    caption = (
        "Replicator dynamics on the pairwise table from equal shares, to time "
        f"{LAST_TIME:.0f} (a share of 1 more grows by e in one unit of time); at the end the best rule "
        f"earns {symmetric_regret(game, end):.2g} more than the mean (0 at an equilibrium). stable: evolutionarily "
        f"stable in the pairwise table of means.{invaded if results.settings.intruders else ''}"
    )
    return _table(results, "replicator", rows, caption)


# Figures.


def _ranking_figure(results: Results[Settings]) -> Figure:
    who, field = names(results), design.FIELD(results)
    designs = {"free-for-all": field, "round robin": against_others(design.PAIRS(results))}
    rows = [
        {"trader": who[i], "design": kind, **_line("share", values[:, i])}
        for i in _best_first(field)
        for kind, values in designs.items()
    ]
    caption = f"Share of each trader in the free-for-all and against single opponents. {_scope(results)}"
    data, size = pandas.DataFrame(rows), (TWO_COLUMNS[0], 0.8 + 0.28 * len(who))
    return Figure(name="ranking", draw=lambda sheet: draw_ranking(sheet, data), data=data, caption=caption, size=size)


def draw_ranking(sheet: Any, data: pandas.DataFrame) -> None:
    """A line for each trader, a point and its interval for each design; the best trader on top."""
    axes = sheet.subplots()
    traders = list(dict.fromkeys(data["trader"]))
    for index, (kind, part) in enumerate(data.groupby("design", sort=False)):
        at = np.array([traders.index(name) for name in part["trader"]]) + 0.16 * (2 * index - 1)
        style = series_style(index)
        marks = {"color": style["color"], "marker": style["marker"]}
        axes.plot(part["share"], at, linestyle="none", label=str(kind), **marks)
        low, high = (np.asarray(part[end], float) for end in ("share_low", "share_high"))
        if np.isfinite(low).all():
            axes.hlines(at, low, high, color=marks["color"])
    axes.set_yticks(range(len(traders)), traders)
    axes.invert_yaxis()
    axes.axvline(1.0, color="#888888", linewidth=0.8, linestyle=":")
    axes.set(xlabel="profit over own equilibrium surplus")
    axes.legend()


def _pairwise_figure(results: Results[Settings]) -> Figure:
    who, pairs = names(results), design.PAIRS(results)
    order = _best_first(against_others(pairs))
    labels, table = [who[i] for i in order], _mean(_leads(pairs))[np.ix_(order, order)]
    data = pandas.DataFrame(
        [{"trader": labels[i], "against": labels[j], "lead": lead} for (i, j), lead in np.ndenumerate(table)]
    )
    caption = f"What the row's rule earns more than the column's in their common markets. {_scope(results)}"
    draw, size = lambda sheet: draw_pairwise(sheet, labels, table), (2.2 + 0.36 * len(who), 1.6 + 0.3 * len(who))
    return Figure(name="pairwise", draw=draw, data=data, caption=caption, size=size)


def draw_pairwise(sheet: Any, labels: list[str], table: np.ndarray) -> None:
    """A heat map with numbers: blue where the row earns more, vermilion where the column does.

    The largest twentieth of all numbers shares a colour.
    """
    from matplotlib.colors import LinearSegmentedColormap

    axes, most = sheet.subplots(), max(float(np.quantile(np.abs(table), 0.95)), 1e-9)
    colours = LinearSegmentedColormap.from_list("lead", ["#D55E00", "#ffffff", "#0072B2"])
    image = axes.imshow(table, cmap=colours, vmin=-most, vmax=most)
    for (i, j), value in np.ndenumerate(table):
        if i != j:
            shade = "white" if abs(value) > 0.7 * most else "black"
            axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=5, color=shade)
    axes.set_xticks(range(len(labels)), labels, rotation=60, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.grid(False)
    sheet.colorbar(image, ax=axes, extend="both", label="lead of the row, shares")


def _replicator_figure(results: Results[Settings], path: pandas.DataFrame) -> Figure:
    caption = f"Replicator dynamics on the mean pairwise shares, from equal shares. {_scope(results)}"
    draw = lambda sheet: draw_replicator(sheet, path)
    return Figure(name="replicator", draw=draw, data=path, caption=caption, size=TWO_COLUMNS)


def draw_replicator(sheet: Any, path: pandas.DataFrame) -> None:
    """A curve for each rule, named if it ever grows by half; time on a logarithmic scale."""
    axes = sheet.subplots()
    rules = [name for name in path.columns if name != "time"]
    most = {name: float(np.max(path[name])) for name in rules}
    for index, name in enumerate(sorted(rules, key=lambda name: -most[name])):
        grows = most[name] > 1.5 / len(rules)
        style = series_style(index) if grows else {"color": "#bbbbbb", "linewidth": 0.7, "linestyle": "-"}
        axes.plot(path["time"] + 1, path[name], label=name if grows else None, **style)
    axes.set_xscale("log")
    axes.set(xlabel="time + 1", ylabel="share of the population", ylim=(0, 1))
    axes.legend()
