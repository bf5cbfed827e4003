"""What the experiment on a population of Q-learners runs: three games three ways, and one study for each rate."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import msgspec

from catallax.games.matrix import coordination, first_price_bids, prisoners_dilemma
from catallax.lab import Cell
from catallax.measures.learner_density import Courant, Density, Histogram, MeanPolicy, Moments, StationaryDistance
from catallax.solvers.learner_density import (
    Beta,
    Characteristics,
    FiniteLearners,
    FiniteVolume,
    LearnerModel,
    ProductLaw,
    Uniform,
    stationary_state,
)
from catallax.solvers.matrix.flow import RungeKutta

from .quantities import same_length

SCALES = ("quick", "paper")
NODES = (2, 3, 4, 6, 8, 12)
"""Nodes an axis in the study of quadrature."""
STEPS_A_UNIT = (4, 8, 16, 32, 64)
"""Runge-Kutta steps for each unit of time."""
GRIDS = (10, 20, 40, 80, 160)
"""Cells an axis; 160 at paper scale only."""
POPULATIONS = (50, 200, 800, 3200)
"""Numbers of learners."""
GAINS = (1 / 4, 1 / 8, 1 / 16, 1 / 32)
"""Step sizes of learners who meet one other in a play."""
HIGHEST = 5.0
"""Values of the prisoners' dilemma lie between 0 and this."""

BOX = ProductLaw(Uniform(0.0, 2.0), Uniform(0.0, 2.0))
"""The first law of the reference table."""
SMOOTH = ProductLaw(Beta(0.0, HIGHEST, 4.0, 6.0), Beta(0.0, HIGHEST, 5.0, 5.0))
"""A law that a grid sees as smooth: it vanishes with two derivatives at the ends of the values' range."""
LAWS = (BOX, SMOOTH)
"""Values of the lane `smooth`."""
LEANING = ProductLaw(Uniform(0.3, 0.9), Uniform(0.0, 0.6))
"""Most learners prefer the first action of the coordination game."""
BIDDERS = ProductLaw(Uniform(0.0, 0.375), Uniform(-0.1, 0.275), Uniform(-0.25, 0.125))
"""Most bidders prefer the lowest bid."""
COORDINATION_T = 0.3
"""Below 1/2: three symmetric equilibria, of which the middle one repels."""
AUCTION_T = 0.1


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    substeps: int = 50
    """Runge-Kutta steps for each unit of time along characteristics."""
    gain: float = 0.02
    """Step size of the learners beside the reference table; a unit of time is 1 / gain plays."""


def cells(settings: Settings) -> tuple[Cell, ...]:
    """Three games three ways, then one study for each rate."""
    return (
        *(cell for game in _games() for cell in _three_ways(game, settings)),
        _rest(),
        _exact(),
        _nodes_study(),
        _steps_study(),
        *(_grid_study(count, SCALES if count <= 80 else SCALES[1:]) for count in GRIDS),
        *(cell for count in POPULATIONS for cell in _agents_study(count, (25_600, 51_200))),
        *(cell for gain in GAINS for cell in _gain_study(gain, (16, 128))),
    )


def _dilemma() -> LearnerModel:
    return LearnerModel(prisoners_dilemma())


class Game(NamedTuple):
    """A game and how finely it is followed; pairs are numbers at scale "quick" and "paper"."""

    name: str
    label: str
    model: LearnerModel
    law: ProductLaw
    nodes: int
    """Nodes an axis."""
    cells: tuple[int, int]
    """Cells an axis of the grid."""
    grid_steps: tuple[int, int]
    """Units of time on the grid, and one more; 21 elsewhere."""
    agents: tuple[int, int]
    picture: tuple[Any, ...] = ()
    """Measures of learners for the picture of densities; with it learners also meet in pairs."""
    start: Any = None
    """Where to look for the state at rest."""


def _games() -> tuple[Game, ...]:
    """The dilemma, coordination and the auction."""
    dilemma, symmetric = _dilemma(), LearnerModel(coordination(), COORDINATION_T)
    auction = LearnerModel(first_price_bids(0.25), AUCTION_T)
    picture = (Histogram(bins=40, high=HIGHEST, before=True),)
    return (
        Game("dilemma", "prisoners' dilemma", dilemma, BOX, 16, (80, 80), (6, 11), (1000, 20_000), picture),
        Game(
            "coordination", "coordination", symmetric, LEANING, 12, (40, 80), (21, 21), (1000, 10_000), (), [0.9, 0.1]
        ),
        Game("auction", "first-price auction", auction, BIDDERS, 8, (15, 25), (6, 11), (1000, 10_000)),
    )


