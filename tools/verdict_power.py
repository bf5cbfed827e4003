"""Print the table of docs/verdicts.md: how often the rule of verdicts reaches each decision where the truth is known.

python tools/verdict_power.py
"""

from catallax.lab.equivalence import PrintedError
from catallax.lab.simulation import SHARES, shares

DRAWS = 20_000
PRINTED = {
    "exact": PrintedError(),
    "a mean of 100 runs": PrintedError(runs=100, sd=1.0),
    "one run": PrintedError(runs=1),
}


def main() -> None:
    """A row for each kind of print, margin and number of replications: the truth at print, and a margin away."""
    print("| printed | margin (SD) | replications | equal: reproduced | not reproduced | undecided |", end="")
    print(" a margin away: reproduced | not reproduced | undecided |")
    print("| --- |" + " ---: |" * 8)
    for name, printed in PRINTED.items():
        for margin in (0.5, 1.0, 2.0):
            for n in (10, 20, 100):
                here, away = (shares(n, margin, at, printed, DRAWS) for at in (0.0, 1.0))
                found = [f"{table[share]:.3f}" for table in (here, away) for share in SHARES]
                print(f"| {name} | {margin:g} | {n} | {' | '.join(found)} |")


if __name__ == "__main__":
    main()
