"""A fourth lift, for tournaments: each seat of each copy has a rule of its own, and a rule is evaluated only there."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PyTree

from . import rng
from .agent import AbstractAgent, Batch, Spec
from .control import AbstractControl, _forgets, flat_vmap
from .errors import BuildError


class Lineup(AbstractControl):
    """Several rules that learn nothing share a group: rule number `seating[i, e]` sits in seat i of copy e.

    One program plays many line-ups side by side. A place is one seat in one copy. Each rule decides for all its places
    as one flat batch and for no others, so the cost is the mean of the rules' costs and not their sum. At its places a
    rule sees and draws what it would see and draw if it drove the whole group, and gives the same actions.

    Args:
        rules: the rules, numbered 0, 1, ...; the actions of all have one form.
        seating: numbers of rules, integers [seats of the group, copies of the world].

    Raises:
        BuildError: there is no rule, `seating` is no table of rule numbers, a rule keeps a state, or the play has other
            numbers of seats or copies than `seating`.
    """

    rules: tuple[AbstractAgent, ...]
    places: tuple[tuple[int, ...], ...] = eqx.field(static=True)
    """The places of each rule, as positions in the flat axis [seats * copies]."""
    shape: tuple[int, int] = eqx.field(static=True)
    """The numbers of seats and of copies."""

    def __init__(self, rules: Sequence[AbstractAgent], seating: Any) -> None:
        self.rules = tuple(rules)
        if not self.rules or not all(isinstance(rule, AbstractAgent) for rule in self.rules):
            raise BuildError(f"Lineup needs at least one rule, and nothing else, such as ZIC(); got {rules!r}")
        try:
            table = np.asarray(seating)
        except ValueError:  # rows of different lengths
            table = np.empty((0, 0))
        if table.ndim != 2 or table.size == 0 or not np.issubdtype(table.dtype, np.integer):
            raise BuildError(f"Lineup: seating must be a table of integers [seats, copies], got shape {table.shape}")
        if table.min() < 0 or table.max() >= len(self.rules):
            raise BuildError(
                f"Lineup: seating names the rules {table.min()}..{table.max()}; there are 0..{len(self.rules) - 1}"
            )
        flat = table.ravel()
        self.places = tuple(tuple(np.flatnonzero(flat == k).tolist()) for k in range(len(self.rules)))
        self.shape = (table.shape[0], table.shape[1])

    @property
    def agent(self) -> AbstractAgent:  # type: ignore[override]
        """The first rule; a control must name one, and messages use `name`."""
        return self.rules[0]

    @property
    def name(self) -> str:
        return "Lineup " + ", ".join(dict.fromkeys(type(rule).__name__ for rule in self.rules))

    def seats(self) -> int | None:
        """The number of seats in the seating."""
        return self.shape[0]

    def init(self, bits: rng.Bits, spec: Spec) -> PyTree[Array]:
        """The empty state, after the `init` of every rule has accepted `spec`.

        Raises:
            BuildError: a rule keeps a state.
        """
        for rule in self.rules:
            state = rule.init(rng.key_from_bits(jax.tree.map(lambda w: w[0], bits)), spec)
            if jax.tree.leaves(state):
                raise BuildError(f"Lineup: {type(rule).__name__} keeps a state; only rules that learn nothing fit")
        return ()

    def reset(self, bits: rng.Bits, state: Any) -> PyTree[Array]:
        """The memories of each rule that has places, leaves [places, ...]."""
        memories = []
        for rule, places in self._sitting():
            reset = lambda rule, w: rule.reset(rng.key_from_bits(w), ())
            memories.append(() if _forgets(rule) else _lifted(reset, rule, self._at(places, bits)))
        return tuple(memories)

    def act(
        self, bits: rng.Bits, state: Any, memory: Any, obs: Any
    ) -> tuple[PyTree[Any], PyTree[Array], PyTree[Array]]:
        """Actions [n, E, ...], memories of the form that `reset` gives, and no extras."""
        said, kept = [], []
        for (rule, places), mind in zip(self._sitting(), memory, strict=True):
            action, mind = _lifted(_decide, rule, self._at(places, bits), mind, self._at(places, obs))
            said.append(action)
            kept.append(mind)
        order = np.argsort(np.concatenate([places for _, places in self._sitting()]))
        together = lambda *x: jnp.concatenate(x)[order].reshape(*self.shape, *x[0].shape[1:])
        return jax.tree.map(together, *said), tuple(kept), ()

    def learn(self, bits: rng.Bits, state: Any, batch: Batch, t: Int[Array, ""]) -> Any:
        return state, {}

    def _sitting(self) -> list[tuple[AbstractAgent, np.ndarray]]:
        """The rules that have places, each with its places."""
        pairs = zip(self.rules, self.places, strict=True)
        return [(rule, np.asarray(places)) for rule, places in pairs if places]

    def _at(self, places: np.ndarray, tree: Any) -> Any:
        """The rows of arrays [n, E, ...] at these places."""

        def take(x: Array) -> Array:
            if x.shape[:2] != self.shape:
                raise BuildError(
                    f"Lineup: the seating is for {self.shape[0]} seats in {self.shape[1]} copies of the world; the "
                    f"play has {x.shape[0]} and {x.shape[1]}"
                )
            flat = x.reshape(-1, *x.shape[2:])
            return flat if len(places) == len(flat) else flat[places]

        return jax.tree.map(take, tree)


def _decide(rule: AbstractAgent, bits: rng.Bits, memory: Any, obs: Any) -> tuple[Any, Any]:
    """The action and the memory of one place."""
    action, memory, _ = rule.act(rng.key_from_bits(bits), (), memory, obs)
    return action, memory


def _lifted(f: Callable, rule: AbstractAgent, *args: Any) -> Any:
    """`f(rule, ...)` for a flat batch of places; the rule's arrays stay arguments of the program."""
    params, static = eqx.partition(rule, eqx.is_array)
    one = lambda params, *rest: f(eqx.combine(params, static), *rest)
    return flat_vmap(one, (False, *(True for _ in args)))(params, *args)
