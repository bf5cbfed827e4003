"""A fourth lift, for tournaments: another rule in every seat and copy, each evaluated only where it sits."""

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

    One program plays many line-ups side by side. Every rule decides for its own places only, all of them as one flat
    batch, so the cost is the mean of the rules' costs and not their sum. A rule sees and draws there exactly what it
    would if it were alone in the group: with the same bits it gives the same action.

    Args:
        rules: the rules, told apart by their numbers 0, 1, ...; all speak the same form of action.
        seating: integers, numbers of rules, [seats of the group, copies of the world].

    Raises:
        BuildError: no rule, a seating that is no table of their numbers, a rule that keeps a state, copies or seats
            that do not fit the play.
    """

    rules: tuple[AbstractAgent, ...]
    places: tuple[tuple[int, ...], ...] = eqx.field(static=True)
    """For each rule where it sits, as positions in the flat [seats * copies]."""
    shape: tuple[int, int] = eqx.field(static=True)

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
        """The first rule."""
        return self.rules[0]

    @property
    def name(self) -> str:
        return "Lineup " + ", ".join(dict.fromkeys(type(rule).__name__ for rule in self.rules))

    def seats(self) -> int | None:
        """As many as the seating has rows."""
        return self.shape[0]

    def init(self, bits: rng.Bits, spec: Spec) -> PyTree[Array]:
        """No state; every rule is asked whether it fits."""
        for rule in self.rules:
            state = rule.init(rng.key_from_bits(jax.tree.map(lambda w: w[0], bits)), spec)
            if jax.tree.leaves(state):
                raise BuildError(f"Lineup: {type(rule).__name__} keeps a state; only rules that learn nothing fit")
        return ()

    def reset(self, bits: rng.Bits, state: Any) -> PyTree[Array]:
        """For each rule its memories, [places, ...]."""
        memories = []
        for rule, places in self._sitting():
            reset = lambda rule, w: rule.reset(rng.key_from_bits(w), ())
            memories.append(() if _forgets(rule) else _lifted(reset, rule, self._at(places, bits)))
        return tuple(memories)

    def act(
        self, bits: rng.Bits, state: Any, memory: Any, obs: Any
    ) -> tuple[PyTree[Any], PyTree[Array], PyTree[Array]]:
        """Actions `[n, E, ...]`, memories as `reset` gives them, no extras."""
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
        """The rules that sit anywhere, and where."""
        pairs = zip(self.rules, self.places, strict=True)
        return [(rule, np.asarray(places)) for rule, places in pairs if places]

    def _at(self, places: np.ndarray, tree: Any) -> Any:
        """Rows of arrays `[n, E, ...]` at flat positions."""

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
    """Action and memory of one place."""
    action, memory, _ = rule.act(rng.key_from_bits(bits), (), memory, obs)
    return action, memory


def _lifted(f: Callable, rule: AbstractAgent, *args: Any) -> Any:
    """`f(rule, ...)` for a flat batch of places; the rule's arrays stay arguments."""
    params, static = eqx.partition(rule, eqx.is_array)
    one = lambda params, *rest: f(eqx.combine(params, static), *rest)
    return flat_vmap(one, (False, *(True for _ in args)))(params, *args)
