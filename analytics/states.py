"""Where a loan can be: the buckets in order, and other groupings of the same buckets.

A book of states is its buckets (`current`, `1-30`, ..., `361+`), then three ways of
leaving (`charged_off`, `sold`, `paid_off`).  Beside them stand `unmatched` (a loan with no
row a month later) and `new` and `appeared` (a loan's first row).  A grouping is a dict from
bucket to code; leaving states are never grouped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import polars as pl

CURRENT = "current"
CHARGED_OFF, SOLD, PAID_OFF = "charged_off", "sold", "paid_off"
TERMINAL = (CHARGED_OFF, SOLD, PAID_OFF)
UNMATCHED = "unmatched"
ENTRIES = ("new", "appeared")
BESIDE = (*TERMINAL, UNMATCHED, *ENTRIES)

_STATE_COLUMNS = ("from_state", "to_state", "bucket")
_SUMMED_ENDINGS = ("loans", "_cents", "_squares")

REGULATORY_BOUNDS = {"card": (90, 120, 180), "other": (90, 270, 360)}


def state_order(buckets: Sequence[str]) -> tuple[str, ...]:
    """All states in order, from best to worst, then those that left.

    >>> state_order(["current", "1-30", "31+"])
    ('current', '1-30', '31+', 'charged_off', 'sold', 'paid_off')
    """
    return (*buckets, *TERMINAL)


def codes_of(mapping: Mapping[str, str]) -> tuple[str, ...]:
    """The codes of a grouping, in the order of its buckets: the `buckets` of what it makes.

    >>> codes_of({"current": "current", "1-30": "late", "31+": "late"})
    ('current', 'late')
    """
    return tuple(dict.fromkeys(mapping.values()))


def day_range(bucket: str) -> tuple[int, int | None]:
    """First and last day past due of a bucket, from its code; no last day where it is open.

    >>> day_range("31-60"), day_range("361+"), day_range("current")
    ((31, 60), (361, None), (0, 0))
    """
    if bucket == CURRENT:
        return 0, 0
    first, dash, last = bucket.partition("-")
    if dash and first.isdigit() and last.isdigit():
        return int(first), int(last)
    if bucket.endswith("+") and bucket[:-1].isdigit():
        return int(bucket[:-1]), None
    raise ValueError(f"{bucket!r} is not a bucket of days (`current`, `31-60` or `361+`)")


def beyond(buckets: Sequence[str], days: int) -> int:
    """Rank of the first bucket wholly later than `days`; 29 and 30 count as the same edge.

    Refuses a day that no bucket ends at: a loan could be on either side of it.

    >>> beyond(["current", "1-29", "30-59", "60+"], 30)
    2
    """
    for rank, bucket in enumerate(buckets[:-1]):
        last = day_range(bucket)[1]
        if last == days or (last == days - 1 and rank > 0):
            return rank + 1
    raise ValueError(f"no bucket ends at {days} days past due; the buckets are {list(buckets)}")


def remap(cells: pl.DataFrame, mapping: Mapping[str, str]) -> pl.DataFrame:
    """The same loans and money counted under another grouping of the buckets.

    In: any cells with `from_state`, `to_state` or `bucket`.  Out: the same columns, one row
    per combination of everything that is not a count or a sum.  Totals never change: counts
    (`loans`, `*_loans`), money (`*_cents`) and squares (`*_squares`) are added up, and a sum
    is null where a part of it is.  Refuses a bucket that the grouping does not name and any
    other number, which could not be added.
    """
    present = [column for column in _STATE_COLUMNS if column in cells.columns]
    if not present:
        raise ValueError(f"none of {list(_STATE_COLUMNS)} is a column of the cells")
    full = {**mapping, **{state: state for state in BESIDE}}
    for column in present:
        _refuse_unknown(cells[column].unique().to_list(), full, column)
    summed = [column for column in cells.columns if column.endswith(_SUMMED_ENDINGS)]
    keys = [column for column in cells.columns if column not in summed]
    numbers = [column for column in keys if cells.schema[column].is_numeric()]
    if numbers:
        raise ValueError(f"{numbers} are neither counts nor sums: regroup the cells, not rates")
    return (
        cells.with_columns(pl.col(column).replace_strict(full) for column in present)
        .group_by(keys, maintain_order=True)
        .agg(total(column) for column in summed)
        .select(cells.columns)
    )


def total(column: str) -> pl.Expr:
    """The sum of a column, null where a part of it is missing (a plain sum would call it 0)."""
    return pl.when(pl.col(column).null_count() == 0).then(pl.col(column).sum()).alias(column)


def collapse_late(buckets: Sequence[str], above: int = 180) -> dict[str, str]:
    """The latest buckets shown together: 181-270, 271-360 and 361+ as `181+`.

    Where no bucket ends later than `above` there is nothing to show together and the
    buckets stay.  Refuses an `above` that lies inside a bucket.
    """
    if all((day_range(bucket)[1] or 0) <= above for bucket in buckets[:-1]) and (
        day_range(buckets[-1])[0] <= above + 1
    ):
        return {bucket: bucket for bucket in buckets}
    first = beyond(buckets, above)
    code = f"{day_range(buckets[first])[0]}+"
    return {bucket: bucket if rank < first else code for rank, bucket in enumerate(buckets)}


def four_grades(buckets: Sequence[str], *, bounds: Sequence[int] = (30, 90)) -> dict[str, str]:
    """The four grades of collections: normal, light (1-30), medium (31-90), heavy (91+)."""
    return grouping(buckets, bounds, ("normal", "light", "medium", "heavy"))


def stages(buckets: Sequence[str], *, bounds: Sequence[int] = (30, 90)) -> dict[str, str]:
    """Stages of collections: early (1-30), middle (31-90), late (91+); sources differ on 31-60."""
    return grouping(buckets, bounds, (CURRENT, "early", "middle", "late"))


def regulatory_classes(
    buckets: Sequence[str],
    *,
    scheme: Literal["card", "other"],
    bounds: Sequence[int] | None = None,
) -> dict[str, str]:
    """The five regulatory classes by days past due alone, as a grouping of the same buckets.

    Cards: special mention 1-90, substandard 91-120, doubtful 121-180, loss beyond.  Other
    loans: 1-90, 91-270, 271-360, beyond.  A lender classifies on more than days: this is the
    class that lateness alone gives.
    """
    if scheme not in REGULATORY_BOUNDS:
        raise ValueError(f"scheme must be one of {list(REGULATORY_BOUNDS)}, not {scheme!r}")
    codes = ("normal_class", "special_mention", "substandard", "doubtful", "loss")
    return grouping(buckets, bounds or REGULATORY_BOUNDS[scheme], codes)


def grouping(buckets: Sequence[str], bounds: Sequence[int], codes: Sequence[str]) -> dict[str, str]:
    """Current as the first code, then one code for the days up to each bound, one beyond.

    Refuses bounds that do not nest: each must be a day that some bucket ends at.

    >>> grouping(["current", "1-30", "31-60", "61+"], [30], ["fine", "late", "very late"])
    {'current': 'fine', '1-30': 'late', '31-60': 'very late', '61+': 'very late'}
    """
    if list(bounds) != sorted(set(bounds)) or len(codes) != len(bounds) + 2:
        raise ValueError(f"{list(bounds)} must rise and be two fewer than {list(codes)}")
    if buckets[0] != CURRENT:
        raise ValueError(f"the first bucket must be {CURRENT!r}, not {buckets[0]!r}")
    edges = [1, *(beyond(buckets, bound) for bound in bounds)]
    ranks = [sum(rank >= edge for edge in edges) for rank in range(len(buckets))]
    return {bucket: codes[rank] for bucket, rank in zip(buckets, ranks, strict=True)}


def _refuse_unknown(found: Iterable[str | None], known: Iterable[str], column: str) -> None:
    unknown = sorted({repr(value) for value in found} - {repr(value) for value in known})
    if unknown:
        raise ValueError(f"{column} holds {', '.join(unknown)}, which is none of {list(known)}")
