"""Replicator dynamics of one population in which rules mutate into each other."""

from typing import Any

import numpy as np
from jaxtyping import Float

from catallax.core import InputError
from catallax.core.checks import as_host_numbers
from catallax.solvers.matrix.host.trajectory import integrate_on_host

from .replicator import checked_payoffs, checked_start, checked_times

_TOLERANCE = 1e-10


def replicator_mutator_path(
    payoffs: Float[np.ndarray, "n n"], start: Float[np.ndarray, " n"], times: Float[np.ndarray, " T"], mutation: Any
) -> Float[np.ndarray, "T n"]:
    """Population shares over time under replication and mutation at constant rates, in double precision.

        dx_i/dt = x_i ((A x)_i - x'A x) + sum_j (x_j M_ji - x_i M_ij)

    A rule that starts at 0 appears by mutation. The equation does not change if a constant is added to all payoffs.

    Args:
        payoffs: A, [own rule, other's rule].
        start: shares at the first time; they sum to 1.
        times: ascending, at least two.
        mutation: M, rates [from, to] whose diagonal is not read, or one rate mu >= 0 from each rule to each other one.

    Raises:
        InputError: as `replicator_path`, or rates that are negative or not finite, or of another shape.
        NumericalError: the integration failed.

    Source: Hofbauer and Sigmund (1998), section 20; Bomze and Burger (1995).
    Differs: rates are added to the flow. In the quasispecies form, of Nowak (2006), mutants are a share of the
        offspring, so that the rate of mutation of a rule is in proportion to its fitness.
    """
    table = checked_payoffs(payoffs)
    n = len(table)
    first, moments = checked_start(start, n), checked_times(times)
    rates = as_host_numbers("replicator_mutator_path", "mutation", mutation)
    if rates.ndim == 0:
        rates = np.full((n, n), float(rates))
    if rates.shape != (n, n) or not (np.isfinite(rates) & (rates >= 0)).all():
        raise InputError(
            f"mutation must be one rate, or {n} x {n} of them, finite and at least 0, got {rates.tolist()}"
        )
    rates = rates * (1 - np.eye(n))
    flux = rates.T - np.diag(rates.sum(axis=1))
    centred = table - table.mean()

    def flow(_: float, x: np.ndarray) -> np.ndarray:
        fitness = centred @ x
        return x * (fitness - x @ fitness) + flux @ x

    span = (float(moments[0]), float(moments[-1]))
    found = integrate_on_host(
        "replicator_mutator_path", flow, first, span, tol=_TOLERANCE, method="LSODA", times=moments
    )
    path = np.maximum(found.y.T, 0.0)
    return path / path.sum(axis=1, keepdims=True)
