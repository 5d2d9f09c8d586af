"""Sums of a mart that are kept in memory as cells, so that a choice only adds arrays up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy import BigInteger, cast, func

from queries.filters import Filter
from queries.loan_states import SEGMENTS
from queries.marts import Marts


@dataclass(frozen=True, eq=False)
class Kept:
    """A mart's `sums` by its month, the segments and `keys`; of the rows that `only` lets in.

    Asked of the published file once a version, and the smaller the fewer keys it has.  `month`
    names the month that a choice is about; `prefix` stands before the names of the sums.
    """

    table: sa.Table
    month: str
    sums: tuple[str, ...]
    keys: tuple[Any, ...] = ()
    segments: tuple[str, ...] = SEGMENTS
    only: Any = None
    prefix: str = ""

    def total(
        self,
        marts: Marts,
        chosen: Filter | None,
        by: Sequence[str],
        *,
        where: Mapping[str, Collection[Any]] | None = None,
        names: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """The sums by `by`, in order, over a choice (None: over the whole book, every month)."""
        cells = marts.cells(self, self._select, self.month, self.sums)
        inside = dict(where or {})
        if chosen is not None:
            values = chosen.segments()
            inside |= {name: values[name] for name in self.segments if values[name]}
        months = chosen.months() if chosen is not None else None
        return cells.total(months, inside, by, names or self.sums)

    def _select(self) -> sa.Select:
        names = (self.month, *self.segments)
        by = [*[self.table.c[name] for name in names], *self.keys]
        select = sa.select(*by, *sums(self.table, self.sums, self.prefix)).group_by(*by)
        return select if self.only is None else select.where(self.only)


def sums(table: sa.Table, names: Iterable[str], prefix: str = "") -> list[Any]:
    """Sums of a mart's columns: counts and cents stay whole."""
    return [
        (
            cast(func.sum(table.c[prefix + name]), BigInteger)
            if isinstance(table.c[prefix + name].type, BigInteger)
            else func.sum(table.c[prefix + name])
        ).label(name)
        for name in names
    ]
