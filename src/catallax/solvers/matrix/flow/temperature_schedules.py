"""Exploration policies: temperatures that change with time, for flows that select an equilibrium."""

import abc
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from catallax.core import InputError, check_count
from catallax.core.checks import as_numbers, check_kind, known
from catallax.core.rng import check_key
from catallax.games.matrix import AbstractMatrixGame, per_player

Number = Any
"""One number for all, one for each player [n], or for each player and trajectory [n, B]."""


class AbstractTemperatureSchedule(eqx.Module):
    """A temperature T(t) >= 0 as a function of time; every parameter may differ between players and trajectories."""

    @abc.abstractmethod
    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        """T(t), in units of payoff; in the common shape of the parameters."""

    @property
    @abc.abstractmethod
    def limit(self) -> Float[Array, "..."]:
        """T(t) for t to infinity."""

    @property
    def finest(self) -> float:
        """The longest step of time that an adaptive integrator may make, so that it sees the peak; inf for any."""
        return np.inf

    def fitted(self, game: AbstractMatrixGame) -> "AbstractTemperatureSchedule":
        """The same schedule with every parameter as [n, 1, #B], to go with scores [n, A, B].

        Raises:
            InputError: a parameter of a wrong shape, or negative.
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


_number = lambda x: as_numbers("schedule", "a temperature, a length or a decay", x)


def _numbers(*values: Any) -> tuple[Float[Array, "..."], ...]:
    return tuple(map(_number, values))


def _step(length: Array) -> float:
    shortest = known(length)
    return np.inf if shortest is None else float(shortest.min()) / 400


def _positive(who: str, length: Array) -> None:
    value = known(length)
    if value is not None and not ((value > 0) & np.isfinite(value)).all():
        raise InputError(f"{who}: length must be positive and finite, got {value.tolist()}")


class ConstantTemperature(AbstractTemperatureSchedule):
    """T(t) = value."""

    value: Float[Array, "..."]

    def __init__(self, value: Number):
        (self.value,) = _numbers(value)

    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        """As above."""
        return self.value

    @property
    def limit(self) -> Float[Array, "..."]:
        """The value."""
        return self.value


class LinearTemperature(AbstractTemperatureSchedule):
    """From `first` at time 0 to `last` at `length`, and `last` ever after.

    Raises:
        InputError: a length that is not positive.
    """

    first: Float[Array, "..."]
    last: Float[Array, "..."]
    length: Float[Array, "..."]

    def __init__(self, first: Number, last: Number, length: Number):
        self.first, self.last, self.length = _numbers(first, last, length)
        _positive("Linear", self.length)

    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        """As above."""
        return self.last + (self.first - self.last) * jnp.maximum(1 - time / self.length, 0.0)

    @property
    def limit(self) -> Float[Array, "..."]:
        """`last`."""
        return jnp.broadcast_to(self.last, jnp.shape(self(jnp.zeros(()))))

    @property
    def finest(self) -> float:
        """A 400th of the length."""
        return _step(self.length)


class ExploreThenExploit(AbstractTemperatureSchedule):
    """ETE: high at first, then down to zero: T(t) = peak max(1 - t / length, 0), or peak exp(-decay t / length).

    Args:
        decay: c > 0 for the exponential form, which never ends; None for the linear one.

    Raises:
        InputError: a length that is not positive.

    Source: Leonardos, Piliouras and Spendlove (2021), section 5; they describe the shape and print no constants.
    """

    peak: Float[Array, "..."]
    length: Float[Array, "..."]
    decay: Float[Array, "..."] | None

    def __init__(self, peak: Number, length: Number, decay: Number | None = None):
        self.peak, self.length = _numbers(peak, length)
        self.decay = None if decay is None else _numbers(decay)[0]
        _positive("ExploreThenExploit", self.length)

    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        """As above."""
        share = time / self.length
        return self.peak * (jnp.maximum(1 - share, 0.0) if self.decay is None else jnp.exp(-self.decay * share))

    @property
    def limit(self) -> Float[Array, "..."]:
        """Zero."""
        return jnp.zeros_like(self(jnp.zeros(())))

    @property
    def finest(self) -> float:
        """A 400th of the length."""
        return _step(self.length)


class _Pulse(AbstractTemperatureSchedule):
    """Between `floor` and `peak` until `length`, `floor` ever after."""

    peak: Float[Array, "..."] = eqx.field(converter=_number)
    length: Float[Array, "..."] = eqx.field(converter=_number)
    floor: Float[Array, "..."] = eqx.field(converter=_number, default=0.0)

    def __check_init__(self) -> None:
        """A length of time, and a peak that is no lower than the floor."""
        who, peak, floor = type(self).__name__, known(self.peak), known(self.floor)
        _positive(who, self.length)
        if peak is None or floor is None:
            return
        peak, floor = (x[:, None] if x.ndim == 1 else x for x in (peak, floor))  # [n] beside [n, B]
        try:
            height = peak - floor
        except ValueError:
            raise InputError(f"{who}: peak and floor are for other numbers of players or trajectories") from None
        if not (height >= 0).all():
            raise InputError(f"{who}: the peak must be no lower than the floor, got {peak} and {floor}")

    @property
    def limit(self) -> Float[Array, "..."]:
        """The floor."""
        return jnp.broadcast_to(self.floor, jnp.shape(self(jnp.zeros(()))))

    @property
    def finest(self) -> float:
        """A 400th of the length."""
        return _step(self.length)


class OneCycle(_Pulse):
    """CLR-1: linearly from `floor` up to `peak` at half of `length`, down to `floor` at `length`, `floor` ever after.

    Raises:
        InputError: a length that is not positive, a peak below the floor.

    Source: Smith and Topin (2017), the one-cycle policy; Leonardos, Piliouras and Spendlove (2021), section 5, who
        print no constants.
    """

    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        """As above."""
        height = jnp.maximum(1 - jnp.abs(2 * time / self.length - 1), 0.0)
        return self.floor + (self.peak - self.floor) * height


class CosineTemperature(_Pulse):
    """T(t) = floor + (peak - floor) (1 + cos(pi t / length)) / 2 up to `length`, `floor` ever after.

    Raises:
        InputError: a length that is not positive, a peak below the floor.
    """

    def __call__(self, time: Float[Array, ""]) -> Float[Array, "..."]:
        """As above."""
        share = jnp.minimum(time / self.length, 1.0)
        return self.floor + (self.peak - self.floor) * (1 + jnp.cos(jnp.pi * share)) / 2


class Matched(AbstractTemperatureSchedule):
    """Another schedule for each player (and trajectory): `schedules[which]`.

    Args:
        which: number of the schedule, [n] or [n, B].
        schedules: at least one; their parameters may differ between players too.

    Raises:
        InputError: a number that names no schedule.
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
        """Each player's own."""
        return self._pick([s(time) for s in self.schedules])

    @property
    def limit(self) -> Float[Array, "..."]:
        """Each player's own."""
        return self._pick([s.limit for s in self.schedules])

    @property
    def finest(self) -> float:
        """The least of all."""
        return min(s.finest for s in self.schedules)

    def _pick(self, values: list[Array]) -> Array:
        chosen = values[0]
        for i, value in enumerate(values[1:], 1):
            chosen = jnp.where(self.which == i, value, chosen)
        return jnp.broadcast_to(chosen, jnp.broadcast_shapes(chosen.shape, self.which.shape))


def _schedules(who: str, given: Any) -> tuple[AbstractTemperatureSchedule, ...]:
    """Schedules in a tuple, at least one."""
    if not isinstance(given, Sequence) or not given:
        raise InputError(f"{who}: schedules must be a list of one or more, got {str(given)[:80]!r}")
    for schedule in given:
        check_kind(who, "each of the schedules", schedule, AbstractTemperatureSchedule)
    return tuple(given)


def matched_at_random(
    key: Shaped[PRNGKeyArray, ""], players: int, trajectories: int, schedules: Sequence[AbstractTemperatureSchedule]
) -> Matched:
    """Every player of every trajectory draws one of the schedules, with equal probability.

    Raises:
        InputError: something that is no key, no count of at least 1 or no list of schedules.
    """
    check_key("matched_at_random", key)
    check_count("matched_at_random", "players", players)
    check_count("matched_at_random", "trajectories", trajectories)
    schedules = _schedules("matched_at_random", schedules)
    return Matched(jax.random.randint(key, (players, trajectories), 0, len(schedules)), schedules)
