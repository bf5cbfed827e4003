"""Contracts: what every game, agent, measure and solver must keep, as functions to be called on your own pieces.

    from catallax.core import contract
    contract.check_game(MyGame)

Each takes a factory, not an instance, so that it can see whether two equal pieces share one compiled program. The first
breach raises `ContractError` with what was expected, what was seen and how to mend it. Keys are followed by JAX's own
checker, which does not see a second use of the bare words of a key (`rng.key_bits`, `rng.uniform`, `rng.normal`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

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
from .run import advance, solve
from .space import conform
from .traces import Traced, first_difference


class ContractError(BuildError):
    """A game, agent, measure or solver breaks a rule that the engine relies on."""


def check_game(make: Callable[[], AbstractGame], ticks: int = 6) -> None:
    """Checks shapes, dtypes, purity, batching, keys and traces of a game, over a few ticks of random legal play."""
    game = make()
    who, roles = _name(game), game.roles
    names = [role.name for role in roles]
    if len(set(names)) != len(names):
        raise ContractError(f"{who}: two roles have the same name: {names}")

    def given(keys: Any) -> tuple:
        """A key for the opening, one for each tick, and random actions of each tick."""
        opening, moving, acting = keys[0], keys[1 : 1 + ticks], keys[1 + ticks :]
        actions, start = {}, 0
        for role in roles:
            mine = acting[start : start + ticks * role.seats].reshape(ticks, role.seats)
            actions[role.name] = jax.vmap(jax.vmap(role.action.sample))(mine)
            start += ticks * role.seats
        return opening, moving, actions

    def play(game: AbstractGame, opening: Any, keys: Any, actions: Any) -> Any:
        def tick(world: Any, now: Any) -> Any:
            after, outcome = game.step(now[0], world, now[1])
            return after, (game.observe(after), outcome)

        start = game.init(opening)
        return start, jax.lax.scan(tick, start, (keys, actions))[1]

    args = _arguments(given, rng.key(0), 1 + ticks * (1 + sum(role.seats for role in roles)))
    _check_forms(game, args.each[0])
    first = _pure(who, make, play, *args.each[0])
    for _, (_, outcomes) in _batches(who, first, game, args):
        _check_values(game, outcomes)


def _check_forms(game: AbstractGame, args: tuple) -> None:
    """Checks worlds, observations and outcomes before and after a tick by their structure, shapes and dtypes."""
    who, (key, keys, actions) = _name(game), args
    now = lambda tree: jax.tree.map(lambda x: x[0], tree)
    start = eqx.filter_eval_shape(lambda k: game.init(k), key)
    _arrays_only(f"{who}: the world", start)
    tick = lambda world, keys, actions: game.step(now(keys), world, now(actions))
    after, outcome = eqx.filter_eval_shape(tick, start, keys, actions)
    _same_form(f"{who}: the world", start, after)
    seen = eqx.filter_eval_shape(lambda world: game.observe(world), start)
    _check_seats(f"{who}: observe", game, seen)
    _same_form(f"{who}: observations", seen, eqx.filter_eval_shape(lambda world: game.observe(world), after))
    for name, part in (("reward", outcome.reward), ("discount", outcome.discount)):
        _check_seats(f"{who}: {name}", game, part)
        for role in game.roles:
            x = part[role.name]
            if x.shape != (role.seats,):
                raise ContractError(f"{who}: {name} of {role.name!r} has shape {x.shape}, not ({role.seats},)")
            if not jnp.issubdtype(x.dtype, jnp.floating):
                raise ContractError(f"{who}: {name} of {role.name!r} has dtype {x.dtype}")


def check_agent(
    make: Callable[[], AbstractAgent],
    spec: Spec,
    obs: Any,
    *,
    move: Callable[[Any], Any] = lambda action: action,
    copies: int = 2,
    ticks: int = 5,
) -> None:
    """Checks shapes, dtypes, purity, batching, keys and traces of a rule for one seat.

    Args:
        spec: what the rule is told before play.
        obs: one observation of the form `spec.obs`.
        move: turns the rule's raw action into the game's, as its group's interface would.
        copies, ticks: size of the batch that `learn` is given.
    """
    agent = make()
    who = _name(agent)

    def live(agent: AbstractAgent, keys: Any) -> Any:
        state = agent.init(keys[0], spec)
        memory = agent.reset(keys[1], state)
        action, after, extras = agent.act(keys[2], state, memory, obs)
        lead = lambda n: lambda x: jnp.broadcast_to(jnp.asarray(x), (copies, n, *jnp.shape(x)))
        batch = Batch(
            jax.tree.map(lead(ticks + 1), obs),
            jax.tree.map(lead(ticks), action),
            jnp.linspace(-1.0, 1.0, copies * ticks).reshape(copies, ticks),
            jnp.ones((copies, ticks)),
            jax.tree.map(lead(ticks), extras),
        )
        learnt, log = agent.learn(keys[3], state, batch, jnp.int32(0))
        return Life(state, memory, action, after, extras, learnt, log)

    args = _arguments(lambda keys: (tuple(keys),), rng.key(1), 4)
    first = _pure(who, make, live, *args.each[0])
    form = first.form
    for name in ("state", "memory", "action", "extras", "log"):
        _arrays_only(f"{who}: the {name}", getattr(form, name))
    _same_form(f"{who}: the memory after `act`", form.memory, form.after)
    _same_form(f"{who}: the state after `learn`", form.state, form.learnt)
    for name, value in form.log.items():
        if value.shape != ():
            raise ContractError(f"{who}: the log's {name!r} has shape {value.shape}; logs are scalars")
    jax.eval_shape(lambda action: conform(move(action), spec.action, who), form.action)
    # Not what `learn` returns: an optimiser's first steps are signs, which rounding may turn.
    alone = _batches(who, first, agent, args, lambda life: life[:5])
    for name, tree in (("action", alone[0].action), ("state after `learn`", alone[0].learnt)):
        for path, leaf in jax.tree.leaves_with_path(tree):
            if jnp.issubdtype(leaf.dtype, jnp.inexact) and np.isnan(leaf).any():
                raise ContractError(f"{who}: the {name}{jax.tree_util.keystr(path)} holds NaN")


class Life(NamedTuple):
    """What a rule returns from its birth to its first update."""

    state: Any
    memory: Any
    action: Any
    after: Any
    extras: Any
    learnt: Any
    log: Any


def check_measure(make: Callable[[], AbstractMeasure], dynamics: AbstractDynamics, steps: int = 4) -> None:
    """Checks that a measure returns what it declares, that its values are defined where it says so, and its purity."""
    measure, key = make(), rng.key(2)
    who = _name(measure)

    def watch(both: Any, key: Any) -> dict[str, Any]:
        measure, dynamics = both
        return advance(dynamics, key, dynamics.init(key), jnp.int32(0), steps * measure.every, (measure,)).series

    first = _pure(who, lambda: (make(), dynamics), watch, key, keys=False)
    declared = {v.name: v for v in measure.variables}
    if set(first.form) != set(declared):
        raise ContractError(f"{who} declares {sorted(declared)} but returns {sorted(first.form)}")
    for name, values in first.form.items():
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
        if not variable.unit or not variable.meaning:
            raise ContractError(f"{who}: {name} needs a unit and a meaning")
    for name, values in _twice(who, first, (measure, dynamics), key).items():
        real = jnp.issubdtype(values.dtype, jnp.inexact)
        if real and not declared[name].may_be_undefined and np.isnan(values).any():
            raise ContractError(f"{who}: {name} holds NaN; declare may_be_undefined=True or define it")


def check_solver(make: Callable[[], AbstractDynamics], tol: float, max_steps: int = 5_000) -> None:
    """Checks form, purity, batching, keys and traces of a dynamics that comes to rest, and that it stays at rest.

    Where `solve` says that the residual is at most `tol`, one more step leaves it there (to twice `tol`).
    """
    dynamics, key = make(), rng.key(3)
    who = _name(dynamics)

    def stepped(dynamics: AbstractDynamics, key: Any) -> Any:
        start = dynamics.init(key)
        after, record = dynamics.step(key, start, jnp.int32(0))
        return start, after, record, dynamics.residual(after)

    args = _arguments(lambda keys: (keys[0],), key, 1)
    first = _pure(who, make, stepped, *args.each[0])
    start, after, record, residual = first.form
    for name, tree in (("state", start), ("state after a step", after), ("record", record)):
        _arrays_only(f"{who}: the {name}", tree)
    _same_form(f"{who}: the state", start, after)
    if residual.shape != ():
        raise ContractError(f"{who}: the residual has shape {residual.shape}; it must be one number of at least 0")
    for *_, residual in _batches(who, first, dynamics, args):
        if not residual >= 0:
            raise ContractError(f"{who}: the residual is {residual}; it must be one number of at least 0")
    rest, still = _rest(dynamics, key, tol, max_steps)
    rest.require()
    if not float(still) <= 2 * tol:
        raise ContractError(f"{who}: at rest to {tol:g}, one more step has residual {float(still):.3g}")


@eqx.filter_jit
def _rest(dynamics: AbstractDynamics, key: Any, tol: float, max_steps: int) -> Any:
    """Where the dynamics comes to rest, and its residual one step later."""
    rest = solve(dynamics, key, tol=tol, max_steps=max_steps)
    return rest, dynamics.residual(dynamics.step(key, rest.value, jnp.int32(max_steps))[0])


def _name(piece: Any) -> str:
    return type(piece).__name__


class _Arguments(NamedTuple):
    """Arguments for three calls."""

    together: tuple
    """Leaves with a leading axis of three."""
    each: list[tuple]
    """The same, one by one."""


def _arguments(given: Callable[[Any], tuple], key: Any, n: int) -> _Arguments:
    """Arguments for three calls, `given` of n keys each; all from one small program."""

    @jax.jit
    def make(key: Any) -> tuple:
        together = jax.vmap(given)(rng.key_from_bits(rng.draws(key, 3 * n)).reshape(3, n))
        return together, [jax.tree.map(lambda x, i=i: x[i], together) for i in range(3)]

    return _Arguments(*make(key))


def _pure(who: str, make: Callable, f: Callable, *args: Any, keys: bool = True) -> Traced:
    """The traced call `f(piece, *args)`, after it was found pure.

    Two traces with the same arguments are the same program, keys are consumed once (if `keys` says that this is to be
    checked), and equal pieces, and such with other numbers in their array leaves, share one trace.
    """
    first = Traced(f, make(), *args)
    try:
        with jax.debug_key_reuse(keys):
            second = Traced(f, make(), *args)
    except jax.errors.KeyReuseError as error:
        raise ContractError(f"{who}: a key is consumed twice; fold or split it first ({error})") from error
    difference = first_difference(first.jaxpr, second.jaxpr)
    if difference is not None:
        raise ContractError(
            f"{who}: traced twice with the same arguments, its programs differ: {difference}; "
            "the piece is not a pure function of its arguments"
        )
    _one_trace(who, make, first, args)
    return first


def _one_trace(who: str, make: Callable, traced: Traced, args: tuple) -> None:
    """Equal pieces, and pieces with other numbers in their array leaves, share one trace."""
    if traced.again(make(), *args):
        raise ContractError(
            f"{who}: two equal pieces are traced twice; name functions at module level and make static fields hashable"
        )
    numbers = [x for x in jax.tree.leaves(make()) if isinstance(x, int | float | complex | np.ndarray | np.generic)]
    if numbers:
        raise ContractError(
            f"{who}: {numbers[0]} is a leaf of type {type(numbers[0]).__name__}: every value would be traced anew; "
            "declare the field with converter=jnp.asarray, or static=True if it is structure"
        )
    if traced.again(jax.tree.map(lambda x: jnp.array(x) if eqx.is_array(x) else x, make()), *args):
        raise ContractError(f"{who}: other values of the array leaves are traced anew")


def _twice(who: str, traced: Traced, piece: Any, *args: Any) -> Any:
    """What the call returns, on the host; called twice it returns the same."""
    first = _on_host(traced.call(piece, *args))
    _equal(f"{who}: called twice with the same arguments", first, _on_host(traced.call(piece, *args)))
    return first


def _batches(who: str, traced: Traced, piece: Any, args: _Arguments, part: Callable = lambda out: out) -> list[Any]:
    """What the calls return one by one; a vmapped call returns the same (to rounding), as far as `part` is compared."""
    alone = [_twice(who, traced, piece, *given) for given in args.each]
    vmapped = eqx.filter_jit(lambda piece, args: jax.vmap(lambda args: part(traced.call(piece, *args)))(args))
    together = _on_host(vmapped(piece, args.together))
    for i, out in enumerate(alone):
        _close(f"{who}: vmapped and one by one", jax.tree.map(lambda x, i=i: x[i], together), part(out))
    return alone


def _arrays_only(what: str, tree: Any) -> None:
    for path, leaf in jax.tree.leaves_with_path(tree):
        where = f"{what}{jax.tree_util.keystr(path)}"
        if not isinstance(leaf, jax.Array | jax.ShapeDtypeStruct):
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


def _check_values(game: AbstractGame, outcome: Outcome) -> None:
    """Checks that rewards and discounts, leaves [ticks, seats], are finite and discounts lie in [0, 1]."""
    for role in game.roles:
        for name, part in (("reward", outcome.reward), ("discount", outcome.discount)):
            if not np.isfinite(part[role.name]).all():
                raise ContractError(f"{_name(game)}: {name} of {role.name!r} is not finite: {part[role.name]}")
        if ((outcome.discount[role.name] < 0) | (outcome.discount[role.name] > 1)).any():
            raise ContractError(f"{_name(game)}: discounts of {role.name!r} leave [0, 1]")


def _on_host(tree: Any) -> Any:
    """NumPy arrays, which are sliced without a program for each shape; keys stay as they are."""
    return jax.tree.map(lambda x: x if _is_key(x) else np.asarray(x), tree)


def _is_key(x: Any) -> bool:
    return isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def _pairs(what: str, a: Any, b: Any) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Each leaf's name and its two values; keys are left out, because they have no order and no distance."""
    if jax.tree.structure(a) != jax.tree.structure(b):
        raise ContractError(f"{what} differ in form")
    return [
        (f"{what}{jax.tree_util.keystr(path)}", np.asarray(x), np.asarray(y))
        for (path, x), y in zip(jax.tree.leaves_with_path(a), jax.tree.leaves(b), strict=True)
        if not _is_key(x)
    ]


def _equal(what: str, a: Any, b: Any) -> None:
    for where, x, y in _pairs(what, a, b):
        if not np.array_equal(x, y, equal_nan=np.issubdtype(x.dtype, np.inexact)):
            raise ContractError(f"{where} differ: {x} and {y}; the piece is not a pure function of its arguments")


def _close(what: str, a: Any, b: Any) -> None:
    for where, x, y in _pairs(what, a, b):
        if not np.allclose(x, y, rtol=2e-4, atol=2e-4, equal_nan=True):
            raise ContractError(f"{where} differ: {x} and {y}; the piece is not a pure function of its arguments")
