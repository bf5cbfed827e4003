"""Stationary equilibria of karma games by smoothed best response: the policy and the law of players move together."""

from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, InputError, count, number, static_number
from catallax.games.karma import PairwiseKarma

from .kernel import Kernel, karma_kernel, outcomes


class FieldState(NamedTuple):
    """The mean field, with U levels of urgency and K = cap + 1 levels of karma, and the common policy."""

    occupancy: Float[Array, "U K"]
    """mu(u, k), the law of urgency and karma."""
    policy: Float[Array, "U K K"]
    """pi(b | u, k) without exploration."""
    gap: Float[Array, ""]
    """The residual at the state before the last step; +inf at the start."""


class FieldRecord(NamedTuple):
    """Averages over the players at the state before the step."""

    efficiency: Float[Array, ""]
    """The mean reward per player and step."""
    karma: Float[Array, " K"]
    """The law of karma."""
    bid: Float[Array, "U K"]
    """The mean bid for each urgency and karma."""
    pool: Float[Array, ""]
    """The karma that is redistributed per player and step."""


class KarmaEquilibrium(AbstractDynamics):
    """The iteration to a pair (mu, pi) in which pi is a smoothed best response to the pair and mu is stationary.

    A step from (mu, pi) computes the kernel of the executed policy pi_eps = (1 - eps) pi + eps uniform; its values
    V = (I - gamma P)^-1 R; the action values Q(u, k, b) = -u P(lose | b) + gamma E[V]; and the response, the softmax of
    beta Q over b <= k. Then pi moves by `rate` towards the response, and mu by 4 `rate` towards mu P.

    With regulariser "logit", Q is the value of karma alone. With "entropy", the entropy of pi_eps divided by beta is an
    additional reward in every step. The equilibria differ: at beta = 5 in the standard game the efficiencies are -1.137
    and -1.089.

    For beta up to 20, rate 0.1 converges. With beta of about 1000 the equilibrium mixes neighbouring bids, and the
    residual does not vanish at any constant rate: then let `rate` fall to `last_rate` over `steps` steps, and judge the
    result by `exploitability`.

    Args:
        game: the rules and the karma; its number of players has no effect.
        gamma: the discount factor, in [0, 1).
        beta: the inverse temperature, > 0.
        epsilon: the probability of exploration in [0, 1).
        rate: the step size at first.
        last_rate: the step size at last; None for `rate`.
        steps: the number of steps over which the rate changes.
        regulariser: "logit" or "entropy", as above.

    Raises:
        InputError: double precision is off or the game was built before it was on; gamma, beta, epsilon or a rate is
            out of range; or the game has excess="kept", whose kernel needs the joint law of opponents.

    Source: Elokda et al. (2023), evolutionary dynamics; Vaishampayan (2024), chapter 4.
    """

    game: PairwiseKarma
    gamma: Float[Array, ""] = number(0.98, "[0, 1)")
    beta: Float[Array, ""] = number(5.0, "(0, inf)")
    epsilon: Float[Array, ""] = number(0.0, "[0, 1)")
    rate: float = static_number(0.1, "(0, 0.25]")
    last_rate: float | None = static_number(None, "(0, 0.25]", optional=True)
    steps: int = count(3000)
    regulariser: Literal["logit", "entropy"] = eqx.field(static=True, default="logit")

    def __check_init__(self) -> None:
        """Checks that double precision is on and that the kernel of the game is known."""
        levels = self.game.urgency.levels
        if not jax.config.read("jax_enable_x64") or levels.dtype != jnp.float64:
            raise InputError(
                "KarmaEquilibrium: needs double precision; set JAX_ENABLE_X64=1 or enter jax.enable_x64(True) before "
                "the game is built"
            )
        if self.game.excess != "shared":
            raise InputError("KarmaEquilibrium: needs a game with excess='shared'")

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> FieldState:
        """All players hold the mean karma; the bid is half of the karma at the highest urgency, in proportion below."""
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
        """One step of the policy and of the law."""
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
        """The largest entry of |response - policy| and |mu P - mu|, at the state before the last step."""
        return state.gap

    def executed(self, policy: Float[Array, "U K K"]) -> Float[Array, "U K K"]:
        """pi_eps, the policy with its exploration."""
        open = self._open()
        return (1 - self.epsilon) * policy + self.epsilon * open / open.sum(axis=-1, keepdims=True)

    def kernel(self, state: FieldState) -> Kernel:
        """The environment of one player at this state."""
        game = self.game
        return karma_kernel(outcomes(game.payment, game.cap), state.occupancy, self.executed(state.policy))

    def efficiency(self, state: FieldState) -> Float[Array, ""]:
        """The mean reward of the executed policy per player and step."""
        played = self.executed(state.policy)
        reward, _, _ = self._chain(self.kernel(state), played, state.occupancy)
        return (state.occupancy * reward).sum()

    def exploitability(self, state: FieldState, rounds: int = 30) -> Float[Array, ""]:
        """The gain of one player's best response, relative to |payoff|; both are discounted and averaged over mu.

        The best response has no exploration and no entropy; it is found by `rounds` steps of policy iteration with
        exact linear solves. The value of the executed policy includes the cost of its exploration.
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
        """Which bids are allowed, [u, k, b]: those of at most k."""
        grid = jnp.arange(self.game.cap + 1)
        return jnp.broadcast_to(grid <= grid[:, None], (self.game.urgency.size, grid.size, grid.size))

    def _chain(self, kernel: Kernel, played: Array, occupancy: Array) -> tuple[Array, Array, Array]:
        """The expected reward [u, k], the transitions of karma [u, k, k+], and mu P."""
        urgency = self.game.urgency
        reward = -urgency.levels[:, None] * (played @ kernel.lose)
        transition = jnp.einsum("ukb,kbj->ukj", played, kernel.karma)
        law = jnp.einsum("uk,ukj,uv->vj", occupancy, transition, urgency.chain)
        return reward, transition, law

    def _system(self, reward: Array, transition: Array) -> tuple[Array, Array]:
        """(I - gamma P, R) with (u, k) flattened."""
        size = reward.size
        whole = jnp.einsum("uv,ukj->ukvj", self.game.urgency.chain, transition).reshape(size, size)
        return jnp.eye(size) - self.gamma * whole, reward.reshape(-1)

    def _values(self, reward: Array, transition: Array, played: Array) -> Array:
        """V(u, k) of the executed policy, with the entropy reward if there is one."""
        if self.regulariser == "entropy":
            reward = reward + jax.scipy.special.entr(played).sum(axis=-1) / self.beta
        return jnp.linalg.solve(*self._system(reward, transition)).reshape(reward.shape)

    def _action_values(self, kernel: Kernel, values: Array) -> Array:
        """Q(u, k, b); entries with b > k have no meaning."""
        urgency = self.game.urgency
        expected = jnp.einsum("kbj,uj->ukb", kernel.karma, urgency.chain @ values)
        return -urgency.levels[:, None, None] * kernel.lose + self.gamma * expected

    def _softmax(self, action_values: Array) -> Array:
        """The softmax of beta Q over the allowed bids."""
        return jax.nn.softmax(jnp.where(self._open(), self.beta * action_values, -jnp.inf), axis=-1)
