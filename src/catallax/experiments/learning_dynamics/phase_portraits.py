"""Phase portraits of Q-learning when only one of two players explores: it suffices for convergence.

Every replication starts each trajectory at policies drawn uniformly from the simplices. Temperatures, payoffs of
matching pennies, horizons and starts of the figures are not printed in the source; ours are below. The proposition's
closed form says where play comes to rest.

Source: Leonardos, Piliouras and Spendlove (2021), figures 2, 7 and 8, proposition C.1.
"""

from typing import Any

import jax.numpy as jnp
import msgspec
import numpy as np
import pandas

from catallax.core import check_count
from catallax.games.matrix import Edge, Polymatrix, asymmetric_matching_pennies, rock_paper_scissors
from catallax.lab import (
    AbstractClaim,
    Cell,
    Experiment,
    Figure,
    NotComparable,
    Report,
    Results,
    Scale,
    Statement,
    Table,
)
from catallax.lab.charts import long_rows
from catallax.lab.figure import COLOURS
from catallax.lab.quantity import Quantity, largest, recorded, smallest
from catallax.measures.matrix import Distance, Policy
from catallax.solvers.matrix.flow import QLearningFlow, RungeKutta
from catallax.solvers.matrix.structure import zero_sum_weights

from .drawing import simplices
from .quantities import READING, SOURCE, beside, direction, heads, limit, liveliness, policies, same_length

DRAWN = 400
"""Steps of 0.1 time units in the simplex plots."""
REST = 300
"""Time after which play is asked whether it has come to rest."""
ONE_EXPLORER = (0.0, 0.5, 2.0, 6.5)
"""Temperatures of the only player that explores in matching pennies; the last is above 4 / ln 2."""
RPS_T = (0.0, 0.1, 0.3, 0.5, 1.0, 2.0)
"""The same in rock-paper-scissors."""
MODIFIED_T = (0.0, 0.3, 0.6)
"""The same in the modified game."""
MODIFIED = np.array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]])
"""Payoffs of both players of the modified game, the own action the row."""
MODIFIED_NASH = np.array([0.25, 0.5, 0.25])

# What is run, and where play comes to rest in closed form.


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    substeps: int = 10
    """Runge-Kutta steps in each 0.1 units of time of the paths."""


def amps_rest(temperature: float) -> np.ndarray:
    """Policies [2, 2] at rest in matching pennies if player 2 alone explores: proposition C.1.

    P(H), with alpha = 3, beta = 6, x* = y* = 1/3: below T_c = 4 / ln 2 the explorer is at 1/3 and player 1 at
    1/3 + (T / 6) ln 2; above it player 1 is at 1 and the explorer at 1 / (1 + exp(4 / T)).
    """
    if temperature < 4 / np.log(2):
        first = np.array([1 / 3 + temperature / 6 * np.log(2), 1 / 3])
    else:
        first = np.array([1.0, 1 / (1 + np.exp(4 / temperature))])
    return np.stack([first, 1 - first], axis=1)


def modified_rest(temperature: float) -> np.ndarray:
    """Policies [2, 3] at rest in the modified game: the explorer q at Nash, the other solves A x = T ln q + constant.

    Interior for T below 1 / ln 2 = 1.44, where the third probability of player 1 reaches 0.
    """
    pull = temperature * np.log(MODIFIED_NASH)
    system = np.vstack([np.hstack([MODIFIED, -np.ones((3, 1))]), [[1.0, 1.0, 1.0, 0.0]]])
    other = np.linalg.solve(system, np.append(pull, 1.0))[:3]
    return np.stack([other, MODIFIED_NASH])


def modified_rps() -> Polymatrix:
    """Rock-paper-scissors with another stake: zero-sum, symmetric, Nash equilibrium (1/4, 1/2, 1/4)."""
    return Polymatrix([Edge(0, 1, MODIFIED, MODIFIED)])


def _explorer_only(temperatures: tuple[float, ...]) -> np.ndarray:
    """Temperatures [2, B] if player 2 alone explores."""
    return np.stack([np.zeros(len(temperatures)), np.asarray(temperatures)])


