"""Q-learning dynamics of games in matrix form: the continuous flow in log form, and the discrete rule."""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, InputError, check_count, check_number
from catallax.core.checks import as_numbers, known
from catallax.games.matrix import AbstractMatrixGame, per_player
from catallax.solvers.matrix.logit.choice import centred, logit_gap, masked, random_scores, residual, scores_of, softmax

from .integrate import AbstractIntegrator, Adaptive, Field
from .temperature_schedules import AbstractTemperatureSchedule, ConstantTemperature


class QLearningFlow(AbstractDynamics):
    """The continuous-time limit of smooth Q-learning, for many trajectories at once.

    With rewards r_k(x) = sum_l A_kl x_l and exploration rates (temperatures) T_k >= 0, player k's policy obeys

        dx_ki/dt = x_ki ( r_ki(x) - <x_k, r_k(x)> - T_k [ ln x_ki - sum_j x_kj ln x_kj ] ).

    It is integrated in log form: x_k = softmax(z_k), dz_k/dt = r_k(x) - T_k z_k, and z is centred after each step. In
    this form tiny probabilities such as 1e-200 are exact, and so is T = 0, where the flow is the replicator dynamics.
    Interior rest points with all T_k > 0 are exactly the logit equilibria.

    Args:
        game: any game in matrix form.
        temperature: T: one number, one for each player [n], or one for each player and trajectory [n, B]; or an
            `AbstractTemperatureSchedule` T(t), which takes the place of T in the equation. Time 0 is step 0.
        start: interior policies at time 0, [n, A] or [n, A, B] (if all players have two actions, P(first action), [n]);
            None draws `trajectories` policies uniformly from the simplices, from the run's key.
        interval: the time between two steps of the dynamics, at which measures are evaluated.
        integrator: `Adaptive(...)` (default) or `RungeKutta(substeps)` for ensembles.
        trajectories: B; it is taken from `start` or `temperature` if they have that axis.
        time: "payoff" for the equation above. "temperature" divides the equation of player k by T_k:
            dz_k/dt = r_k(x) / T_k - z_k, the limit of frequency-adjusted Q-learning at rate 1. With unequal T_k this is
            another flow with the same rest points.

    The state is z, [n, A, B]. The residual is max |T z - r|, centred, in units of payoff, at the limit of T(t).

    Raises:
        InputError: a temperature is below 0 (or is 0 with `time="temperature"`), the start is no interior point, the
            numbers of trajectories do not agree, or the interval is not positive.

    Source: Leonardos, Piliouras and Spendlove (2021), equation 7; for the other clock Tuyls, Verbeeck and Lenaerts
        (2003), Kaisers and Tuyls (2010).
    """

    game: AbstractMatrixGame
    temperature: AbstractTemperatureSchedule
    """All its parameters have the shape [n, 1, 1 or B]."""
    start: Float[Array, "n A B"] | None
    interval: Float[Array, ""]
    integrator: AbstractIntegrator
    trajectories: int = eqx.field(static=True)
    time: Literal["payoff", "temperature"] = eqx.field(static=True)

    def __init__(
        self,
        game: AbstractMatrixGame,
        temperature: Any,
        start: Any = None,
        *,
        interval: Any = 1.0,
        integrator: AbstractIntegrator | None = None,
        trajectories: int | None = None,
        time: Literal["payoff", "temperature"] = "payoff",
    ):
        if time not in ("payoff", "temperature"):
            raise InputError(f"QLearningFlow: time is 'payoff' or 'temperature', got {time!r}")
        self.temperature = _schedule(game, temperature, time)
        if trajectories is not None:
            check_count("QLearningFlow", "trajectories", trajectories)
        if not isinstance(integrator, AbstractIntegrator | None):
            raise InputError(f"QLearningFlow: integrator is Adaptive(...) or RungeKutta(...), got {integrator!r}")
        scores = None if start is None else scores_of(game, start)
        sizes = {leaf.shape[2] for leaf in jax.tree.leaves(self.temperature)}
        sizes |= {scores.shape[2]} if scores is not None and scores.ndim == 3 else set()
        sizes |= set() if trajectories is None else {trajectories}
        sizes = (sizes - {1}) or {1}
        if len(sizes) > 1 or min(sizes) < 1:
            raise InputError(f"QLearningFlow: start, temperature and trajectories disagree on B: {sorted(sizes)}")
        self.game, self.time, self.trajectories = game, time, sizes.pop()
        shape = (game.players, game.width, self.trajectories)
        if scores is None:
            self.start = None
        else:
            self.start = jnp.broadcast_to(scores if scores.ndim == 3 else scores[:, :, None], shape)
        self.interval = as_numbers("QLearningFlow", "interval", interval, game.payoff.dtype)
        check_number("QLearningFlow", "interval", self.interval, "(0, inf)")
        self.integrator = Adaptive() if integrator is None else integrator

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Float[Array, "n A B"]:
        """The scores of `start`, or of policies drawn uniformly."""
        return random_scores(self.game, key, self.trajectories) if self.start is None else self.start

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: Float[Array, "n A B"], t: Int[Array, ""]
    ) -> tuple[Float[Array, "n A B"], Float[Array, "n A B"]]:
        """The scores one interval later; the record is the same."""
        begin = self.interval * t.astype(self.interval.dtype)
        longest_step = self.temperature.longest_step
        after = self.integrator(self.field(), self.temperature, state, self.interval, begin, longest_step)
        after = centred(self.game, after)
        return after, after

    def field(self) -> Field:
        """dz/dt as a function of (t, the schedule with parameters [n, 1, B or 1], z [n, A, B])."""
        game = self.game
        if self.time == "payoff":
            return lambda t, rate, z: masked(game, game.rewards(softmax(game, z)) - rate(t) * z, 0.0)
        return lambda t, rate, z: masked(game, game.rewards(softmax(game, z)) / rate(t) - z, 0.0)

    def policy(self, state: Float[Array, "n A B"]) -> Float[Array, "n A B"]:
        """The policy x = softmax(z) of the scores z."""
        return softmax(self.game, state)

    def residual(self, state: Float[Array, "n A B"]) -> Float[Array, ""]:
        """max |T z - r(x)|, centred, over players, actions and trajectories, T at its limit."""
        return residual(self.game, self.temperature.limit[:, 0], state)


