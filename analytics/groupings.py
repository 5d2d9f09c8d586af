"""The same counts under the grouping that a reader asks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import polars as pl

from analytics.states import (
    codes_of,
    collapse_late,
    four_grades,
    regulatory_classes,
    remap,
    total,
)

Grouping = Literal["buckets", "every_bucket", "grades", "classes"]
GROUPINGS: tuple[Grouping, ...] = ("buckets", "every_bucket", "grades", "classes")
_MEASURES = ("loans", "_cents", "_squares")


def possible_groupings(buckets: Sequence[str]) -> tuple[Grouping, ...]:
    """The groupings whose edges these buckets meet.

    >>> possible_groupings(["current", "1-30", "31-60", "61-90", "91+"])
    ('buckets', 'every_bucket', 'grades')
    """
    found = []
    for one in GROUPINGS:
        try:
            if one == "grades":
                four_grades(buckets)
            if one == "classes":
                regulatory_classes(buckets, scheme="card")
                regulatory_classes(buckets, scheme="other")
        except ValueError:
            continue
        found.append(one)
    return tuple(found)


def grouped(
    cells: pl.DataFrame,
    buckets: Sequence[str],
    *,
    by: Grouping,
    revolving: Collection[str] = (),
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The cells under a grouping of the buckets, and the grouping's codes in order.

    `buckets`: those over 180 days shown together; `every_bucket`: as they are; `grades`: the
    four grades; `classes`: the five regulatory classes, which cards (products in `revolving`)
    reach sooner than other loans, so the cells must come with their `product`.
    Out: the cells without `product`, added up.  Refuses bounds that the grouping's edges do not
    meet.
    """
    if by == "every_bucket":
        return cells, tuple(buckets)
    if by == "buckets":
        mapping = collapse_late(buckets)
        return remap(cells, mapping), codes_of(mapping)
    if by == "grades":
        mapping = four_grades(buckets)
        return remap(cells, mapping), codes_of(mapping)
    is_card = pl.col("product").is_in(list(revolving))
    card = regulatory_classes(buckets, scheme="card")
    other = regulatory_classes(buckets, scheme="other")
    both = pl.concat([remap(cells.filter(is_card), card), remap(cells.filter(~is_card), other)])
    summed = [name for name in both.columns if name.endswith(_MEASURES)]
    keys = [name for name in both.columns if name not in summed and name != "product"]
    return both.group_by(keys, maintain_order=True).agg(total(name) for name in summed), codes_of(
        card
    )