def _three_ways(game: Game, settings: Settings) -> Iterator[Cell]:
    """A game followed by nodes, by a grid, and by learners: means, spread and distance from rest at t = 0, 1, 2, ..."""
    model, law, integrator = game.model, game.law, RungeKutta(settings.substeps)
    rest = stationary_state(model, game.start)
    far = StationaryDistance(values=rest.values, policy=rest.policy, before=True)
    watch = (MeanPolicy(before=True), Moments(before=True), far)
    nodes = lambda: Characteristics(model, law, game.nodes, integrator=integrator)
    yield same_length(f"{game.name}_nodes", f"{game.label}, characteristics", nodes, 21, *watch)
    grid_picture = (Density(before=True),) if game.picture else ()
    for scale, count, steps in zip(SCALES, game.cells, game.grid_steps, strict=True):
        grid, label = lambda count=count: FiniteVolume(model, law, count), f"{game.label}, {count} cells an axis"
        every = (*watch, Courant(), *grid_picture)
        yield same_length(f"{game.name}_grid", label, grid, steps, *every, scales=(scale,))
    for scale, count in zip(SCALES, game.agents, strict=True):
        for kind, others in (("all", None), ("pairs", 1))[: 2 if game.picture else 1]:
            met = "all others" if others is None else "one other"
            label = f"{game.label}, {count} learners, {met} met in a play"
            learners = partial(FiniteLearners, model, law, count, gain=settings.gain, opponents=others)
            name, every = f"{game.name}_agents_{kind}", (*watch, *game.picture)
            yield same_length(name, label, learners, 21, *every, scales=(scale,))


def _leaves(dynamics: Any) -> tuple[Any, ...]:
    """Where the state starts, with the weights of nodes."""
    if isinstance(dynamics, Characteristics):
        return (dynamics.start, dynamics.weights, dynamics.initial)
    return (dynamics.start,)


def _pick(made: Sequence[Any], index: Any) -> Any:
    """One of several dynamics that differ in their starts only, by a traced index."""
    each = zip(*(_leaves(m) for m in made), strict=True)
    return eqx.tree_at(_leaves, made[0], tuple(jnp.stack(parts)[index] for parts in each))


def _padded(nodes: Characteristics, size: int) -> Characteristics:
    """More nodes of weight zero, so that quadratures of different sizes have one shape."""
    fill = size - nodes.weights.shape[0]
    wide = lambda x: jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, fill)], mode="edge" if x.ndim > 1 else "constant")
    return eqx.tree_at(_leaves, nodes, tuple(wide(x) for x in _leaves(nodes)))


def _rest() -> Cell:
    """The dilemma until nothing moves: t = 200."""
    model = _dilemma()
    rest = stationary_state(model)
    build = lambda: Characteristics(model, BOX, 8, interval=20.0, integrator=RungeKutta(400))
    far = StationaryDistance(values=rest.values, policy=rest.policy)
    return same_length("rest", "prisoners' dilemma to t = 200", build, 10, far)


def _exact() -> Cell:
    """What the studies are compared with: both laws, t = 1 and 2."""
    both = [Characteristics(_dilemma(), law, 16, integrator=RungeKutta(400)) for law in LAWS]
    label = "prisoners' dilemma, 16 x 16 nodes, 400 steps a unit"
    return same_length("exact", label, lambda smooth: _pick(both, smooth), 2, MeanPolicy(), lanes={"smooth": (0, 1)})


def _nodes_study() -> Cell:
    """Error against nodes: 400 steps a unit, so that only the quadrature errs."""
    made = [Characteristics(_dilemma(), BOX, k, integrator=RungeKutta(400)) for k in NODES]
    wide = [_padded(m, max(NODES) ** 2) for m in made]
    build, lane = lambda index: _pick(wide, index), {"index": tuple(range(len(NODES)))}
    return same_length("nodes_study", "error against nodes", build, 2, MeanPolicy(), lanes=lane)


def _steps_study() -> Cell:
    """Error against time steps: one Runge-Kutta step an interval; t = 1 is reached after `per_unit` of them."""
    build = lambda per_unit: Characteristics(_dilemma(), BOX, 16, interval=1.0 / per_unit, integrator=RungeKutta(1))
    lane = {"per_unit": tuple(float(s) for s in STEPS_A_UNIT)}
    return same_length("steps_study", "error against time steps", build, max(STEPS_A_UNIT), MeanPolicy(), lanes=lane)


def _grid_study(count: int, scales: tuple[str, ...]) -> Cell:
    """Error against cells, from the box and from a smooth law."""
    made = [FiniteVolume(_dilemma(), law, count) for law in LAWS]
    build, more = lambda smooth: _pick(made, smooth), {"lanes": {"smooth": (0, 1)}, "scales": scales}
    return same_length(f"grid_{count}", f"{count} x {count} cells", build, 2, MeanPolicy(), **more)


def _agents_study(agents: int, total: tuple[int, int]) -> Iterator[Cell]:
    """Error against N: all others are met, small steps, t = 2; as many populations side by side as make up `total`."""
    for scale, size in zip(SCALES, total, strict=True):
        how = dict(gain=1 / 32, interval=2.0, populations=max(1, size // agents))
        build = lambda how=how: FiniteLearners(_dilemma(), BOX, agents, **how)
        label = f"{agents} learners, all others met in a play"
        yield same_length(f"agents_{agents}", label, build, 1, MeanPolicy(), scales=(scale,))


def _gain_study(gain: float, populations: tuple[int, int]) -> Iterator[Cell]:
    """Error against the step size: one other is met, so many learners that little else is left, t = 2."""
    for scale, count in zip(SCALES, populations, strict=True):
        how = dict(gain=gain, interval=2.0, opponents=1, populations=count, lattice=True)
        build, name = lambda how=how: FiniteLearners(_dilemma(), BOX, 1024, **how), f"gain_{round(1 / gain)}"
        label = f"step size 1/{round(1 / gain)}, one other met in a play"
        yield same_length(name, label, build, 1, MeanPolicy(), scales=(scale,))