def _schedule(game: AbstractMatrixGame, temperature: Any, time: str) -> AbstractTemperatureSchedule:
    """The temperature as a schedule that is fitted to the game."""
    if isinstance(temperature, AbstractTemperatureSchedule):
        fitted = temperature.fitted(game)
        for when, rate in (("begins", fitted(jnp.zeros(()))), ("ends", fitted.limit)):
            least = known(rate)
            if time == "temperature" and least is not None and (least <= 0).any():
                raise InputError(
                    f"QLearningFlow: time='temperature' divides by T(t), which {when} at 0; use time='payoff'"
                )
        return fitted
    rates = per_player(game, "temperature", temperature, positive=time == "temperature", batched=True)
    return ConstantTemperature(rates).fitted(game)


class SmoothQLearning(AbstractDynamics):
    """Discrete-time smooth Q-learning with full feedback: every action is updated with its expected reward.

    Q_ki(n+1) = (1 - alpha_k) Q_ki(n) + alpha_k r_ki(x(n)), x_k = softmax(Q_k / T_k). In strategies,
    x_ki(n+1) is proportional to x_ki(n)^(1 - alpha_k) exp(alpha_k r_ki(x(n)) / T_k). Its rest points are the logit
    equilibria at any rate, so with a small rate it is also a damped fixed-point iteration for them. Rates of about
    T / max |A| are safe; with larger rates it may cycle for ever.

    Args:
        game: any game in matrix form.
        temperature: T > 0: one number or [n].
        start: interior policy [n, A]; None for uniform play.
        rate: alpha in (0, 1]: one number or [n].

    The state is z = Q / T, centred, [n, A, 1]; the residual is max |T z - r|, centred, in units of payoff.

    Raises:
        InputError: a rate is outside (0, 1], a temperature is not positive, or the start is no interior point.

    Source: Leonardos, Piliouras and Spendlove (2021), equations 5 and 6.
    """

    game: AbstractMatrixGame
    temperature: Float[Array, "n 1"]
    rate: Float[Array, "n 1"]
    start: Float[Array, "n A 1"]

    def __init__(self, game: AbstractMatrixGame, temperature: Any, start: Any = None, *, rate: Any = 0.1):
        self.game = game
        self.temperature = per_player(game, "temperature", temperature, positive=True).reshape(-1, 1)
        self.rate = per_player(game, "rate", rate, positive=True).reshape(-1, 1)
        check_number("SmoothQLearning", "the largest rate", self.rate.max(), "(0, 1]")
        uniform = jnp.zeros((game.players, game.width, 1), game.payoff.dtype)
        self.start = uniform if start is None else scores_of(game, start)[:, :, None]

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Float[Array, "n A 1"]:
        return self.start

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: Float[Array, "n A 1"], t: Int[Array, ""]
    ) -> tuple[Float[Array, "n A 1"], Float[Array, "n A 1"]]:
        """One update of all players: z - (alpha / T) (T z - r)."""
        speed = (self.rate / self.temperature)[:, None]
        after = state - speed * logit_gap(self.game, self.temperature, state)
        return after, after

    def policy(self, state: Float[Array, "n A 1"]) -> Float[Array, "n A 1"]:
        """The policy x = softmax(z) of the scores z."""
        return softmax(self.game, state)

    def residual(self, state: Float[Array, "n A 1"]) -> Float[Array, ""]:
        """max |T z - r(x)|, centred."""
        return residual(self.game, self.temperature, state)
