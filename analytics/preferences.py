"""Is the channel that the debtor prefers the one that is used?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from analytics.channels import CONFIDENCE, MINIMUM, check_counts, with_wilson


def preference_met(
    work: pl.DataFrame,
    *,
    over: Sequence[str] = ("channel",),
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM,
) -> pl.DataFrame:
    """Of the attempts on debtors whose preferred channel is recorded, how many used it?

    share = attempts through the preferred channel / attempts on debtors with a preference on
    record (S056).  Attempts on the others are counted beside it, in no share.

    In: rows with `over`, `attempts`, `preference_known`, `preferred`.  Out: a row per `over`
    with `attempts`, `numerator` = preferred, `denominator` = preference known, `share`, `low`,
    `high` (Wilson), `is_small`.
    Null: nobody's preference is on record.  Refuses: missing or negative counts, more met than
    known.
    Misleads: a preference is what somebody once said, not what works; attempts on one debtor are
    not independent, so intervals are too narrow.

    >>> rows = pl.DataFrame({"channel": ["sms"], "attempts": [10], "preference_known": [8],
    ...                      "preferred": [2]})
    >>> preference_met(rows)["share"][0]
    0.25
    """
    parts = ["attempts", "preference_known", "preferred"]
    check_counts(work, [*over, *parts], parts)
    summed = work.group_by(over).agg(pl.col(parts).sum()).sort(over)
    if (summed["preferred"] > summed["preference_known"]).any():
        raise ValueError("more preferences met than known")
    rows = summed.rename({"preferred": "numerator", "preference_known": "denominator"})
    return with_wilson(rows, confidence, minimum)
