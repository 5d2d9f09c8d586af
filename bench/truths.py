"""Do the estimates find what was planted?

`python -m bench.truths [collectors | channels | complaints | simulator | planted]`
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from bench import (
    truths_amounts,
    truths_channels,
    truths_collectors,
    truths_complaints,
    truths_simulator,
)
from bench.truth import Truth


def _planted(books: int, seed: int) -> list[Truth]:
    """The only group that needs the app's own figures: a warehouse and a page's functions."""
    from bench import truths_planted

    return truths_planted.figures(books, seed)


GROUPS = {
    "collectors": truths_collectors.figures,
    "channels": lambda books, seed: [
        *truths_channels.figures(books, seed),
        *truths_amounts.figures(books, seed),
    ],
    "complaints": truths_complaints.figures,
    "simulator": truths_simulator.figures,
    "planted": _planted,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.truths", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"{', '.join(GROUPS)} (all)")
    parser.add_argument("--books", type=int, default=500, help="books of each kind (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="(%(default)s)")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.groups) - set(GROUPS):
        parser.error(f"no group {', '.join(sorted(unknown))}: {', '.join(GROUPS)}")
    started = time.monotonic()
    rows = [
        row
        for group in arguments.groups or GROUPS
        for row in GROUPS[group](arguments.books, arguments.seed)
    ]
    cells = [row[:4] for row in rows]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print(f"{arguments.books} books of each kind, seed {arguments.seed}, 95 % intervals")
    for row, shown in zip(rows, cells, strict=True):
        text = "  ".join(f"{cell:<{width}}" for cell, width in zip(shown, wide, strict=True))
        print((text + ("" if row.is_reached else "  MISSED")).rstrip())
    print(f"{time.monotonic() - started:.0f} s")
    return 0 if all(row.is_reached for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
