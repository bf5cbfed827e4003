"""The mean-field karma kernel and its equilibria, against loops, identities and independent values."""

from functools import cache

import equinox as eqx
import jax
import numpy as np
import pytest

from catallax.core import InputError, NumericalError, rng, run, solve
from catallax.games.karma import PairwiseKarma, PayBidToPeer, PayBidToSociety, PayNothing, Urgency
from catallax.measures.karma import FieldOutcomes
from catallax.solvers.karma import KarmaEquilibrium, karma_kernel, outcomes

PAYMENTS = {"peer": PayBidToPeer(), "society": PayBidToSociety()}


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def game(payment: str, **changes) -> PairwiseKarma:
    return PairwiseKarma(players=2, payment=PAYMENTS[payment], **changes)


def random_field(K, seed=0):
    """An arbitrary law of situations and an arbitrary feasible policy for two urgencies."""
    generator = np.random.default_rng(seed)
    occupancy = generator.dirichlet(np.ones(2 * K)).reshape(2, K)
    policy = generator.random((2, K, K)) * (np.arange(K) <= np.arange(K)[:, None])
    return occupancy, policy / policy.sum(axis=-1, keepdims=True)


def plain_kernel(payment, occupancy, policy):
    """kappa0, the pool and the law after payment by loops over own karma, own bid and the rival's bid."""
    K = occupancy.shape[1]
    nu = np.einsum("uk,ukb->b", occupancy, policy)
    kernel, pool, law = np.zeros((K, K, K)), 0.0, np.zeros(K)
    for k in range(K):
        for b in range(k + 1):
            for rival in range(K):
                chance = 1.0 if b > rival else 0.5 if b == rival else 0.0
                for won, p in ((True, chance), (False, 1 - chance)):
                    if p == 0:
                        continue
                    pay = b if won else (-rival if payment == "peer" else 0)
                    left = min(k - pay, K - 1)
                    kernel[k, b, left] += nu[rival] * p
                    mass = (occupancy[:, k] * policy[:, k, b]).sum() * nu[rival] * p
                    pool += mass * (k - left)
                    law[left] += mass
    return kernel, pool, law


@eqx.filter_jit
def kernel_of(payment, occupancy, policy):
    """The kernel of a contest with this payment; one program for each payment and number of levels."""
    return karma_kernel(outcomes(payment, occupancy.shape[1] - 1), occupancy, policy)


@eqx.filter_jit
def efficiency(field, state):
    return field.efficiency(state)


@eqx.filter_jit
def quality(field, state):
    return field.efficiency(state), field.exploitability(state), field.kernel(state)


@pytest.mark.parametrize("payment", PAYMENTS)
@pytest.mark.parametrize("K", [2, 5, 9])
def test_kernel_is_the_plain_loop(payment, K):
    occupancy, policy = random_field(K, K)
    kernel = kernel_of(PAYMENTS[payment], occupancy, policy)
    before, pool, law = plain_kernel(payment, occupancy, policy)
    np.testing.assert_allclose(kernel.pool, pool, atol=1e-13)
    room = K - 1 - np.arange(K)
    G = [law @ np.minimum(a, room) for a in range(K)]
    level = max(a for a in range(K) if G[a] <= pool)
    share = (pool - G[level]) / max(law[room > level].sum(), 1e-300)
    gift = np.zeros((K, K))
    for k in range(K):
        gift[k, min(k + level, K - 1)] += 1 - share
        gift[k, min(k + level + 1, K - 1)] += share
    open = np.arange(K) <= np.arange(K)[:, None]
    np.testing.assert_allclose(np.asarray(kernel.karma)[open], (before @ gift)[open], atol=1e-12)
    np.testing.assert_allclose(np.asarray(kernel.karma).sum(axis=-1), 1, atol=1e-12)


@pytest.mark.parametrize("payment", PAYMENTS)
def test_mean_karma_is_conserved_for_any_policy(payment):
    for seed in range(5):
        occupancy, policy = random_field(21, seed)
        kernel = kernel_of(PAYMENTS[payment], occupancy, policy)
        law = np.einsum("uk,ukb,kbj->j", occupancy, policy, kernel.karma)
        np.testing.assert_allclose(law @ np.arange(21), occupancy.sum(axis=0) @ np.arange(21), atol=1e-11)


@cache
def annealed(payment, gamma=0.98, epsilon=0.0):
    field = KarmaEquilibrium(game(payment), gamma=gamma, epsilon=epsilon, beta=1000.0, rate=0.05, last_rate=1e-4)
    return field, run(field, rng.key(0), 3000).state


