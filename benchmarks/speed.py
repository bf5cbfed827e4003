"""How fast: ours beside a reference doing the same work, interleaved on one core.

    .venv/bin/python benchmarks/speed.py                      all rows as a table
    .venv/bin/python benchmarks/speed.py --json               a list of {name, ours, reference, ratio, unit}
    .venv/bin/python benchmarks/speed.py --only auction_zic_8 --quick

Needs gcc for the C references. Figures are medians of user and system CPU time; ratios are medians of ratios within a
round (see harness.py). A machine that is busy moves single figures by a third, ratios less.
"""

import argparse
import json
import sys

import auction  # pins the process to one core before jax is imported
import calvano
import compile
import institutions
import karma
import matrix
import mean_field
import sealed_bid
import tournament
import traders
import two_cores

FAMILIES = (
    auction,
    traders,
    institutions,
    karma,
    calvano,
    matrix,
    sealed_bid,
    mean_field,
    two_cores,
    tournament,
    compile,
)
ROWS = {name: row for family in FAMILIES for name, row in family.ROWS.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="fewer rounds; for a look, not for a figure to quote")
    parser.add_argument("--only", action="append", choices=sorted(ROWS), help="this row; may be given again")
    options = parser.parse_args()
    rows = []
    for name in options.only or ROWS:
        row = ROWS[name](options.quick)
        rows.append({k: v for k, v in row._asdict().items() if k != "note"})
        line = f"{row.name:28s} {row.ours:9.4g} {row.reference:9.4g} {row.unit:14s} ratio {row.ratio:6.3f}  {row.note}"
        print(line, file=sys.stderr if options.json else sys.stdout, flush=True)
    if options.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
