"""Reference values for Q-learning in weighted zero-sum games and for a population of Q-learners, to the digits given.

Equilibria by Newton's method in 40-digit arithmetic, by stiff integration to rest and by tracing the logit branch;
trajectories by three integrators that agree to 2e-10; the population by two quadratures of the first law and two
integrators of the characteristics, which agree to 3e-11. They are derived, not published: the papers print no numbers.
"""

AMPS: dict[tuple[float, float], tuple[float, float]] = {
    (0.1, 0.1): (0.346498771597, 0.312184495355),
    (0.5, 0.5): (0.413952929170, 0.275392026284),
    (1.0, 1.0): (0.474792220823, 0.299694441444),
    (2.0, 2.0): (0.513122507631, 0.368334724821),
    (0.5, 2.0): (0.532415414323, 0.354973962389),
    (1.0, 0.25): (0.393853592072, 0.189619230795),
    (3.0, 0.1): (0.418858662267, 0.005872881202),
}
"""Asymmetric matching pennies: temperatures (T_1, T_2) -> P(H) of both players at the logit equilibrium."""

AMPS_START = (0.8, 0.9)
"""P(H) of both players at time 0 of the trajectories below."""

AMPS_TRAJECTORIES: dict[tuple[float, float], dict[int, tuple[float, float]]] = {
    (0.0, 0.0): {
        1: (0.905639026, 0.256145164),
        2: (0.819810405, 0.013362305),
        5: (0.187334436, 0.000602814),
        10: (0.016324541, 0.782775986),
    },
    (1.0, 1.0): {
        1: (0.705042232, 0.302762031),
        2: (0.529955624, 0.213992310),
        5: (0.471055565, 0.303164882),
        10: (0.474770855, 0.299665452),
    },
    (0.5, 2.0): {
        1: (0.771904135, 0.284717970),
        2: (0.636780903, 0.263773402),
        5: (0.531708337, 0.353400283),
        10: (0.532417989, 0.354975312),
    },
    (0.0, 1.0): {
        1: (0.882471350, 0.225194423),
        2: (0.802953317, 0.084145303),
        5: (0.402573280, 0.265147294),
        10: (0.457058118, 0.326994493),
    },
    (1.0, 0.0): {
        1: (0.741523465, 0.366639374),
        2: (0.517452198, 0.088772618),
        5: (0.308120527, 0.050176779),
        10: (0.322675897, 0.093197977),
    },
}
"""Temperatures -> time -> P(H) of both players."""

LINE: dict[int, dict[float, tuple[float, ...]]] = {
    3: {
        0.25: (0.0003353501305, 0.5),
        0.5: (0.01798620996, 0.5),
        1.0: (0.1192029220, 0.5),
        2.0: (0.2689414214, 0.5),
    },
    5: {
        0.1: (2.578321276e-8, 0.5631614450, 0.006350092235),
        0.25: (0.001916389579, 0.6090378711, 0.02962074915),
        0.5: (0.04856251790, 0.6281097521, 0.1140770351),
        1.0: (0.1749991412, 0.6123491598, 0.2892985422),
        2.0: (0.2963906862, 0.5677276099, 0.4326835971),
    },
    7: {
        0.1: (1.79415666e-7, 0.6116609903, 0.01135766685, 0.5),
        0.25: (0.005948480731, 0.6800841758, 0.05308339738, 0.5),
        0.5: (0.07780567327, 0.6909322977, 0.1783658592, 0.5),
        1.0: (0.1982399725, 0.6506672334, 0.3537333214, 0.5),
        2.0: (0.3011326419, 0.5790449368, 0.4605596399, 0.5),
    },
}
"""Match-mismatch line: n -> common temperature -> P(H) of players 1, ..., (n + 1) / 2; the others by symmetry."""

LINE_UNEQUAL: dict[tuple[float, ...], tuple[float, ...]] = {
    (0.5, 0.2, 1.0): (0.04865804923, 0.6283679599, 0.07491913388),
    (1.0, 0.5, 0.25, 0.5, 2.0): (0.1758548358, 0.6138280434, 0.2337838453, 0.5396363331, 0.2536436825),
}
"""Match-mismatch line: temperatures of players 1, ..., n -> P(H) of all of them."""


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


def line_rows(n: int) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """All rows for n players: temperatures of players 1, ..., n and their P(H), halves completed by symmetry.

    P_k(H) = P_{n+1-k}(H) for odd k, 1 - P_{n+1-k}(H) for even k.
    """
    rows: list[tuple[tuple[float, ...], tuple[float, ...]]] = []
    for temperature, half in LINE[n].items():
        rest = [half[n - k] if k % 2 else 1 - half[n - k] for k in range(len(half) + 1, n + 1)]
        rows.append(((temperature,) * n, (*half, *rest)))
    rows += [(t, h) for t, h in LINE_UNEQUAL.items() if len(t) == n]
    return rows
