"""Learning flows beside C and SciPy, logit equilibria beside Gambit's times, through the public API.

flow_rps_10000: 10,000 rock-paper-scissors trajectories, T = 0.1, RK4 with h = 0.05, 200 steps, single precision; ns of
CPU time for a step of one trajectory. C does the same 200 steps over blocks of 64 trajectories (matrix.c, vectorised by
the compiler), in whichever of its two forms, log or simplex, is faster. flow_rps_scipy: the same beside SciPy's RK45 at
rtol 1e-5 over the same horizon, per nominal step of 0.05.

qre_chain_7: logit equilibria a second, match-mismatch line of 7 players, 500 temperature vectors in [0.2, 2] as a
batch, double precision, Newton to 1e-12. qre_chain_99: one equilibrium of 99 players, ms. Gambit 16.7 (pygambit) was
measured once, on another machine of the kind: 11 to 17 lines of 7 players a second; it is a constant here.

flow_amps: steps of a trajectory a second, 10,000 trajectories of asymmetric matching pennies at T = (0.5, 2), RK4 with
h = 0.05, 200 steps, double precision, beside the same in plain NumPy (log form, whole arrays). OpenSpiel made 12,800
Euler steps a second, measured once on another machine of the kind. qre_surface: seconds for logit equilibria at 60 x 60
pairs of temperatures in (0, 2], Newton to 1e-12, beside SciPy's root at every point from uniform play (timed on every
36th of them).
"""

import ctypes
from collections.abc import Callable
from typing import Any

from harness import Case, Row, compare, compile_c  # first: pins the process before jax is imported

import jax  # isort: skip
import jax.numpy as jnp  # isort: skip
import numpy as np  # isort: skip
from scipy.integrate import solve_ivp  # isort: skip
from scipy.optimize import root  # isort: skip

from catallax.core import rng, run
from catallax.games.matrix import asymmetric_matching_pennies, match_mismatch_line, rock_paper_scissors
from catallax.solvers.matrix.flow import QLearningFlow, RungeKutta
from catallax.solvers.matrix.logit import logit_equilibrium, logit_surface

TRAJECTORIES, STEPS, H, T = 10_000, 200, 0.05, 0.1
UNITS = TRAJECTORIES * STEPS
GAMBIT_LINE_7 = 14.0
"""Equilibria a second."""


def _starts() -> np.ndarray:
    """Interior policies, [trajectory, player, action]."""
    return np.random.default_rng(0).dirichlet([2.0, 2.0, 2.0], (TRAJECTORIES, 2)).astype(np.float32)


def _payoffs() -> np.ndarray:
    game = rock_paper_scissors()
    return np.ascontiguousarray(np.stack([game.edge(0, 1), game.edge(1, 0)]), np.float32)


def _ours() -> Callable[[], Any]:
    """200 Runge-Kutta steps in one step of the dynamics."""
    flow = QLearningFlow(
        rock_paper_scissors(), T, _starts().transpose(1, 2, 0), interval=H * STEPS, integrator=RungeKutta(STEPS)
    )
    state = flow.init(rng.key(0))
    return lambda: jax.block_until_ready(run(flow, rng.key(0), 1, state=state).state)


