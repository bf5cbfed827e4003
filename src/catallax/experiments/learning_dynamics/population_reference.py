"""Reference values for a population of Q-learners in the prisoners' dilemma, to the digits given.

Derived, not published: two quadratures of the first law and two integrators of the characteristics agree to 3e-11.
"""

DILEMMA: dict[int, tuple[float, float, float]] = {
    0: (0.500000000, 1.0, 1.0),
    1: (0.362660964, 1.04565072, 1.67315032),
    2: (0.290147182, 0.99438302, 1.93756616),
    5: (0.243406821, 0.85264177, 1.99300744),
    10: (0.233172227, 0.74956072, 1.94056368),
    20: (0.227955165, 0.69323539, 1.91313430),
}
"""Payoffs [[3, 0], [5, 1]], tau = alpha = 1, values drawn uniformly from [0, 2]^2: time -> mean policy of the first
action (nine digits), mean values of both actions (eight digits)."""

DILEMMA_LIMIT = (0.226750645, 0.68025193, 1.90700258)
"""The same at rest: the symmetric logit equilibrium at tau = 1."""
