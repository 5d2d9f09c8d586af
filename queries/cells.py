"""A mart's cells as arrays in memory: sums over any months and values, by any of its columns."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Array = npt.NDArray[Any]
MOST_CASES = 2**31 - 1
MOST_PLACES = 1_000_000  # of combinations of keys that are counted as an array


@dataclass(frozen=True)
class Key:
    """A column to group by: each row's code, and what the codes stand for (null last)."""

    codes: Array
    labels: pl.Series

    @cached_property
    def values(self) -> list[Any]:
        return self.labels.to_list()


@dataclass(frozen=True)
class Cells:
    """Rows of sums, oldest month first: adding arrays up costs a third of a statement's CPU."""

    months: list[date]
    starts: list[int]  # the first row of each month, and the number of rows
    keys: Mapping[str, Key]
    sums: Mapping[str, Array]
    known: Mapping[str, Array]  # of sums that are missing in some rows: where they are not
    whole: frozenset[str]  # sums of counts and cents

    @property
    def bytes_in_memory(self) -> int:
        codes = sum(key.codes.nbytes for key in self.keys.values())
        return int(codes + sum(values.nbytes for values in self.sums.values()))

    def total(
        self,
        between: tuple[date, date] | None,
        where: Mapping[str, Collection[Any]],
        by: Sequence[str],
        names: Sequence[str],
    ) -> pl.DataFrame:
        """Sums by `by`, in order, over some months (None: all) and the values in `where`.

        What is missing is left out of a sum; a sum of nothing is missing.
        """
        first, last = 0, self.starts[-1]
        if between is not None:
            first = self.starts[bisect_left(self.months, between[0])]
            last = self.starts[bisect_right(self.months, between[1])]
        rows: Any = slice(first, last)
        kept = [
            np.array([one in values for one in self.keys[name].values], bool)[
                self.keys[name].codes[rows]
            ]
            for name, values in where.items()
        ]
        if kept:
            rows = first + np.flatnonzero(np.logical_and.reduce(kept))
        sizes = [len(self.keys[name].labels) for name in by]
        code = np.zeros(len(range(first, last)) if not kept else len(rows), dtype=np.int64)
        for name, size in zip(by, sizes, strict=True):
            code = code * size + self.keys[name].codes[rows]
        width = int(np.prod(sizes, dtype=np.int64))
        if width <= max(code.size, MOST_PLACES):
            there = counted = np.flatnonzero(np.bincount(code, minlength=width))
        else:  # thousands of owners by days: most combinations are not there
            there, code = np.unique(code, return_inverse=True)
            width, counted = there.size, np.arange(there.size)
        places = np.unravel_index(there, sizes) if by else ()
        groups: dict[str, pl.Series] = {
            name: self.keys[name].labels.gather(place)
            for name, place in zip(by, places, strict=True)
        }
        found = {name: self._added(name, code, rows, width, counted) for name in names}
        return pl.DataFrame(groups | found)

    def _added(self, name: str, code: Array, rows: Any, width: int, counted: Array) -> pl.Series:
        values: Array = np.bincount(code, self.sums[name][rows], minlength=width)[counted]
        exact = np.rint(values).astype(np.int64) if name in self.whole else values.astype(float)
        found = pl.Series(exact)  # of no rows numpy counts whole numbers
        if name not in self.known:
            return found
        count = np.bincount(code, self.known[name][rows], minlength=width)[counted]
        return pl.select(pl.when(pl.Series(count > 0)).then(found)).to_series()


def cells_of(rows: pl.DataFrame, month: str, names: Sequence[str]) -> Cells:
    """A frame's rows as cells: `names` are its sums, all other columns its keys."""
    rows = rows.sort(month, maintain_order=True)
    months = rows[month].unique().sort().to_list()
    return Cells(
        months=months,
        starts=[*[int(rows[month].search_sorted(one, "left")) for one in months], rows.height],
        keys={name: _key(rows[name]) for name in rows.columns if name not in names},
        sums={name: _compact(rows[name].fill_null(0)) for name in names},
        known={
            name: rows[name].is_not_null().to_numpy() for name in names if rows[name].has_nulls()
        },
        whole=frozenset(name for name in names if rows[name].dtype.is_integer()),
    )


def _key(values: pl.Series) -> Key:
    labels = values.unique().sort(nulls_last=True)
    known = labels.drop_nulls()
    codes = values.replace_strict(known, pl.Series(range(len(known)), dtype=pl.UInt16),
                                  default=len(known), return_dtype=pl.UInt16)  # fmt: skip
    return Key(codes.to_numpy(), labels)


def _compact(values: pl.Series) -> Array:
    """Whole numbers in four bytes where they fit."""
    if values.dtype.is_integer() and values.len() and values.abs().max() <= MOST_CASES:  # type: ignore[operator]
        values = values.cast(pl.Int32)
    return values.to_numpy()
