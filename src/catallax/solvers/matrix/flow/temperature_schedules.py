"""Temperatures that change with time: exploration policies by which learners select an equilibrium."""

import abc
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from catallax.core import InputError, Parametrized, check_count, numbers
from catallax.core.checks import as_numbers, check_kind, known
from catallax.core.rng import check_key
from catallax.games.matrix import AbstractMatrixGame, per_player


class AbstractTemperatureSchedule(Parametrized):
    """A temperature T(t) >= 0 as a function of time.

    Each parameter is one number, one for each player [n], or one for each player and trajectory [n, B].
    """

    @abc.abstractmethod
    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        """T(t), in units of payoff, in the common shape of the parameters."""

    @property
    @abc.abstractmethod
    def limit(self) -> Float[Array, "..."]:
        """T(t) as t tends to infinity."""

    @property
    def longest_step(self) -> float:
        """The longest time step with which an adaptive integrator resolves the schedule; inf if there is no bound."""
        return np.inf

    def fitted(self, game: AbstractMatrixGame) -> "AbstractTemperatureSchedule":
        """The same schedule with every parameter in the shape [n, 1, 1 or B], to broadcast with scores [n, A, B].

        Raises:
            InputError: a parameter has a wrong shape or is negative.
        """

        def fit(value: Array) -> Array:
            if jnp.issubdtype(value.dtype, jnp.integer):
                value = jnp.broadcast_to(value, (game.players,)) if value.ndim == 0 else value
                wide = value if value.ndim == 2 else value[:, None]
            else:
                wide = per_player(game, type(self).__name__, value, positive=False, batched=True)
                wide = wide if wide.ndim == 2 else wide[:, None]
            return wide[:, None]

        return jax.tree.map(fit, self)


class ConstantTemperature(AbstractTemperatureSchedule):
    """The temperature that does not change: T(t) = value, in units of payoff."""

    value: Float[Array, "..."] = numbers()

    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        return self.value

    @property
    def limit(self) -> Float[Array, "..."]:
        return self.value


class _Timed(AbstractTemperatureSchedule):
    """A schedule that changes during a time of given length."""

    length: eqx.AbstractVar[Float[Array, "..."]]

    def __check_init__(self) -> None:
        """Checks that the length is positive."""
        length = known(self.length)
        if length is not None and not ((length > 0) & np.isfinite(length)).all():
            raise InputError(f"{type(self).__name__}: length must be positive and finite, got {length.tolist()}")

    @property
    def longest_step(self) -> float:
        """A 400th of the shortest length; inf if it is traced."""
        length = known(self.length)
        return np.inf if length is None else float(length.min()) / 400

    def _in_full_shape(self, value: Array) -> Array:
        """The value in the common shape of the parameters."""
        return jnp.broadcast_to(value, jnp.shape(self(jnp.zeros(()))))


class LinearTemperature(_Timed):
    """The line from `first` at time 0 to `last` at time `length`, and `last` ever after.

    Raises:
        InputError: a length is not positive.
    """

    first: Float[Array, "..."] = numbers()
    last: Float[Array, "..."] = numbers()
    length: Float[Array, "..."] = numbers()

    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        return self.last + (self.first - self.last) * jnp.maximum(1 - time / self.length, 0.0)

    @property
    def limit(self) -> Float[Array, "..."]:
        return self._in_full_shape(self.last)


class ExploreThenExploit(_Timed):
    """ETE, which falls from a peak to zero: T(t) = peak max(1 - t / length, 0), or peak exp(-decay t / length).

    Args:
        peak: T(0).
        length: the time until zero in the linear form, the unit of time of the decay in the exponential form.
        decay: c > 0 for the exponential form, which never reaches zero; None for the linear form.

    Raises:
        InputError: a length is not positive.

    Source: Leonardos, Piliouras and Spendlove (2021), section 5; they describe the shape and print no constants.
    """

    peak: Float[Array, "..."] = numbers()
    length: Float[Array, "..."] = numbers()
    decay: Float[Array, "..."] | None = eqx.field(
        default=None, converter=lambda x: None if x is None else as_numbers("ExploreThenExploit", "decay", x)
    )

    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        share = time / self.length
        return self.peak * (jnp.maximum(1 - share, 0.0) if self.decay is None else jnp.exp(-self.decay * share))

    @property
    def limit(self) -> Float[Array, "..."]:
        return self._in_full_shape(jnp.zeros_like(self.peak))


