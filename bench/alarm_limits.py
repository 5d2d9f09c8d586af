"""Make the table of the complaint signal's limits: `python -m bench.alarm_limits`.

Every node is simulated, each with the same random numbers, so that the table runs smoothly.  To
be made anew (some minutes) when the signal's chart, its false alarms or the baseline change.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from analytics.alarm_simulation import simulated_limit, simulated_weeks
from analytics.complaint_baselines import typical_baseline
from analytics.cusum_limits import COLUMNS, TABLE

EXPECTED = 0.02 * 10 ** (np.arange(26) / 5)  # 0.02 to 2,000 complaints a week, five a decade
DISPERSIONS = (0.02, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0)
BASELINE_WEEKS = (52, 104)  # between them the limit is straight in 1 / weeks
SERIES = 20_000  # of 65 weeks: 1.3 million weeks a node
FOUND_IN = 4_000  # series in which a doubling is looked for


def node(
    expected: float, dispersion: float, weeks: int, *, series: int = SERIES, seed: int = 0
) -> tuple[float, float]:
    """Limit and weeks to find a doubling, simulated for one node."""
    baseline = typical_baseline(expected, dispersion, weeks)
    limit = simulated_limit(baseline, np.ones(1), series=series, seed=seed)
    found = simulated_weeks(baseline, limit, series=min(FOUND_IN, series), seed=seed)
    return limit, found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.alarm_limits", description=__doc__)
    parser.add_argument("--series", type=int, default=SERIES, help="a node (%(default)s)")
    parser.add_argument("--to", type=Path, default=TABLE, help="the file (%(default)s)")
    arguments = parser.parse_args(argv)
    nodes = list(product(BASELINE_WEEKS, DISPERSIONS, EXPECTED))
    rows = []
    for done, (weeks, dispersion, expected) in enumerate(nodes):
        if done % len(EXPECTED) == 0:
            print(f"{done} of {len(nodes)} nodes", file=sys.stderr, flush=True)
        limit, found = node(float(expected), float(dispersion), weeks, series=arguments.series)
        rows.append((f"{expected:.6g}", f"{dispersion:g}", weeks, f"{limit:.4g}", f"{found:.4g}"))
    with arguments.to.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    print(f"{len(rows)} nodes in {arguments.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