def _paths(name: str, label: str, game: Polymatrix, temperatures: tuple[float, ...], substeps: int, steps: int) -> Cell:
    """Paths in fine steps, to be drawn."""
    rates = _explorer_only(temperatures)
    build = lambda: QLearningFlow(game, rates, interval=0.1, integrator=RungeKutta(substeps))
    return same_length(name, label, build, steps, Policy())


def _rest(name: str, label: str, game: Polymatrix, temperatures: tuple[float, ...], target: np.ndarray) -> Cell:
    """The same starts, followed until they rest."""
    rates = _explorer_only(temperatures)
    distance = Distance(target=jnp.asarray(target), weights=jnp.asarray(zero_sum_weights(game).weights))
    build = lambda: QLearningFlow(game, rates, interval=10.0, integrator=RungeKutta(400))
    return same_length(name, label, build, REST // 10, Policy(), distance)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """Matching pennies, rock-paper-scissors and its modification: in fine steps, and to rest."""
    check_count("phase_portraits", "substeps", settings.substeps)
    games = (
        ("one_explorer", "AMPs", asymmetric_matching_pennies(), ONE_EXPLORER, amps_rest, 500),
        ("rps", "RPS", rock_paper_scissors(), RPS_T, lambda t: np.full((2, 3), 1 / 3), DRAWN),
        ("modified", "modified RPS", modified_rps(), MODIFIED_T, modified_rest, DRAWN),
    )
    pairs = [
        (
            _paths(name, f"{label}, only player 2 explores", game, temperatures, settings.substeps, steps),
            _rest(f"{name}_rest", f"{label}, to rest", game, temperatures, np.stack([*map(rest, temperatures)], -1)),
        )
        for name, label, game, temperatures, rest, steps in games
    ]
    return tuple(cell for pair in pairs for cell in pair)


# What is read.

_explorer_heads = heads("one_explorer_rest")[:, 1]
_other_heads = heads("one_explorer_rest")[:, 0]
"""P(H) at rest in matching pennies of the player that explores, and of the other, [replicate, temperature]."""
_inner_divergence = recorded("rps_rest", "divergence")[:, :, 1:3]
_inner_distance = recorded("rps_rest", "distance")[:, :, 1:3]
"""Distances from uniform play in rock-paper-scissors at T = 0.1 and 0.3, [replicate, t / 10 - 1, temperature]."""


def _drift(cell: str) -> Quantity:
    """Relative change of the divergence to Nash over the whole run without exploration."""
    divergence = recorded(cell, "divergence")[:, :, 0]
    return divergence.then(lambda path: np.ptp(path, axis=1) / path[:, 0])


def _cycles(cell: str) -> Quantity:
    """Range of P(first action) at T = 0 in the last 20 units of time over that in the first 20, less a half.

    The smaller of both players.
    """
    return smallest(liveliness(policies(cell)[:, :, :, 0, 0], 200)) - 0.5


def _from_uniform(player: int) -> Quantity:
    """Largest distance of a player from uniform play in rock-paper-scissors at t = 300 over all T > 0."""
    return largest((policies("rps_rest").last[:, player, :, 1:] - 1 / 3).then(np.abs))


# What is claimed, in the order of the source.

_CHANGE = "relative change of the divergence to Nash"
_RPS = "exploration rates, horizon and starts of the figure are not printed; player 1 has T = 0"

CLAIMS: tuple[AbstractClaim, ...] = (
    Statement(
        id="no_exploration", source=f"{SOURCE}, figure 2, panel 1",
        statement="without exploration the dynamics cycle around the Nash equilibrium",
        parts=(
            limit("conserved", "figure 2, panel 1", "its divergence is conserved",
                  1e-6, _drift("one_explorer_rest"), _CHANGE),
            direction("cycles", "figure 2, panel 1", "play goes on moving", 1, _cycles("one_explorer"),
                      "range of P(H) in the last 20 units of time over that in the first 20, less 1/2, the smaller; "
                      f"{READING}"),
        ),
    ),
    limit(
        "one_explorer.converges", "figure 2, panels 2 and 3",
        "exploration by only one agent suffices for convergence",
        1e-6, largest(recorded("one_explorer_rest", "distance").last[:, 1:3]),
        note=f"distance from the rest point in closed form at t = 300, T = 0.5 and 2; {READING}"),
    limit(
        "one_explorer.boundary", "figure 2, panel 4",
        "for high exploration by one agent the other's component lies at the boundary",
        1e-3, _other_heads[:, 3], published=1.0, reason="an exact limit, approached slowly"),
    limit(
        "one_explorer.nash_mixture", "proposition C.1 and remark 2",
        "below the threshold the exploring player rests at its Nash mixture",
        1e-6, _explorer_heads[:, 1:3].then(lambda p: p.mean(axis=1)), published=1 / 3,
        note=f"1/3 is the mixture in our payoffs; mean of T = 0.5 and 2; {READING}"),
    direction(
        "one_explorer.pushes", "proposition C.1 and remark 2",
        "the other player's component moves towards the boundary as exploration grows",
        1, smallest(_other_heads[:, 1:].then(np.diff)),
        f"P(H) of player 1 at T = 2 less that at 0.5, and at 6.5 less 2, the smaller; {READING}"),
    direction(
        "one_explorer.uniform", "remark 2",
        "beyond the threshold the explorer's mixture approaches the uniform one",
        1, 1 / 6 - (_explorer_heads[:, 3] - 1 / 2).then(np.abs),
        f"how much nearer to 1/2 it is at T = 6.5 than its Nash mixture, 1/3; {READING}"),
    limit(
        "rps.conserved", "figure 7, panel 1",
        "without exploration rock-paper-scissors is recurrent around the Nash equilibrium",
        1e-6, _drift("rps_rest"), _CHANGE,
        note=f"conserved: orbits stay between two levels and come back, but need not close; {_RPS}"),
    direction(
        "rps.cycles", "figures 7 and 8, panel 1", "without exploration rock-paper-scissors cycles for ever",
        1, _cycles("rps"),
        f"range of P(R) in the last 20 units of time over that in the first 20, less 1/2, the smaller; {_RPS}"),
    limit(
        "rps.player_1", "figure 7",
        "in all other cases exploration by one agent suffices for convergence to the unique QRE (player 1)",
        1e-5, _from_uniform(0), note=f"largest over T = 0.1, ..., 2 at t = 300; {_RPS}"),
    limit(
        "rps.explorer", "figure 8", "the plots of the exploring agent are similar: it converges to the unique QRE",
        1e-5, _from_uniform(1), note=f"largest over T = 0.1, ..., 2 at t = 300; {_RPS}"),
    direction(
        "rps.inwards", "figure 7, panels 2 and 3", "in panels 2 and 3 the dynamics spiral inwards",
        1, smallest(_inner_divergence[:, 0] - _inner_divergence[:, 3]),
        f"fall of the divergence to the QRE from t = 10 to 40, the smaller of T = 0.1 and 0.3; {_RPS}"),
    direction(
        "rps.eventually", "figure 7, panels 2 and 3", "in panels 2 and 3 the dynamics will eventually converge",
        1, smallest(_inner_distance[:, 0] - _inner_distance.last * 10.0),
        f"distance to the QRE at t = 10 less ten times that at t = 300, the smaller of T = 0.1 and 0.3; {_RPS}"),
    limit(
        "modified.converges", "appendix C.2 (not depicted)",
        "a modified game with an asymmetric Nash equilibrium gives similar plots",
        1e-5, largest(recorded("modified_rest", "distance").last[:, 1:]),
        note="distance from the closed form of the rest point at t = 300, T = 0.3 and 0.6; payoffs are not printed, "
        "ours have the Nash equilibrium (1/4, 1/2, 1/4)"),
    limit(
        "modified.conserved", "appendix C.2 (not depicted)",
        "without exploration the modified game is recurrent too",
        1e-6, _drift("modified_rest"), _CHANGE,
        note="the payoffs are not printed, ours have the Nash equilibrium (1/4, 1/2, 1/4)"),
    NotComparable(
        id="curves", source=f"{SOURCE}, figures 2, 7 and 8", published=None,
        statement="the paths themselves, point by point",
        missing="payoffs of matching pennies, exploration rates, starts and horizons of the panels"),
)  # fmt: skip

# What is shown.

_PATHS = 4
"""Starts drawn in each portrait."""
_SHOWN = 400
"""Points of the time series, 0.1 apart."""
_NAMES = ("R", "P", "S")


def report(results: Results[Settings]) -> Report:
    """Where play comes to rest, beside closed forms; portraits of matching pennies, simplices of the other games."""
    figures = (_portraits(results), _simplices(results, 0, "figure_7"), _simplices(results, 1, "figure_8"))
    return Report(tables=(_amps(results), _rps(results)), figures=(*figures, _modified(results)))


def _amps(results: Results[Settings]) -> Table:
    found = heads("one_explorer_rest")(results)
    rows = [
        {"T_2": temperature} | beside(found[:, :, b], amps_rest(temperature)[:, 0], "closed form")
        for b, temperature in enumerate(ONE_EXPLORER[1:], 1)
    ]
    caption = (
        f"Asymmetric matching pennies at t = 300 if only player 2 explores, {len(found)} random starts: mean P(H), "
        "the rest point in closed form (on the boundary above T_2 = 4 / ln 2 = 5.77), largest distance from it over "
        "all starts."
    )
    return Table.of_rows("one_explorer", caption, rows, decimals=6)


def _rps(results: Results[Settings]) -> Table:
    rows, games = [], (("rock-paper-scissors", "rps_rest", RPS_T), ("modified", "modified_rest", MODIFIED_T))
    for game, cell, temperatures in games:
        divergence, distance = (np.maximum(recorded(cell, v)(results), 0) for v in ("divergence", "distance"))
        for b, temperature in enumerate(temperatures):
            rows.append(
                {
                    "game": game,
                    "T_2": temperature,
                    "divergence, t = 10": divergence[:, 0, b].mean(),
                    "t = 40": divergence[:, 3, b].mean(),
                    "t = 300": f"{divergence[:, -1, b].mean():.3g}",
                    "distance, t = 300": f"{distance[:, -1, b].max():.1e}",
                }
            )
    caption = (
        "Only player 2 explores: mean divergence from the rest point (nats; conserved at T = 0, where it is the one to "
        f"Nash), and the largest distance of any probability from it at t = 300, over {results.scale.replications} "
        "random starts. The modified game has stakes 1, 1 and 2 and the Nash equilibrium (1/4, 1/2, 1/4)."
    )
    return Table.of_rows("rock_paper_scissors", caption, rows, decimals=4)


def _portraits(results: Results[Settings]) -> Figure:
    path = policies("one_explorer")(results)[:_PATHS, :, :, 0]
    time = 0.1 * np.arange(1, path.shape[1] + 1)
    axes = {"T_2": ONE_EXPLORER, "start": range(1, len(path) + 1), "time": time}
    first, second = path.transpose(2, 3, 0, 1)
    caption = (
        "Asymmetric matching pennies when only player 2 explores, at the temperature above each column. Top: P(H) "
        f"of both from {path.shape[0]} random starts up to t = {time[-1]:g}; squares: ends; disc: Nash; "
        "ring: rest point in closed form. Bottom: P(H) over time from the first of these starts. Above "
        "T = 4 / ln 2 = 5.77 player 1 ends at the boundary. Payoffs, temperatures and starts are our choice: the "
        "source prints none."
    )
    draw = lambda sheet: _draw_portraits(sheet, path, time)
    data = long_rows(axes, {"player_1": first, "player_2": second})
    return Figure(name="figure_2", draw=draw, data=data, caption=caption, size=(7.2, 4.0))


def _draw_portraits(sheet: Any, path: np.ndarray, time: np.ndarray) -> None:
    """Policies of both players above, one panel a temperature, and over time below."""
    panels = sheet.subplots(2, len(ONE_EXPLORER), height_ratios=(1.35, 1.0))
    for b, (temperature, top, bottom) in enumerate(zip(ONE_EXPLORER, *panels, strict=True)):
        for x, y, colour in zip(path[:, :, 0, b], path[:, :, 1, b], COLOURS[1:], strict=False):
            top.plot(x, y, color=colour, linewidth=0.6, linestyle="-")
            if temperature:
                top.plot(x[-1:], y[-1:], color=colour, marker="s", markersize=3, zorder=3)
        top.plot([1 / 3], [1 / 3], color=COLOURS[0], marker="o", markersize=3, linestyle="none", zorder=4)
        if temperature:
            rest = amps_rest(temperature)[:, 0]
            top.plot(*rest[:, None], marker="o", markersize=7, linestyle="none", mfc="none", mec=COLOURS[0], mew=0.7)
        top.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), aspect="equal", xlabel="P(H), player 1")
        top.set_title("nobody explores" if not temperature else f"T$_2$ = {temperature:g}", fontsize=8)
        for k, style in enumerate(({"color": COLOURS[2]}, {"color": COLOURS[1], "linestyle": (0, (4, 1))})):
            style = {"linestyle": "-", "linewidth": 0.9, "label": f"player {k + 1}"} | style
            bottom.plot(time[:_SHOWN], path[0, :_SHOWN, k, b], **style)
        bottom.set(ylim=(-0.04, 1.04), xlabel="time")
    for axes in panels[:, 1:].ravel():
        axes.tick_params(labelleft=False)
    panels[0, 0].set_ylabel("P(H), player 2")
    panels[1, 0].set_ylabel("P(H)")
    panels[1, -1].legend(loc="center right")


