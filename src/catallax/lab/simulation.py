"""Errors and power of the rule of verdicts, by simulation: how often each decision is reached where the truth is known.

Replications are drawn from a normal distribution with standard deviation one, and the printed number is an average of
such runs, or exact. The table in docs/verdicts.md is made by `python tools/verdict_power.py`.
"""

import numpy as np

from catallax.lab.equivalence import PrintedError, decide, standard_error

SHARES = ("same", "different", "undecided")


def shares(n: int, margin: float, away: float, printed: PrintedError, draws: int, seed: int = 0) -> dict[str, float]:
    """The share of samples with each decision.

    Args:
        n: Number of replications.
        margin: The margin, in standard deviations of a replication.
        away: Distance between the mean of our replications and that of the printed runs, in margins.
        printed: The uncertainty of the printed number. With several runs their SD is drawn as well.
        draws: Number of samples.
        seed: Seed of the draws.

    Returns:
        From "same", "different" and "undecided" to a share.
    """
    rng = np.random.default_rng(seed)
    ours = rng.normal(away * margin, 1.0, (draws, n))
    mean, sd = ours.mean(axis=1), ours.std(axis=1, ddof=1)
    if printed.runs is None:
        number, error = np.zeros(draws), printed
    else:
        runs = rng.normal(0.0, 1.0, (draws, printed.runs))
        spread = None if printed.sd is None else runs.std(axis=1, ddof=1)
        number, error = runs.mean(axis=1), printed._replace(sd=spread)
    se, freedom = standard_error(sd, n, error)
    found = decide(mean - number, se, freedom, margin)
    return {name: float((found == name).mean()) for name in SHARES}
