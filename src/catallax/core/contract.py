"""Contracts: what every game, agent, measure and solver must keep, as functions to be called on your own pieces.

    from catallax.core import contract
    contract.check_game(MyGame)

Each takes a factory, not an instance, so that it can see whether two equal pieces share one compiled program. The first
breach raises `ContractError` with what was expected, what was seen and how to mend it. Keys are followed by JAX's own
checker, which does not see a second use of the bare words of a key (`rng.key_bits`, `rng.uniform`, `rng.normal`).
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from . import rng
from .agent import AbstractAgent, Batch, Spec
from .dynamics import AbstractDynamics
from .errors import BuildError
from .game import AbstractGame, Outcome
from .measure import AbstractMeasure
from .play import Play
from .run import advance, run, solve
from .space import conform


class ContractError(BuildError):
    """A game, agent, measure or solver breaks a rule that the engine relies on."""


def check_game(make: Callable[[], AbstractGame], ticks: int = 6) -> None:
    """Shapes, dtypes, purity, batching, keys and traces of a game, over a few ticks of random legal play."""
    game, key = make(), rng.key(0)
    names = [role.name for role in game.roles]
    if len(set(names)) != len(names):
        raise ContractError(f"{_name(game)}: two roles have the same name: {names}")

    def tick(game: AbstractGame, world: Any, key: Any) -> Any:
        action = {
            r.name: jax.vmap(r.action.sample)(jax.random.split(rng.fold(key, i), r.seats))
            for i, r in enumerate(game.roles)
        }
        return game.step(rng.fold(key, len(game.roles)), world, action)

    def play(game: AbstractGame, key: Any) -> Any:
        start = game.init(rng.fold(key, 0))

        def one(world: Any, t: Any) -> Any:
            after, outcome = tick(game, world, rng.fold(key, 1, t))
            return after, (after, game.observe(after), outcome)

        return start, game.observe(start), jax.lax.scan(one, start, jnp.arange(ticks))[1]

    start = jax.eval_shape(game.init, key)
    after, _ = jax.eval_shape(lambda w, k: tick(game, w, k), start, key)
    _same_form(f"{_name(game)}: the world", start, after)
    compiled = eqx.filter_jit(play)
    start, obs, (_, seen, outcomes) = _pure(_name(game), play, compiled, game, key)
    _arrays_only(f"{_name(game)}: the world", start)
    _check_seats(f"{_name(game)}: observe", game, obs)
    _same_form(f"{_name(game)}: observations", obs, jax.tree.map(lambda x: x[0], seen))
    paid = _on_host(outcomes)
    for t in range(ticks):
        _check_outcome(game, jax.tree.map(lambda x, t=t: x[t], paid))
    _batches(_name(game), play, compiled, game, key)
    _one_trace(_name(game), make, play, key)


def check_agent(
    make: Callable[[], AbstractAgent],
    spec: Spec,
    obs: Any,
    *,
    move: Callable[[Any], Any] = lambda action: action,
    copies: int = 2,
    ticks: int = 5,
) -> None:
    """Shapes, dtypes, purity, batching, keys and traces of a rule for one seat.

    Args:
        spec: what the rule is told before play.
        obs: one observation of the form `spec.obs`.
        move: turns the rule's raw action into the game's, as its group's interface would.
        copies, ticks: size of the batch that `learn` is given.
    """
    agent, key = make(), rng.key(1)
    who = _name(agent)

    def live(agent: AbstractAgent, key: Any) -> Any:
        state = agent.init(rng.fold(key, 0), spec)
        memory = agent.reset(rng.fold(key, 1), state)
        action, after, extras = agent.act(rng.fold(key, 2), state, memory, obs)
        lead = lambda n: lambda x: jnp.broadcast_to(jnp.asarray(x), (copies, n, *jnp.shape(x)))
        batch = Batch(
            jax.tree.map(lead(ticks + 1), obs),
            jax.tree.map(lead(ticks), action),
            jnp.linspace(-1.0, 1.0, copies * ticks).reshape(copies, ticks),
            jnp.ones((copies, ticks)),
            jax.tree.map(lead(ticks), extras),
        )
        learnt, log = agent.learn(rng.fold(key, 3), state, batch, jnp.int32(0))
        return state, memory, action, after, extras, learnt, log

    state, memory, action, after, extras, learnt, log = _pure(who, live, eqx.filter_jit(live), agent, key)
    for name, tree in (
        ("state", state),
        ("memory", memory),
        ("action", action),
        ("extras", extras),
        ("log", log),
    ):
        _arrays_only(f"{who}: the {name}", tree)
    _same_form(f"{who}: the memory after `act`", memory, after)
    _same_form(f"{who}: the state after `learn`", state, learnt)
    for name, tree in (("action", action), ("state after `learn`", learnt)):
        for path, leaf in jax.tree.leaves_with_path(tree):
            if jnp.issubdtype(leaf.dtype, jnp.inexact) and bool(jnp.isnan(leaf).any()):
                raise ContractError(f"{who}: the {name}{jax.tree_util.keystr(path)} holds NaN")
    for name, value in log.items():
        if value.shape != ():
            raise ContractError(f"{who}: the log's {name!r} has shape {value.shape}; logs are scalars")
    conform(move(action), spec.action, who)
    # Not what `learn` returns: an optimiser's first steps are signs, which rounding may turn.
    decide = lambda agent, k: live(agent, k)[:5]
    _batches(who, decide, eqx.filter_jit(decide), agent, key)
    _one_trace(who, make, live, key)


def check_measure(make: Callable[[], AbstractMeasure], dynamics: AbstractDynamics, steps: int = 4) -> None:
    """What a measure returns is what it declares, and is finite where it says so."""
    measure, key = make(), rng.key(2)
    who = _name(measure)
    series = run(dynamics, key, steps * measure.every, (measure,)).series
    declared = {v.name: v for v in measure.variables}
    if set(series) != set(declared):
        raise ContractError(f"{who} declares {sorted(declared)} but returns {sorted(series)}")
    for name, values in series.items():
        variable = declared[name]
        if values.ndim != 1 + len(variable.dims):
            raise ContractError(f"{who}: {name} has {values.ndim - 1} axes, its dims are {variable.dims}")
        if values.shape[0] != steps:
            raise ContractError(
                f"{who}: {name} was evaluated {values.shape[0]} times in {steps} x {measure.every} steps"
            )
        copies = dynamics.copies if isinstance(dynamics, Play) else None
        if "copy" in variable.dims and values.shape[1 + variable.dims.index("copy")] != copies:
            raise ContractError(f"{who}: axis 'copy' of {name} is not the play's {copies} copies")
        real = jnp.issubdtype(values.dtype, jnp.inexact)
        if real and not variable.may_be_undefined and bool(jnp.isnan(values).any()):
            raise ContractError(f"{who}: {name} holds NaN; declare may_be_undefined=True or define it")
        if not variable.unit or not variable.meaning:
            raise ContractError(f"{who}: {name} needs a unit and a meaning")
    fresh = eqx.filter_jit(lambda m, k: run_fresh(dynamics, k, steps * m.every, m))
    again = fresh(make(), key)
    for name in series:
        _close(f"{who}: {name}, traced twice", series[name], again[name])
    _one_trace(who, make, lambda m, k: run(dynamics, k, m.every, (m,)).series, key)


def run_fresh(dynamics: AbstractDynamics, key: Any, steps: int, measure: AbstractMeasure) -> dict[str, Any]:
    """The measured series of a run, traced anew."""
    return advance(dynamics, key, dynamics.init(key), jnp.int32(0), steps, (measure,)).series


def check_solver(make: Callable[[], AbstractDynamics], tol: float, max_steps: int = 5_000) -> None:
    """Form, purity, batching, keys and traces of a dynamics that comes to rest, and that rest is rest.

    Where `solve` says that the residual is at most `tol`, one more step leaves it there (to twice `tol`).
    """
    dynamics, key = make(), rng.key(3)
    who = _name(dynamics)

    def stepped(dynamics: AbstractDynamics, key: Any) -> Any:
        start = dynamics.init(key)
        after, record = dynamics.step(key, start, jnp.int32(0))
        return start, after, record, dynamics.residual(after)

    compiled = eqx.filter_jit(stepped)
    start, after, record, residual = _pure(who, lambda d, _: stepped(d, rng.key(3)), compiled, dynamics, key)
    for name, tree in (("state", start), ("state after a step", after), ("record", record)):
        _arrays_only(f"{who}: the {name}", tree)
    _same_form(f"{who}: the state", start, after)
    if residual.shape != () or not bool(residual >= 0):
        raise ContractError(f"{who}: the residual is {residual}; it must be one number of at least 0")
    _batches(who, stepped, compiled, dynamics, key)
    _one_trace(who, make, stepped, key)
    rest = solve(dynamics, key, tol=tol, max_steps=max_steps).require()
    still = dynamics.residual(dynamics.step(key, rest, jnp.int32(max_steps))[0])
    if not float(still) <= 2 * tol:
        raise ContractError(f"{who}: at rest to {tol:g}, one more step has residual {float(still):.3g}")


def _name(piece: Any) -> str:
    return type(piece).__name__


def _pure(who: str, f: Callable, compiled: Callable, piece: Any, key: Any) -> Any:
    """Traced twice with the same key, the call gives the same; keys are consumed once. `compiled` is f, jitted."""
    first = compiled(piece, key)
    try:
        with jax.debug_key_reuse(True):
            again = eqx.filter_jit(f)(piece, key)
    except jax.errors.KeyReuseError as error:
        raise ContractError(f"{who}: a key is consumed twice; fold or split it first ({error})") from error
    _equal(f"{who}: traced twice with the same key", first, again)
    return first


def _batches(who: str, f: Callable, compiled: Callable, piece: Any, key: Any) -> None:
    """A vmapped call equals the calls one by one (to rounding)."""
    keys = jnp.stack([rng.fold(key, i) for i in range(3)])
    together = _on_host(jax.jit(jax.vmap(lambda k: f(piece, k)))(keys))
    for i in range(3):
        alone = compiled(piece, keys[i])
        _close(f"{who}: vmapped and one by one", jax.tree.map(lambda x, i=i: x[i], together), alone)


def _one_trace(who: str, make: Callable, f: Callable, key: Any) -> None:
    """Two equal pieces, and one with other numbers in its array leaves, share one trace.

    Calls are traced only: a jitted function inside a larger trace keeps its traces as it does outside.
    """
    traces = 0

    @eqx.filter_jit
    def counted(piece: Any, key: Any) -> Any:
        nonlocal traces
        traces += 1
        return f(piece, key)

    trace = lambda piece: eqx.filter_eval_shape(counted, piece, key)
    trace(make())
    trace(make())
    if traces > 1:
        raise ContractError(
            f"{who}: two equal pieces are traced twice; name functions at module level and make static fields hashable"
        )
    other = jax.tree.map(lambda x: jnp.array(x) if eqx.is_array(x) else x, make())
    numbers = [x for x in jax.tree.leaves(make()) if isinstance(x, int | float | complex | np.ndarray | np.generic)]
    if numbers:
        raise ContractError(
            f"{who}: {numbers[0]} is a leaf of type {type(numbers[0]).__name__}: every value would be traced anew; "
            "declare the field with converter=jnp.asarray, or static=True if it is structure"
        )
    trace(other)
    if traces > 1:
        raise ContractError(f"{who}: other values of the array leaves are traced anew")


def _arrays_only(what: str, tree: Any) -> None:
    for path, leaf in jax.tree.leaves_with_path(tree):
        where = f"{what}{jax.tree_util.keystr(path)}"
        if not isinstance(leaf, jax.Array):
            raise ContractError(f"{where} is a {type(leaf).__name__}; only arrays may be carried")
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            raise ContractError(f"{where} is a key; keys are handed in by the engine and never stored")
        if leaf.dtype.itemsize > 4 and not jax.config.read("jax_enable_x64"):
            raise ContractError(f"{where} has dtype {leaf.dtype}; use 32-bit types")


def _same_form(what: str, before: Any, after: Any) -> None:
    form = lambda tree: (jax.tree.structure(tree), [(x.shape, x.dtype) for x in jax.tree.leaves(tree)])
    if form(before) != form(after):
        raise ContractError(f"{what} changed its form from {form(before)} to {form(after)}")


def _check_seats(what: str, game: AbstractGame, by_role: Any) -> None:
    names = {role.name for role in game.roles}
    if set(by_role) != names:
        raise ContractError(f"{what} gives {sorted(by_role)}; the roles are {sorted(names)}")
    for role in game.roles:
        for path, leaf in jax.tree.leaves_with_path(by_role[role.name]):
            if jnp.ndim(leaf) < 1 or leaf.shape[0] != role.seats:
                raise ContractError(
                    f"{what}: {role.name}{jax.tree_util.keystr(path)} has shape {jnp.shape(leaf)}; "
                    f"the first axis must be the {role.seats} seats"
                )


def _check_outcome(game: AbstractGame, outcome: Outcome) -> None:
    for name, part in (("reward", outcome.reward), ("discount", outcome.discount)):
        _check_seats(f"{_name(game)}: {name}", game, part)
        for role in game.roles:
            if part[role.name].shape != (role.seats,):
                raise ContractError(
                    f"{_name(game)}: {name} of {role.name!r} has shape {part[role.name].shape}, not ({role.seats},)"
                )
            if not np.isfinite(part[role.name]).all():
                raise ContractError(f"{_name(game)}: {name} of {role.name!r} is not finite: {part[role.name]}")
            if not jnp.issubdtype(part[role.name].dtype, jnp.floating):
                raise ContractError(f"{_name(game)}: {name} of {role.name!r} has dtype {part[role.name].dtype}")
    for role in game.roles:
        if ((outcome.discount[role.name] < 0) | (outcome.discount[role.name] > 1)).any():
            raise ContractError(f"{_name(game)}: discounts of {role.name!r} leave [0, 1]")


def _on_host(tree: Any) -> Any:
    """NumPy arrays, which are sliced without a program for each shape; keys stay as they are."""
    is_key = lambda x: jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
    return jax.tree.map(lambda x: x if is_key(x) else np.asarray(x), tree)


def _pairs(what: str, a: Any, b: Any) -> list[tuple[str, np.ndarray, np.ndarray]]:
    if jax.tree.structure(a) != jax.tree.structure(b):
        raise ContractError(f"{what} differ in form")
    return [
        (f"{what}{jax.tree_util.keystr(path)}", np.asarray(x), np.asarray(y))
        for (path, x), y in zip(jax.tree.leaves_with_path(a), jax.tree.leaves(b), strict=True)
        if not jnp.issubdtype(jnp.asarray(x).dtype, jax.dtypes.prng_key)
    ]


def _equal(what: str, a: Any, b: Any) -> None:
    for where, x, y in _pairs(what, a, b):
        if not np.array_equal(x, y, equal_nan=np.issubdtype(x.dtype, np.inexact)):
            raise ContractError(f"{where} differ: {x} and {y}; the piece is not a pure function of its arguments")


def _close(what: str, a: Any, b: Any) -> None:
    for where, x, y in _pairs(what, a, b):
        if not np.allclose(x, y, rtol=2e-4, atol=2e-4, equal_nan=True):
            raise ContractError(f"{where} differ: {x} and {y}; the piece is not a pure function of its arguments")
