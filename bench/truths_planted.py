"""Does the simulator, asked beforehand, forecast what a planted change of strategy brings?

`python -m bench.truths planted`.  Books are generated loan by loan by the sample's generator, go
through load and refresh, and the simulator is asked by the functions of its page
(`bench.planted_changes`).  Twelve months of cash of all loans, with the change less without it.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from bench.planted_changes import AFTER, Asked, ask
from bench.truth import Truth

MOST, LOANS, WORKERS = 150, 16_000, 2
ASKED = (0.70, 0.90)
MEMORY = Path("/dev/shm")
# by how many log-odds each channel in turn is planned more often, and in the next round less: the
# strong and those that hardly do anything alike, for their estimates are drawn together
CHANGES = {
    "call": 1.5, "visit": 2.0, "sms": 1.5, "email": 2.0, "voice_bot": 2.0, "messenger": 2.0,
    "app_push": 1.5, "letter": 2.0,
}  # fmt: skip


def one(book: int, seed: int, loans: int = LOANS) -> Asked:
    """A book of its own, with one of the changes."""
    round_, place = divmod(book, len(CHANGES))
    channel, size = list(CHANGES.items())[place]
    more = {channel: size if round_ % 2 == 0 else -size}
    quick = MEMORY if MEMORY.is_dir() else None  # a refresh commits month by month
    with tempfile.TemporaryDirectory(prefix="planted_", dir=quick) as folder:
        return ask(10_000 * seed + book, more, loans=loans, folder=Path(folder))


def figures(books: int, seed: int) -> list[Truth]:
    """The figure that the simulator must reach on planted changes; at most 150 books."""
    count = min(books, MOST)
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        return judged(list(pool.map(partial(one, seed=seed), range(count))))


def judged(found: list[Asked]) -> list[Truth]:
    """How many realised changes lie within what was said, and how far off it was on average."""
    books = len(found)
    share = float(np.mean([one.is_inside for one in found]))
    misses = np.array([one.miss for one in found])
    error = misses.std(ddof=1) / np.sqrt(books)
    rows = [
        Truth(
            "planted",
            f"realised cash of {AFTER} months within the 80 % said before",
            f"{share:.1%} of {books} (standard error {np.sqrt(share * (1 - share) / books):.1%})",
            f"{ASKED[0]:.0%} to {ASKED[1]:.0%}",
            ASKED[0] <= share <= ASKED[1],
        ),
        Truth(
            "planted",
            "  realised less said, in its standard deviations",
            f"{misses.mean():+.2f} on average (standard error {error:.2f}), spread"
            f" {misses.std():.2f}",
            "",
            True,
        ),
    ]
    return rows + [_of_change(name, found) for name in sorted({one.change for one in found})]


def _of_change(name: str, found: list[Asked]) -> Truth:
    """One kind of change: what came, what was said, each a mean over its books, in thousands."""
    own = [one for one in found if one.change == name]
    real, said, told = (
        np.mean([getattr(one, part) for one in own]) / 1000
        for part in ("real", "mean", "by_attempts")
    )
    inside = np.mean([one.is_inside for one in own])
    text = f"{real:+.0f} came, {said:+.0f} was said, {told:+.0f} told in attempts; {inside:.0%} in"
    return Truth("planted", f"  {name} log-odds, thousands", text, "", True)
