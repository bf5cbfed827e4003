"""The protocol of agents: a rule for one seat, with a state between phases and a memory within an episode."""

import abc
from typing import Any, ClassVar, NamedTuple

import jax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from .parameter import Parametrized
from .space import AbstractSpace


class Spec(NamedTuple):
    """What a rule may know before play. All of it is static."""

    obs: PyTree[jax.ShapeDtypeStruct]
    """The shapes and dtypes of one observation."""
    action: AbstractSpace
    """The space of the rule's own actions: that of its seat, or the one its interface takes."""


class Batch(NamedTuple):
    """What `learn` sees: B sequences of T ticks with a frozen state. B counts copies (times seats under `Shared`)."""

    obs: PyTree[Shaped[Array, "B T+1 ..."]]
    """Observations, one more in time than the other fields; the last was seen after the last tick."""
    action: PyTree[Shaped[Array, "B T ..."]]
    """The rule's own actions, before the group's interface turned them into moves."""
    reward: Float[Array, "B T"]
    """Rewards as the group's interface pays them, in the game's units."""
    discount: Float[Array, "B T"]
    """0 where the seat's episode ended with the tick, else 1 (or the game's own discount)."""
    extras: PyTree[Shaped[Array, "B T ..."]]
    """The extras that `act` returned (log-probability, value)."""


class AbstractAgent(Parametrized):
    """A rule for one seat (under `Joint`: for one team, arrays with a leading seat axis).

    `state` is what was learnt; it changes only in `learn`, between phases. `memory` is what the rule remembers within
    an episode; it changes at every tick and is reset with each episode. Both hold arrays only. Hyperparameters are
    array leaves of the rule (declared with `number`), so they may be swept and may differ between seats.
    """

    learns_in_sequence: ClassVar[bool] = False
    """True for rules whose `learn` is a large gradient step: on CPU the seats then learn one after the other, so that
    the matrices of each stay in the cache."""

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> PyTree[Array]:
        """The state before anything was learnt. Consumes the key."""
        return ()

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> PyTree[Array]:
        """The memory at the start of an episode. Consumes the key."""
        return ()

    @abc.abstractmethod
    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: Any, memory: Any, obs: Any
    ) -> tuple[PyTree[Any], PyTree[Array], PyTree[Array]]:
        """One decision: (action, memory, extras). Consumes the key."""

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: Any, batch: Batch, t: Int[Array, ""]
    ) -> tuple[PyTree[Array], dict[str, Array]]:
        """The state after the batch of phase `t`, and a log of scalars. Consumes the key."""
        return state, {}
