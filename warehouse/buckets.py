"""Delinquency buckets: upper bounds in days past due, a setting applied at refresh.

The default bounds are 30, 60, 90, ... so that the buckets are current (0),
1-30, 31-60, ...; 29, 59, 89, ... is the other common edge.  Every day falls in
exactly one bucket, and bucket n of the first six is also n months past due.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

DEFAULT_BOUNDS = (30, 60, 90, 120, 150, 180, 270, 360)
CURRENT = "current"


def bucket_codes(bounds: Sequence[int] = DEFAULT_BOUNDS) -> tuple[str, ...]:
    """The buckets' codes in order: `current`, `1-30`, `31-60`, ..., `361+`."""
    if list(bounds) != sorted(set(bounds)) or not bounds or bounds[0] < 1:
        raise ValueError(f"bucket bounds must rise from 1 day up, not {list(bounds)}")
    for days in (30, 60, 90, *([180] if bounds[-1] > 180 else [])):
        if not {days, days - 1} & set(bounds):
            raise ValueError(f"a bucket must end at {days} (or {days - 1}) days: {list(bounds)}")
    lowers = [1, *(bound + 1 for bound in bounds)]
    codes = [f"{low}-{high}" for low, high in zip(lowers, bounds, strict=False)]
    return (CURRENT, *codes, f"{lowers[-1]}+")


def month_bounds(bounds: Sequence[int] = DEFAULT_BOUNDS) -> tuple[int, ...]:
    """The same bounds counted in missed instalments: 30 or 29 days is 1, 60 or 59 is 2, ..."""
    return tuple(round(bound / 30) for bound in bounds)


def bucket_of(value: Any, bounds: Sequence[int], codes: Sequence[str]) -> Any:
    """SQL: the code of the bucket that a number of days (or of months) falls in."""
    whens = [(value == 0, codes[0])]
    whens += [(value <= bound, code) for bound, code in zip(bounds, codes[1:], strict=False)]
    return sa.case(*[(test, sa.literal(code, sa.Text)) for test, code in whens], else_=codes[-1])
