"""Random numbers by loan: two books that differ by a change of strategy have the same luck.

Streams give one number after the other: one loan late more, and everybody after it draws
another fate.  From the month of a change on each loan has numbers of its own, whatever became of
the others, so that what differs between a book with the change and the same book with a change of
nothing (log-odds of 0) is what the change did.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from warehouse.sample.model import Array


class OwnNumbers:
    """Draws for some loans, in their order: every loan's are drawn and theirs are taken.

    A draw of another size than these loans comes from a stream of its own.
    """

    def __init__(self, seed: tuple[int, ...], loans: int, which: Array) -> None:
        self._loans, self._which = loans, which
        self._all, self._others = (
            np.random.Generator(np.random.SFC64(part))
            for part in np.random.SeedSequence(seed).spawn(2)
        )

    def random(self, size: int, dtype: Any = np.float64) -> Array:
        return self._taken("random", size, dtype=dtype)

    def standard_normal(self, size: int) -> Array:
        return self._taken("standard_normal", size)

    def integers(self, low: int, high: int, size: int) -> Array:
        return self._taken("integers", size, low=low, high=high)

    def _taken(self, kind: str, size: int, **options: Any) -> Array:
        if size != len(self._which):
            return np.asarray(getattr(self._others, kind)(size=size, **options))
        return np.asarray(getattr(self._all, kind)(size=self._loans, **options))[self._which]


Numbers = np.random.Generator | OwnNumbers