def _rows(path: np.ndarray, temperatures: tuple[float, ...], players: tuple[int, ...]) -> pandas.DataFrame:
    """The paths [t, player, action, temperature] of one replication, one row a point."""
    axes = {"player": [k + 1 for k in players], "T_2": temperatures, "time": 0.1 * np.arange(1, len(path) + 1)}
    probabilities = path[:, list(players)].transpose(2, 1, 3, 0)
    return long_rows(axes, {f"P({name})": p for name, p in zip(_NAMES, probabilities, strict=True)})


def _simplices(results: Results[Settings], player: int, name: str) -> Figure:
    path = policies("rps")(results)[0]
    who = ("player 1, who does not explore", "player 2, the only one who explores")[player]
    panels = [(f"T$_2$ = {t:g}", path[:, player, :, b], np.full(3, 1 / 3)) for b, t in enumerate(RPS_T)]
    caption = (
        f"Rock-paper-scissors: mixed strategy of {who}, from t = 0.1 to {0.1 * len(path):g} (colour) at the "
        "temperature above each panel; each panel has a random start of its own (ring). Blue disc: the QRE, "
        "uniform play. Fixed-step Runge-Kutta, h = 0.01. Temperatures, horizon, starts are our choice: the source "
        "prints none."
    )
    draw = lambda sheet: simplices(sheet, panels, _NAMES, 0.1)
    return Figure(name=name, draw=draw, data=_rows(path, RPS_T, (player,)), caption=caption, size=(7.2, 4.6))


