"""Bad input to the solvers of games in matrix form: said in words, no traceback of JAX or NumPy, no silent NaN."""

import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents.tabular import BoltzmannQ, CrossLearning, FictitiousPlay
from catallax.core import InputError, rng
from catallax.core.checks import as_numbers
from catallax.games.matrix import as_normal_form, asymmetric_matching_pennies, first_price_bids
from catallax.solvers.matrix.flow import (
    CosineTemperature,
    LinearTemperature,
    OneCycle,
    QLearningFlow,
    RungeKutta,
    SmoothQLearning,
)
from catallax.solvers.matrix.flow_analysis import one_explorer, snapshot, spectrum
from catallax.solvers.matrix.logit import (
    logit_equilibria,
    logit_equilibrium,
    logit_surface,
    select_by_vanishing_exploration,
    trace_logit_branch,
)
from catallax.solvers.matrix.nash import (
    lemke_howson,
    pure_nash,
    support_enumeration,
    vertex_enumeration,
    zero_sum_nash,
)
from catallax.solvers.matrix.structure import (
    eliminate_dominated,
    exact_potential,
    interior_equilibrium,
    pairwise_constant_sum,
    weighted_potential,
    zero_sum_weights,
)

pytestmark = pytest.mark.usefixtures("as_users_have_it")

GAME = asymmetric_matching_pennies()
MIDDLE = np.full((2, 2), 0.5)
NOT_NUMBERS = ("hot", None, ["a", "b"], 1j, {}, object())


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=lambda x: type(x).__name__)
def test_what_is_no_number_is_refused(value):
    for call in (
        lambda: logit_equilibrium(GAME, value),
        lambda: QLearningFlow(GAME, value),
        lambda: QLearningFlow(GAME, 1.0, interval=value),
        lambda: SmoothQLearning(GAME, 1.0, rate=value),
        lambda: select_by_vanishing_exploration(GAME, value),
        lambda: logit_surface(GAME, value, [1.0]),
        lambda: OneCycle(value, 1.0),
        lambda: CosineTemperature(1.0, value),
        lambda: spectrum(GAME, 1.0, MIDDLE, tol=value),
        lambda: BoltzmannQ(temperature=value),
        lambda: FictitiousPlay(temperature=value),
        lambda: CrossLearning(rate=value),
    ):
        with pytest.raises(InputError):
            call()
    if value is not None:
        for call in (
            lambda: logit_equilibrium(GAME, 1.0, value),
            lambda: QLearningFlow(GAME, 1.0, value),
            lambda: snapshot(GAME, 1.0, rng.key(0), a=value),
            lambda: zero_sum_nash(GAME, weights=value),
        ):
            with pytest.raises(InputError):
                call()


SOLVERS = (
    exact_potential,
    weighted_potential,
    eliminate_dominated,
    lemke_howson,
    pure_nash,
    support_enumeration,
    vertex_enumeration,
    zero_sum_nash,
    zero_sum_weights,
)


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda f: f.__name__)
def test_tolerances_and_games_are_checked(solver):
    for tol in (np.nan, -1.0, np.inf, "fine", [1e-9, 1e-9]):
        with pytest.raises(InputError, match="tol"):
            solver(GAME, tol=tol)
    for game in (None, "pennies", np.eye(2)):
        with pytest.raises(InputError, match="matrix form"):
            solver(game)


def test_counts_and_words_are_checked():
    for options in ({"max_steps": 0}, {"max_steps": 1.5}, {"stages": -1}, {"stages": np.nan}, {"tol": np.nan}):
        with pytest.raises(InputError, match=next(iter(options))):
            logit_equilibrium(GAME, 1.0, **options)
    for options in ({"trajectories": 0}, {"trajectories": np.nan}, {"trajectories": "x"}, {"integrator": "RK4"}):
        with pytest.raises(InputError, match=next(iter(options))):
            QLearningFlow(GAME, 1.0, **options)
    for options in ({"heading": "cold"}, {"points": 0}, {"start": 3.0}, {"start": (MIDDLE, -1.0)}, {"highest": "x"}):
        with pytest.raises(InputError, match=next(iter(options))):
            trace_logit_branch(GAME, 0.1, **options)
    for players in ("01", (0, 0), (0,), None, np.zeros((2, 2))):
        with pytest.raises(InputError, match="players"):
            logit_surface(GAME, [1.0], [1.0], players)
    with pytest.raises(InputError, match="others"):
        logit_surface(GAME, [1.0], [1.0], others=[1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="apart"):
        logit_equilibria(GAME, 1.0, starts=2, apart=np.nan)
    with pytest.raises(InputError, match="explorer"):
        one_explorer(GAME, np.ones((2, 3)))


def test_a_normal_form_where_edges_are_needed():
    for solver in (pairwise_constant_sum, interior_equilibrium):
        with pytest.raises(InputError, match="from_bimatrix"):
            solver(as_normal_form(GAME))


def test_the_other_clock_refuses_a_schedule_that_begins_at_zero():
    with pytest.raises(InputError, match="begins at 0"):
        QLearningFlow(GAME, LinearTemperature(0.0, 1.0, 5.0), time="temperature", integrator=RungeKutta(4))
    with pytest.raises(InputError, match="ends at 0"):
        QLearningFlow(GAME, LinearTemperature(1.0, 0.0, 5.0), time="temperature")


def test_numbers_pass():
    for value in (1, 1.5, np.float32(2.0), [1, 2], np.eye(2), jnp.ones(3), True):
        np.testing.assert_array_equal(as_numbers("test", "value", value), np.asarray(value, float))


@pytest.mark.parametrize("fee", [-1.0, np.nan, np.inf, "a quarter"])
def test_a_fee_that_is_none(fee):
    with pytest.raises(InputError, match="winner_fee"):
        first_price_bids(fee)