def _c_loop(name: str, logs: bool) -> Callable[[], np.ndarray]:
    """One of the C loops, from the same starts."""
    library, payoffs = compile_c("matrix.c"), _payoffs()
    padded = -(-TRAJECTORIES // 64) * 64
    start = np.concatenate([_starts(), _starts()[: padded - TRAJECTORIES]]).transpose(1, 2, 0).reshape(6, -1)
    start = np.log(start) if logs else start
    pointer = lambda a: a.ctypes.data_as(ctypes.c_void_p)

    def go() -> np.ndarray:
        x = np.array(start, order="C")
        getattr(library, name)(pointer(x), padded, STEPS, ctypes.c_float(H), ctypes.c_float(T), pointer(payoffs))
        return x.reshape(2, 3, -1)[..., :TRAJECTORIES]

    return go


def flow_rps_10000(quick: bool) -> Row:
    """Beside the faster C loop."""
    ours, simplex, logs = _ours(), _c_loop("flow_simplex", False), _c_loop("flow_log", True)
    apart = float(np.abs(np.asarray(jax.nn.softmax(ours(), axis=1)) - simplex()).max())
    if not apart < 1e-4:
        raise SystemExit(f"flow_rps_10000: probabilities differ by {apart:.1e}")
    rounds = 3 if quick else 9
    found = [compare(Case(ours, UNITS), Case(c, UNITS), rounds) for c in (simplex, logs)]
    a, b, ratio = max(found, key=lambda f: f[2])
    note = f"against C; goal: ratio 2.5 (stretch 2.0); largest difference {apart:.0e}"
    return Row("flow_rps_10000", a * 1e9, b * 1e9, ratio, "ns/step", note)


def flow_rps_scipy(quick: bool) -> Row:
    """Beside SciPy on three of the trajectories."""
    payoffs, starts = _payoffs(), _starts()[:3]

    def field(_: float, y: np.ndarray) -> np.ndarray:
        x = y.reshape(2, 3)
        f = np.einsum("pij,pj->pi", payoffs, x[::-1]) - T * np.log(x)
        return (x * (f - (x * f).sum(1, keepdims=True))).ravel()

    def scipy() -> None:
        for x in starts:
            solve_ivp(field, (0, STEPS * H), x.ravel().astype(float), rtol=1e-5, atol=1e-7)

    a, b, ratio = compare(Case(_ours(), UNITS), Case(scipy, len(starts) * STEPS), 3 if quick else 9)
    return Row("flow_rps_scipy", a * 1e9, b * 1e9, ratio, "ns/step", f"{1 / ratio:.0f} times SciPy; goal: 100 times")


def qre_chain_7(quick: bool) -> Row:
    """Beside Gambit's rate."""
    with jax.enable_x64(True):
        game = match_mismatch_line(7)
        temperatures = jnp.asarray(np.random.default_rng(1).uniform(0.2, 2.0, (500, game.players)))
        batch = jax.jit(jax.vmap(lambda t: logit_equilibrium(game, t)))
        batch(temperatures).require()
        case = Case(lambda: batch(temperatures).policy.block_until_ready(), 500)
        seconds, _, _ = compare(case, case, 3 if quick else 9)
    return Row("qre_chain_7", 1 / seconds, GAMBIT_LINE_7, GAMBIT_LINE_7 * seconds, "solves/s", "against Gambit's rate")


def qre_chain_99(quick: bool) -> Row:
    """One large game; no peer solves it."""
    with jax.enable_x64(True):
        game = match_mismatch_line(99)
        solve = jax.jit(lambda t: logit_equilibrium(game, t))
        solve(jnp.asarray(0.5)).require()
        case = Case(lambda: solve(jnp.asarray(0.5)).policy.block_until_ready(), 1)
        seconds, _, _ = compare(case, case, 3 if quick else 9)
    return Row("qre_chain_99", seconds * 1e3, 50.0, seconds * 1e3 / 50.0, "ms", "against the goal of 50 ms")


AMPS = np.array([[[2.0, 0.0], [0.0, 1.0]], [[-4.0, 0.0], [0.0, -2.0]]])
"""Payoffs of asymmetric matching pennies, the own action the row."""
RATES = np.array([0.5, 2.0])


def _numpy_flow(z: np.ndarray) -> np.ndarray:
    """The same Runge-Kutta steps on scores [player, action, trajectory], products written out."""
    rates = RATES[:, None, None]

    def field(z: np.ndarray) -> np.ndarray:
        w = np.exp(z - z.max(axis=1, keepdims=True))
        x = w[::-1] / w[::-1].sum(axis=1, keepdims=True)
        return AMPS[:, :, 0, None] * x[:, 0, None] + AMPS[:, :, 1, None] * x[:, 1, None] - rates * z

    for _ in range(STEPS):
        k1 = field(z)
        k2 = field(z + H / 2 * k1)
        k3 = field(z + H / 2 * k2)
        z = z + H / 6 * (k1 + 2 * k2 + 2 * k3 + field(z + H * k3))
    return z


def flow_amps(quick: bool) -> Row:
    """Beside NumPy, which does the same work on whole arrays."""
    with jax.enable_x64(True):
        start = np.random.default_rng(0).dirichlet([2.0, 2.0], (TRAJECTORIES, 2)).transpose(1, 2, 0)
        game = asymmetric_matching_pennies()
        flow = QLearningFlow(game, RATES, start, interval=H * STEPS, integrator=RungeKutta(STEPS))
        state = flow.init(rng.key(0))
        ours = lambda: jax.block_until_ready(run(flow, rng.key(0), 1, state=state).state)
        theirs = _numpy_flow(np.log(start))
        policy = np.exp(theirs - np.logaddexp(theirs[:, :1], theirs[:, 1:]))
        apart = float(np.abs(flow.policy(ours()) - policy).max())
        if not apart < 1e-12:
            raise SystemExit(f"flow_amps: probabilities differ by {apart:.1e}")
        reference = Case(lambda: _numpy_flow(np.log(start)), UNITS)
        a, b, ratio = compare(Case(ours, UNITS), reference, 3 if quick else 9)
    return Row("flow_amps", 1 / a, 1 / b, ratio, "steps/s", f"against NumPy; goal: 5e6; largest difference {apart:.0e}")


def qre_surface(quick: bool) -> Row:
    """Beside SciPy's root, point by point."""
    axis = np.linspace(2 / 60, 2, 60)
    points = [(a, b) for a in axis[::6] for b in axis[::6]]

    def gap(z: np.ndarray, rates: np.ndarray) -> np.ndarray:
        x = 1 / (1 + np.exp(-z))
        return rates * z - np.array([3 * x[1] - 1, 2 - 6 * x[0]])

    def scipy() -> list[np.ndarray]:
        return [1 / (1 + np.exp(-root(gap, np.zeros(2), args=(np.array(p),), tol=1e-12).x)) for p in points]

    with jax.enable_x64(True), np.errstate(over="ignore"):
        game = asymmetric_matching_pennies()
        ours = lambda: jax.block_until_ready(logit_surface(game, axis, axis).policy)
        logit_surface(game, axis, axis).require()
        expected = np.asarray(scipy()).reshape(10, 10, 2)
        apart = float(np.abs(np.asarray(ours())[:, 0, ::6, ::6] - np.moveaxis(expected, -1, 0)).max())
        if not apart < 1e-10:
            raise SystemExit(f"qre_surface: probabilities differ by {apart:.1e}")
        a, b, ratio = compare(Case(ours, axis.size**2), Case(scipy, len(points)), 3 if quick else 9)
    count, note = axis.size**2, f"against SciPy; goal: 1 s; largest difference {apart:.0e}"
    return Row("qre_surface", a * count, b * count, ratio, "s", note)


ROWS = {
    "flow_amps": flow_amps,
    "qre_surface": qre_surface,
    "flow_rps_10000": flow_rps_10000,
    "flow_rps_scipy": flow_rps_scipy,
    "qre_chain_7": qre_chain_7,
    "qre_chain_99": qre_chain_99,
}
