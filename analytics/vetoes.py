"""The veto (一票否决): which complaint sets whose score aside, and until when?"""

from __future__ import annotations

from datetime import date

import polars as pl

GRADE = 4
MONTHS = 3
COLUMNS = (
    "complaint_id",
    "grade",
    "contact_id",
    "named_collector_id",
    "resolved_at",
    "outcome",
    "appealed_at",
    "appeal_outcome",
)


def veto_ledger(complaints: pl.DataFrame, *, months: int = MONTHS) -> pl.DataFrame:
    """Which complaint sets aside whose score, from when to when, and was it lifted?

    A complaint of grade 4 that was upheld (wholly, not in part), names a contact, and whose
    contact names the collector, sets that collector's composite score aside for three months (a
    setting) from the day it was resolved.  Never because somebody was merely the last to call.
    An appeal that reverses it lifts it, as if it had never been upheld: when the appeal was
    decided is not recorded, only when it was made (`lifted_on`).

    In: rows with `grade`, `outcome`, `contact_id`, `named_collector_id`, `resolved_at`,
    `appealed_at`, `appeal_outcome`.  Out: a row for each such complaint, newest first:
    `complaint_id`, `collector_id`, `contact_id`, `from_on`, `until_on` (the first day on which the
    score stands again; 30 November and three months: 28 February), `is_lifted`, `lifted_on`, `why`
    (`appeal_reversed`).
    Null: `lifted_on` and `why` where it was not lifted; `lifted_on` without a date of the appeal.
    Refuses: columns that are not there, fewer than one month.
    Misleads: the gravest complaints are the slowest to resolve: a score may stand while one waits.
    """
    if months < 1:
        raise ValueError(f"a veto lasts at least one month, not {months}")
    if missing := set(COLUMNS) - set(complaints.columns):
        raise ValueError(f"complaints lack {', '.join(sorted(missing))}")
    reversed_ = (pl.col("appeal_outcome") == "reversed").fill_null(False)
    begun = pl.col("resolved_at").cast(pl.Date)
    return (
        complaints.filter(
            pl.col("grade") == GRADE,
            pl.col("outcome") == "upheld",
            pl.col("contact_id").is_not_null(),
            pl.col("named_collector_id").is_not_null(),
            pl.col("resolved_at").is_not_null(),
        )
        .select(
            "complaint_id",
            "contact_id",
            collector_id="named_collector_id",
            from_on=begun,
            until_on=begun.dt.offset_by(f"{months}mo"),
            is_lifted=reversed_,
            lifted_on=pl.when(reversed_).then(pl.col("appealed_at").cast(pl.Date)),
            why=pl.when(reversed_).then(pl.lit("appeal_reversed")),
        )
        .select("complaint_id", "collector_id", pl.exclude("complaint_id", "collector_id"))
        .sort("from_on", "complaint_id", descending=[True, False])
    )


def vetoed(ledger: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """Whose score is set aside on this day, by which complaints, and until when?

    In force from `from_on` to the day before `until_on`, unless lifted.
    In: the ledger.  Out: one row a collector: `collector_id`, `complaint_ids`, `from_on` (the
    first) and `until_on` (the last of those in force), by collector.
    Null: nothing.  Refuses: nothing.
    Misleads: a day in the past shows what is known now, appeals included.
    """
    here = (pl.col("from_on") <= on) & (pl.col("until_on") > on) & ~pl.col("is_lifted")
    return (
        ledger.filter(here)
        .group_by("collector_id")
        .agg(
            pl.col("complaint_id").sort().alias("complaint_ids"),
            pl.col("from_on").min(),
            pl.col("until_on").max(),
        )
        .sort("collector_id")
    )
