"""A population of Q-learners as a density: the transport equation three ways, and how fast the three ways agree.

Characteristics, a finite-volume grid and finitely many learners follow the same populations: in the prisoners' dilemma
beside a reference table, in a coordination game from an asymmetric start, and in the first-price auction with three
bids. Then errors against the number of nodes, time steps, cells, learners, and against the learners' step size.

Every replication draws its own learners; nodes and grids draw nothing and are the same in all of them.

Source: Hu, Leung and Leung (2019); Rawat (2023) for the auction.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import msgspec

from catallax.games.matrix import coordination, first_price_bids, prisoners_dilemma
from catallax.lab.experiment import Cell, Experiment, Scale
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

from .population_claims import (
    CLAIMS,
    GAINS,
    GRIDS,
    NODES,
    POPULATIONS,
    STEPS_A_UNIT,
)
from .population_report import report

BOX = ProductLaw(Uniform(0.0, 2.0), Uniform(0.0, 2.0))
"""The first law of the reference table."""
SMOOTH = ProductLaw(Beta(0.0, 5.0, 4.0, 6.0), Beta(0.0, 5.0, 5.0, 5.0))
"""A law that a grid sees as smooth: it vanishes with two derivatives at the ends of the values' range."""
COORDINATION_T = 0.3
"""Below 1/2: three symmetric equilibria, of which the middle one repels."""
LEANING = ProductLaw(Uniform(0.3, 0.9), Uniform(0.0, 0.6))
"""Most learners prefer the first action of the coordination game."""
AUCTION_T = 0.1
BIDDERS = ProductLaw(Uniform(0.0, 0.375), Uniform(-0.1, 0.275), Uniform(-0.25, 0.125))
"""Most bidders prefer the lowest bid."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    substeps: int = 50
    """Runge-Kutta steps for each unit of time along characteristics."""
    gain: float = 0.02
    """Step size of the learners beside the reference table; a unit of time is 1 / gain plays."""


def _dilemma() -> LearnerModel:
    return LearnerModel(prisoners_dilemma())


def _watch(model: LearnerModel, start: Any = None) -> tuple[Any, ...]:
    """Means, spread and distance from rest at t = 0, 1, 2, ..."""
    rest = stationary_state(model, start)
    far = StationaryDistance(values=rest.values, policy=rest.policy, before=True)
    return (MeanPolicy(before=True), Moments(before=True), far)


def _three_ways(
    name: str,
    label: str,
    model: LearnerModel,
    law: ProductLaw,
    settings: Settings,
    *,
    nodes: int,
    cells: dict[str, int],
    agents: dict[str, int],
    steps: dict[str, dict[str, int]],
    picture: tuple[Any, ...] = (),
    start: Any = None,
) -> list[Cell]:
    """A game followed by nodes, by a grid, and by learners who meet all others; with a `picture` also by pairs."""
    watch = _watch(model, start)
    integrator = RungeKutta(settings.substeps)
    made = [
        Cell(
            name=f"{name}_nodes",
            label=f"{label}, characteristics",
            build=lambda: Characteristics(model, law, nodes, integrator=integrator),
            measures=watch,
            steps=steps["nodes"],
        )
    ]
    grid_picture = (Density(before=True),) if picture else ()
    for scale, count in cells.items():
        made.append(
            Cell(
                name=f"{name}_grid",
                label=f"{label}, {count} cells an axis",
                build=lambda count=count: FiniteVolume(model, law, count),
                measures=(*watch, Courant(), *grid_picture),
                steps=steps["grid"],
                scales=(scale,),
            )
        )
    for scale, count in agents.items():
        for kind, others in (("all", None), ("pairs", 1)) if picture else (("all", None),):
            made.append(
                Cell(
                    name=f"{name}_agents_{kind}",
                    label=f"{label}, {count} learners, {'all others' if others is None else 'one other'} met in a play",
                    build=lambda count=count, others=others: FiniteLearners(
                        model, law, count, gain=settings.gain, opponents=others
                    ),
                    measures=(*watch, *picture),
                    steps=steps["nodes"],
                    scales=(scale,),
                )
            )
    return made


def _games(settings: Settings) -> list[Cell]:
    """The dilemma, coordination and the auction."""
    auction = LearnerModel(first_price_bids(0.25), AUCTION_T)
    same = lambda k: {"quick": k, "paper": k}
    return [
        *_three_ways(
            "dilemma",
            "prisoners' dilemma",
            _dilemma(),
            BOX,
            settings,
            nodes=16,
            cells=same(80),
            agents={"quick": 1000, "paper": 20_000},
            steps={"nodes": same(21), "grid": {"quick": 6, "paper": 11}},
            picture=(Histogram(bins=40, high=5.0, before=True),),
        ),
        *_three_ways(
            "coordination",
            "coordination",
            LearnerModel(coordination(), COORDINATION_T),
            LEANING,
            settings,
            nodes=12,
            cells={"quick": 40, "paper": 80},
            agents={"quick": 1000, "paper": 10_000},
            steps={"nodes": same(21), "grid": same(21)},
            start=[0.9, 0.1],
        ),
        *_three_ways(
            "auction",
            "first-price auction",
            auction,
            BIDDERS,
            settings,
            nodes=8,
            cells={"quick": 15, "paper": 25},
            agents={"quick": 1000, "paper": 10_000},
            steps={"nodes": same(21), "grid": {"quick": 6, "paper": 11}},
        ),
    ]


def _pick(made: Sequence[Any], index: Any) -> Any:
    """One of several dynamics that differ in their starts only, by a traced index."""
    leaves = lambda d: (d.start, d.weights, d.initial) if isinstance(d, Characteristics) else (d.start,)
    each = zip(*(leaves(m) for m in made), strict=True)
    return eqx.tree_at(leaves, made[0], tuple(jnp.stack(parts)[index] for parts in each))


def _padded(nodes: Characteristics, size: int) -> Characteristics:
    """More nodes of weight zero, so that quadratures of different sizes have one shape."""
    fill = size - nodes.weights.shape[0]
    wide = lambda x: jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, fill)], mode="edge" if x.ndim > 1 else "constant")
    leaves = lambda d: (d.start, d.weights, d.initial)
    return eqx.tree_at(leaves, nodes, tuple(wide(x) for x in leaves(nodes)))


def _exact() -> Cell:
    """What the studies are compared with: both laws, t = 1 and 2."""
    both = [Characteristics(_dilemma(), law, 16, integrator=RungeKutta(400)) for law in (BOX, SMOOTH)]
    return Cell(
        name="exact",
        label="prisoners' dilemma, 16 x 16 nodes, 400 steps a unit",
        build=lambda smooth: _pick(both, smooth),
        lanes={"smooth": (0, 1)},
        measures=(MeanPolicy(),),
        steps={"quick": 2, "paper": 2},
    )


def _nodes_study() -> Cell:
    """Error against nodes: 400 steps a unit, so that only the quadrature errs."""

    made = [Characteristics(_dilemma(), BOX, k, integrator=RungeKutta(400)) for k in NODES]
    wide = [_padded(m, max(NODES) ** 2) for m in made]
    return Cell(
        name="nodes_study",
        label="error against nodes",
        build=lambda index: _pick(wide, index),
        lanes={"index": tuple(range(len(NODES)))},
        measures=(MeanPolicy(),),
        steps={"quick": 2, "paper": 2},
    )


def _steps_study() -> Cell:
    """Error against time steps: one Runge-Kutta step an interval; t = 1 is reached after `per_unit` of them."""
    return Cell(
        name="steps_study",
        label="error against time steps",
        build=lambda per_unit: Characteristics(_dilemma(), BOX, 16, interval=1.0 / per_unit, integrator=RungeKutta(1)),
        lanes={"per_unit": tuple(float(s) for s in STEPS_A_UNIT)},
        measures=(MeanPolicy(),),
        steps={"quick": max(STEPS_A_UNIT), "paper": max(STEPS_A_UNIT)},
    )


def _grid_study(cells: int, scales: tuple[str, ...]) -> Cell:
    """Error against cells, from the box and from a smooth law."""

    made = [FiniteVolume(_dilemma(), law, cells) for law in (BOX, SMOOTH)]
    return Cell(
        name=f"grid_{cells}",
        label=f"{cells} x {cells} cells",
        build=lambda smooth: _pick(made, smooth),
        lanes={"smooth": (0, 1)},
        measures=(MeanPolicy(),),
        steps={"quick": 2, "paper": 2},
        scales=scales,
    )


def _agents_study(agents: int, total: dict[str, int]) -> list[Cell]:
    """Error against N: all others are met, small steps, t = 2; as many populations side by side as make up `total`."""
    return [
        Cell(
            name=f"agents_{agents}",
            label=f"{agents} learners, all others met in a play",
            build=lambda size=size: FiniteLearners(
                _dilemma(), BOX, agents, gain=1 / 32, interval=2.0, populations=max(1, size // agents)
            ),
            measures=(MeanPolicy(),),
            steps={scale: 1},
            scales=(scale,),
        )
        for scale, size in total.items()
    ]


def _gain_study(gain: float, populations: dict[str, int]) -> list[Cell]:
    """Error against the step size: one other is met, so many learners that little else is left, t = 2."""
    return [
        Cell(
            name=f"gain_{round(1 / gain)}",
            label=f"step size 1/{round(1 / gain)}, one other met in a play",
            build=lambda count=count: FiniteLearners(
                _dilemma(), BOX, 1024, gain=gain, interval=2.0, opponents=1, populations=count, lattice=True
            ),
            measures=(MeanPolicy(),),
            steps={scale: 1},
            scales=(scale,),
        )
        for scale, count in populations.items()
    ]


def _rest() -> Cell:
    """The dilemma until nothing moves: t = 200."""
    model = _dilemma()
    rest = stationary_state(model)
    return Cell(
        name="rest",
        label="prisoners' dilemma to t = 200",
        build=lambda: Characteristics(model, BOX, 8, interval=20.0, integrator=RungeKutta(400)),
        measures=(StationaryDistance(values=rest.values, policy=rest.policy),),
        steps={"quick": 10, "paper": 10},
    )


def cells(settings: Settings) -> tuple[Cell, ...]:
    """Three games three ways, then one study for each rate."""
    return (
        *_games(settings),
        _rest(),
        _exact(),
        _nodes_study(),
        _steps_study(),
        *(_grid_study(g, ("quick", "paper") if g <= 80 else ("paper",)) for g in GRIDS),
        *(c for n in POPULATIONS for c in _agents_study(n, {"quick": 25_600, "paper": 51_200})),
        *(c for g in GAINS for c in _gain_study(g, {"quick": 16, "paper": 128})),
    )


experiment = Experiment(
    name="learning_dynamics.population",
    title="A population of Q-learners: transport equation, grid, learners",
    summary="The density of Q-learners' values along characteristics, on a grid and by finite populations, with rates",
    sources=("HuLeungLeung2019", "HuEtAl2022", "Rawat2023", "VanLeer1979"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=21, replications=10, block=10, chunk=32),
        "paper": Scale(steps=21, replications=20, block=10, chunk=32),
    },
    report=report,
    claims=CLAIMS,
    x64=True,
)