class _Pulse(_Timed):
    """A schedule between `floor` and `peak` until `length`, and `floor` ever after."""

    peak: Float[Array, "..."] = numbers()
    length: Float[Array, "..."] = numbers()
    floor: Float[Array, "..."] = numbers(0.0)

    def __check_init__(self) -> None:
        """Checks that the peak is no lower than the floor."""
        who, peak, floor = type(self).__name__, known(self.peak), known(self.floor)
        if peak is None or floor is None:
            return
        peak, floor = (x[:, None] if x.ndim == 1 else x for x in (peak, floor))  # so that [n] fits [n, B]
        try:
            height = peak - floor
        except ValueError:
            raise InputError(f"{who}: peak and floor are for other numbers of players or trajectories") from None
        if not (height >= 0).all():
            raise InputError(f"{who}: the peak must be no lower than the floor, got {peak} and {floor}")

    @property
    def limit(self) -> Float[Array, "..."]:
        return self._in_full_shape(self.floor)


class OneCycle(_Pulse):
    """CLR-1: linearly from `floor` up to `peak` at length / 2, down to `floor` at `length`, and `floor` ever after.

    Raises:
        InputError: a length is not positive, or a peak is below the floor.

    Source: Smith and Topin (2017), the one-cycle policy; Leonardos, Piliouras and Spendlove (2021), section 5, who
        print no constants.
    """

    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        height = jnp.maximum(1 - jnp.abs(2 * time / self.length - 1), 0.0)
        return self.floor + (self.peak - self.floor) * height


class CosineTemperature(_Pulse):
    """T(t) = floor + (peak - floor) (1 + cos(pi t / length)) / 2 until `length`, and `floor` ever after.

    Raises:
        InputError: a length is not positive, or a peak is below the floor.
    """

    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        share = jnp.minimum(time / self.length, 1.0)
        return self.floor + (self.peak - self.floor) * (1 + jnp.cos(jnp.pi * share)) / 2


class Matched(AbstractTemperatureSchedule):
    """Different schedules for different players (and trajectories): T(t) of a player is that of `schedules[which]`.

    Args:
        which: the number of the schedule, [n] or [n, B].
        schedules: at least one; their parameters may differ between players too.

    Raises:
        InputError: an entry of `which` is the number of no schedule.
    """

    which: Any
    schedules: tuple[AbstractTemperatureSchedule, ...]

    def __init__(self, which: Any, schedules: Sequence[AbstractTemperatureSchedule]):
        self.schedules = _schedules("Matched", schedules)
        self.which = as_numbers("Matched", "which", which, None)
        named = known(self.which)
        whole = jnp.issubdtype(self.which.dtype, jnp.integer)
        if not whole or (named is not None and not ((named >= 0) & (named < len(self.schedules))).all()):
            raise InputError(f"Matched: which must hold whole numbers from 0 to {len(self.schedules) - 1}")

    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        """T(t) of each player's own schedule."""
        return self._chosen([s(time) for s in self.schedules])

    @property
    def limit(self) -> Float[Array, "..."]:
        """The limit of each player's own schedule."""
        return self._chosen([s.limit for s in self.schedules])

    @property
    def longest_step(self) -> float:
        return min(s.longest_step for s in self.schedules)

    def _chosen(self, values: list[Array]) -> Array:
        """The entries of `values` that `which` names."""
        chosen = values[0]
        for i, value in enumerate(values[1:], 1):
            chosen = jnp.where(self.which == i, value, chosen)
        return jnp.broadcast_to(chosen, jnp.broadcast_shapes(chosen.shape, self.which.shape))


def _schedules(who: str, given: Any) -> tuple[AbstractTemperatureSchedule, ...]:
    """The checked schedules, at least one, as a tuple."""
    if not isinstance(given, Sequence) or not given:
        raise InputError(f"{who}: schedules must be a list of one or more, got {str(given)[:80]!r}")
    for schedule in given:
        check_kind(who, "each of the schedules", schedule, AbstractTemperatureSchedule)
    return tuple(given)


def matched_at_random(
    key: Shaped[PRNGKeyArray, ""], players: int, trajectories: int, schedules: Sequence[AbstractTemperatureSchedule]
) -> Matched:
    """Every player of every trajectory draws one of the schedules, with equal probability; a call consumes the key.

    Raises:
        InputError: `key` is no key, a count is below 1, or there is no schedule.
    """
    check_key("matched_at_random", key)
    check_count("matched_at_random", "players", players)
    check_count("matched_at_random", "trajectories", trajectories)
    schedules = _schedules("matched_at_random", schedules)
    return Matched(jax.random.randint(key, (players, trajectories), 0, len(schedules)), schedules)