@pytest.mark.parametrize(
    ("payment", "regulariser", "expected"),
    [
        ("peer", "logit", -1.1369),
        ("society", "logit", -1.0607),
        ("peer", "entropy", -1.0887),
        ("society", "entropy", -1.0456),
    ],
)
def test_smooth_equilibria(payment, regulariser, expected):
    """Independent NumPy values of the standard game at beta = 5: the two regularisations differ visibly."""
    field = KarmaEquilibrium(game(payment), beta=5.0, regulariser=regulariser)
    found = solve(field, rng.key(0), tol=1e-11, max_steps=1500)
    state = found.require()
    np.testing.assert_allclose(efficiency(field, state), expected, atol=6e-5)
    np.testing.assert_allclose(np.asarray(state.occupancy).sum(axis=0) @ np.arange(21), 10, atol=1e-10)


@pytest.mark.parametrize(
    ("payment", "gamma", "expected", "exploitable"),
    [
        ("peer", 0.98, -1.0477, 6e-5),
        ("society", 0.98, -1.0111, 7e-4),
        ("peer", 0.5, -1.318, 1e-3),
        ("society", 0.5, -1.269, 1e-3),
        ("peer", 0.0, -1.5, 1e-5),
    ],
)
def test_nearly_rational_equilibria(payment, gamma, expected, exploitable):
    """Independent values at beta = 1000; gamma = 0 is exact: bidding all is dominant and blind to urgency."""
    efficiency, exploitability, _ = quality(*annealed(payment, gamma))
    np.testing.assert_allclose(efficiency, expected, atol=6e-4)
    assert -1e-9 < float(exploitability) < exploitable


def test_details_of_the_standard_equilibria():
    field, state = annealed("peer")
    _, _, kernel = quality(field, state)
    np.testing.assert_allclose(kernel.pool, 0.179, atol=2e-3)
    np.testing.assert_allclose(np.asarray(state.occupancy)[:, -1].sum(), 0.071, atol=1e-3)
    urgent = np.round(np.asarray(state.policy)[1] @ np.arange(21))
    np.testing.assert_allclose(urgent[:12], [0, 1, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5])
    _, _, kernel = quality(*annealed("society"))
    assert int(kernel.level) in (2, 3) and abs(float(kernel.pool) - 3.001) < 0.01


def test_exploration_costs_what_it_should():
    efficiency, exploitability, _ = quality(*annealed("peer", epsilon=0.05))
    np.testing.assert_allclose(efficiency, -1.0889, atol=5e-4)
    np.testing.assert_allclose(exploitability, 0.041, atol=1e-3)


def test_one_urgency_or_free_bids_pay_half_the_mean_urgency():
    one = PairwiseKarma(players=2, cap=6, endowment=3, urgency=Urgency.iid((4.0,)))
    field = KarmaEquilibrium(one, beta=10.0)
    np.testing.assert_allclose(efficiency(field, run(field, rng.key(0), 7).state), -2.0, atol=1e-12)
    free = KarmaEquilibrium(PairwiseKarma(players=2, cap=1, endowment=1, payment=PayNothing()), gamma=0.0, beta=1e6)
    np.testing.assert_allclose(efficiency(free, solve(free, rng.key(0)).require()), -1.5, atol=1e-6)


def test_measure_reads_the_field():
    field = KarmaEquilibrium(game("peer", cap=4, endowment=2))
    series = run(field, rng.key(0), 6, (FieldOutcomes(2),)).series
    assert series["karma_share"].shape == (3, 5) and series["mean_bid"].shape == (3, 2, 5)
    np.testing.assert_allclose(series["karma_share"].sum(axis=1), 1)
    assert (np.diff(series["residual"]) < 0).all()


def test_what_did_not_converge_raises():
    field = KarmaEquilibrium(game("peer", cap=4, endowment=2))
    with pytest.raises(NumericalError, match="no convergence: residual"):
        solve(field, rng.key(0), tol=1e-12, max_steps=3).require()


def test_bad_input_is_refused():
    for name, value in (("beta", 0.0), ("beta", -1.0), ("gamma", 1.0), ("epsilon", 1.0), ("rate", 0.5)):
        with pytest.raises(InputError, match=f"{name} must lie in"):
            KarmaEquilibrium(game("peer"), **{name: value})
    with pytest.raises(InputError, match="excess='shared'"):
        KarmaEquilibrium(game("peer", excess="kept"))
    with jax.enable_x64(False), pytest.raises(InputError, match="JAX_ENABLE_X64=1"):
        KarmaEquilibrium(game("peer"))
