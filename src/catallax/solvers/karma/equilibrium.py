"""Stationary equilibria of karma games by perturbed best response: a policy and the law of players, moved together."""

from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, InputError, check_number
from catallax.games.karma import PairwiseKarma

from .kernel import Kernel, karma_kernel, outcomes


class FieldState(NamedTuple):
    """U urgency levels, K = cap + 1."""

    occupancy: Float[Array, "U K"]
    """mu(u, k), the law of a player's situation."""
    policy: Float[Array, "U K K"]
    """pi(b | u, k) without exploration."""
    gap: Float[Array, ""]
    """Residual at the state before the last step; +inf at the start."""


class FieldRecord(NamedTuple):
    """What the players live through at the state before the step."""

    efficiency: Float[Array, ""]
    """Mean reward a player and step."""
    karma: Float[Array, " K"]
    """Law of karma."""
    bid: Float[Array, "U K"]
    """Mean bid by situation."""
    pool: Float[Array, ""]
    """Karma redistributed, a player and step."""


def _real(x: object) -> Array:
    return jnp.asarray(x, float)


class KarmaEquilibrium(AbstractDynamics):
    """Fixed point (mu, pi): pi responds smoothly to the world that (mu, pi) makes, and mu is stationary in it.

    A step, from (mu, pi): the kernel of the executed policy pi_eps = (1 - eps) pi + eps uniform; its values
    V = (I - gamma P)^-1 R; Q(u, k, b) = -u P(lose | b) + gamma E[V]; the response softmax over b <= k of beta Q; then
    pi moves by `rate` towards the response and mu by 4 `rate` towards mu P.

    regulariser "logit": Q is the value of karma alone. "entropy": the entropy of pi_eps over beta is a reward in every
    step. They differ: at beta = 5 in the standard game the efficiencies are -1.137 and -1.089.

    With beta of 1000 the equilibrium mixes neighbouring bids and the residual does not vanish at any fixed rate: let
    `rate` fall to `last_rate` over `steps` steps and look at `exploitability`. For beta up to 20, rate 0.1 converges.

    Args:
        game: rules and karma; its number of players plays no role.
        gamma: discount in [0, 1). beta: inverse temperature, > 0. epsilon: exploration in [0, 1).
        rate: step size. last_rate: where it ends, None for the same. steps: over how many steps it falls.

    Raises:
        InputError: double precision is off or the game was built before it was on; gamma, beta, epsilon or the rates
            out of range; a game with excess="kept", whose kernel needs the joint law of opponents.

    Source: Elokda et al. (2023), evolutionary dynamics; Vaishampayan (2024), chapter 4.
    """

    game: PairwiseKarma
    gamma: Float[Array, ""] = eqx.field(converter=_real, default=0.98)
    beta: Float[Array, ""] = eqx.field(converter=_real, default=5.0)
    epsilon: Float[Array, ""] = eqx.field(converter=_real, default=0.0)
    rate: float = eqx.field(static=True, default=0.1)
    last_rate: float | None = eqx.field(static=True, default=None)
    steps: int = eqx.field(static=True, default=3000)
    regulariser: Literal["logit", "entropy"] = eqx.field(static=True, default="logit")

    def __check_init__(self) -> None:
        levels = self.game.urgency.levels
        if not jax.config.read("jax_enable_x64") or levels.dtype != jnp.float64:
            raise InputError(
                "KarmaEquilibrium: needs double precision; set JAX_ENABLE_X64=1 or enter jax.enable_x64(True) before "
                "the game is built"
            )
        if self.game.excess != "shared":
            raise InputError("KarmaEquilibrium: needs a game with excess='shared'")
        for name, interval in (("gamma", "[0, 1)"), ("epsilon", "[0, 1)"), ("beta", "(0, inf)")):
            check_number("KarmaEquilibrium", name, getattr(self, name), interval)
        for name, rate in (("rate", self.rate), ("last_rate", self.last_rate)):
            if rate is not None:
                check_number("KarmaEquilibrium", name, rate, "(0, 0.25]")

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> FieldState:
        """Everyone holds the mean karma; bids are half of it at the highest urgency and in proportion below."""
        K, urgency = self.game.cap + 1, self.game.urgency
        mean = jnp.asarray(self.game.mean_karma, float)
        law = jnp.clip(1 - jnp.abs(jnp.arange(K) - mean), 0, 1)
        top = jnp.maximum(urgency.levels.max(), 1e-300)
        bid = jnp.round(0.5 * (urgency.levels / top)[:, None] * jnp.arange(K)).astype(jnp.int32)
        policy = (bid[..., None] == jnp.arange(K)).astype(law.dtype)
        return FieldState(urgency.stationary()[:, None] * law, policy, jnp.asarray(jnp.inf))

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: FieldState, t: Int[Array, ""]
    ) -> tuple[FieldState, FieldRecord]:
        """One move of policy and law."""
        occupancy, policy, _ = state
        played = self.executed(policy)
        kernel = self.kernel(state)
        reward, transition, law = self._chain(kernel, played, occupancy)
        action_values = self._action_values(kernel, self._values(reward, transition, played))
        response = self._softmax(action_values)
        gap = jnp.maximum(jnp.abs(response - policy).max(), jnp.abs(law - occupancy).max())
        last = self.rate if self.last_rate is None else self.last_rate
        rate = self.rate + (last - self.rate) * jnp.minimum(jnp.asarray(t, float) / self.steps, 1.0)
        moved = occupancy + 4 * rate * (law - occupancy)
        after = FieldState(moved / moved.sum(), policy + rate * (response - policy), gap)
        bids = played @ jnp.arange(self.game.cap + 1, dtype=played.dtype)
        return after, FieldRecord((occupancy * reward).sum(), occupancy.sum(axis=0), bids, kernel.pool)

    def residual(self, state: FieldState) -> Float[Array, ""]:
        """Largest of |response - policy| and |mu P - mu| over all entries, one step ago."""
        return state.gap

    def executed(self, policy: Float[Array, "U K K"]) -> Float[Array, "U K K"]:
        """The policy with its exploration."""
        open = self._open()
        return (1 - self.epsilon) * policy + self.epsilon * open / open.sum(axis=-1, keepdims=True)

    def kernel(self, state: FieldState) -> Kernel:
        """The environment that the state makes."""
        game = self.game
        return karma_kernel(outcomes(game.payment, game.cap), state.occupancy, self.executed(state.policy))

    def efficiency(self, state: FieldState) -> Float[Array, ""]:
        """Mean reward a player and step, of the executed policy."""
        played = self.executed(state.policy)
        reward, _, _ = self._chain(self.kernel(state), played, state.occupancy)
        return (state.occupancy * reward).sum()

    def exploitability(self, state: FieldState, rounds: int = 30) -> Float[Array, ""]:
        """What one player gains by best response, over |payoff|, both discounted and averaged over the law of players.

        The best response is found by policy iteration (`rounds` of them, each an exact solve), without exploration or
        entropy. With exploration the played policy itself costs something.
        """
        played, kernel = self.executed(state.policy), self.kernel(state)
        value = lambda policy: jnp.linalg.solve(*self._system(*self._chain(kernel, policy, state.occupancy)[:2]))
        shaped = lambda v: v.reshape(state.occupancy.shape)

        def improve(_: Any, v: Array) -> Array:
            q = jnp.where(self._open(), self._action_values(kernel, shaped(v)), -jnp.inf)
            best = (q.argmax(axis=-1)[..., None] == jnp.arange(self.game.cap + 1)).astype(q.dtype)
            return jnp.maximum(value(best), v)

        now = value(played)
        best = jax.lax.fori_loop(0, rounds, improve, now)
        weight = state.occupancy.reshape(-1)
        return weight @ (best - now) / jnp.abs(weight @ now)

    def _open(self) -> Array:
        grid = jnp.arange(self.game.cap + 1)
        return jnp.broadcast_to(grid <= grid[:, None], (self.game.urgency.size, grid.size, grid.size))

    def _chain(self, kernel: Kernel, played: Array, occupancy: Array) -> tuple[Array, Array, Array]:
        """Expected reward [u, k], karma transitions [u, k, k+], and mu P."""
        urgency = self.game.urgency
        reward = -urgency.levels[:, None] * (played @ kernel.lose)
        transition = jnp.einsum("ukb,kbj->ukj", played, kernel.karma)
        law = jnp.einsum("uk,ukj,uv->vj", occupancy, transition, urgency.chain)
        return reward, transition, law

    def _system(self, reward: Array, transition: Array) -> tuple[Array, Array]:
        """(I - gamma P, R) over the flattened situations (u, k)."""
        size = reward.size
        whole = jnp.einsum("uv,ukj->ukvj", self.game.urgency.chain, transition).reshape(size, size)
        return jnp.eye(size) - self.gamma * whole, reward.reshape(-1)

    def _values(self, reward: Array, transition: Array, played: Array) -> Array:
        if self.regulariser == "entropy":
            reward = reward + jax.scipy.special.entr(played).sum(axis=-1) / self.beta
        return jnp.linalg.solve(*self._system(reward, transition)).reshape(reward.shape)

    def _action_values(self, kernel: Kernel, values: Array) -> Array:
        """Q(u, k, b); meaningless where b > k."""
        urgency = self.game.urgency
        ahead = jnp.einsum("kbj,uj->ukb", kernel.karma, urgency.chain @ values)
        return -urgency.levels[:, None, None] * kernel.lose + self.gamma * ahead

    def _softmax(self, action_values: Array) -> Array:
        return jax.nn.softmax(jnp.where(self._open(), self.beta * action_values, -jnp.inf), axis=-1)