def _modified(results: Results[Settings]) -> Figure:
    path = policies("modified")(results)[0]
    panels = [
        (f"player {k + 1}, T$_2$ = {t:g}", path[:, k, :, b], modified_rest(t)[k] if t else MODIFIED_NASH)
        for k in (0, 1)
        for b, t in enumerate(MODIFIED_T)
    ]
    caption = (
        "Rock-paper-scissors with stakes 1, 1 and 2 and the asymmetric Nash equilibrium (1/4, 1/2, 1/4) when only "
        f"player 2 explores: mixed strategies of both from t = 0.1 to {0.1 * len(path):g} (colour), random starts "
        "(rings). Blue disc: rest point in closed form (Nash at T = 0). The source mentions such a game and prints "
        "no payoffs."
    )
    draw = lambda sheet: simplices(sheet, panels, _NAMES, 0.1)
    return Figure(name="modified", draw=draw, data=_rows(path, MODIFIED_T, (0, 1)), caption=caption, size=(7.2, 4.6))


experiment = Experiment(
    name="learning_dynamics.phase_portraits", settings=Settings, cells=cells, report=report, claims=CLAIMS, x64=True,
    title="One explorer is enough: phase portraits of Q-learning in two-player zero-sum games",
    summary="Matching pennies and rock-paper-scissors when only one player explores: portraits, time series, simplices",
    sources=("LeonardosPiliourasSpendlove2021",),
    scales={
        "quick": Scale(steps=DRAWN, replications=10, block=10, chunk=DRAWN),
        "paper": Scale(steps=DRAWN, replications=100, block=50, chunk=DRAWN),
    },
)  # fmt: skip
