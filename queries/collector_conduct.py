"""What pages ask of complaints and contact rules: by collector, and by month."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from queries import complaint_marts
from queries.filters import Filter
from queries.kept import Kept
from queries.marts import Marts, as_text, in_segments
from warehouse import complaint_marts as complaint_tables
from warehouse import conduct_marts as tables

_SEGMENTS = ("product", "region")  # no risk grade
_breaches = Kept(
    tables.breaches,
    "month",
    ("contacts",),
    keys=(tables.breaches.c.collector_id,),
    segments=_SEGMENTS,
    only=(tables.breaches.c.kind == "breach") & tables.breaches.c.in_force,
)
_attempts = Kept(
    tables.rule_attempts,
    "month",
    ("attempts",),
    keys=(tables.rule_attempts.c.collector_id,),
    segments=_SEGMENTS,
    only=tables.rule_attempts.c.since.is_not(None),
)
_received = Kept(complaint_tables.complaint_attempts, "month", ("attempts",), segments=_SEGMENTS)


def breach_months(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """By month: attempts while a rule was in force, and breaches among them (`events`)."""
    done = _attempts.total(marts, chosen, ("month",))
    broken = _breaches.total(marts, chosen, ("month",)).rename({"contacts": "events"})
    return done.join(broken, on="month", how="left").with_columns(pl.col("events").fill_null(0))


def complaint_months(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """By month: attempts, and complaints received (`events`)."""
    done = _received.total(marts, chosen, ("month",))
    rows = in_segments(marts.part("complaints"), replace(chosen, grades=()))
    events = rows.group_by(pl.col("received_on").dt.month_end().alias("month")).len("events")
    joined = done.join(events, on="month", how="left")
    return joined.with_columns(pl.col("events").fill_null(0).cast(pl.Int64))


def complaints(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """By collector: attempts of the window, and complaints received in it that are theirs."""
    done = complaint_marts.collectors(marts, chosen).drop_nulls("collector_id")
    rows = in_segments(marts.part("complaints"), replace(chosen, grades=()))
    theirs = complaint_marts.in_window(rows, chosen).group_by("collector_id").len("complaints")
    return done.join(as_text(theirs), on="collector_id", how="left").select(
        "collector_id", "attempts", pl.col("complaints").fill_null(0).cast(pl.Int64)
    )


def gravest_complaints(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Complaints of grade 4 received by the end of the chosen month, of all segments: a choice of
    product must lift nobody's veto."""
    rows = marts.part("complaints")
    return as_text(rows.filter(pl.col("grade") == 4, pl.col("received_on") <= chosen.as_of))


def breaches(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """By collector: attempts of the window while a rule was in force, and breaches among them.

    A contact that breaks two rules counts twice; attempts of automated queues are nobody's.
    """
    done = _attempts.total(marts, chosen, ("collector_id",))
    broken = _breaches.total(marts, chosen, ("collector_id",))
    named = done.filter(pl.col("collector_id").is_not_null())
    return named.join(broken, on="collector_id", how="left").select(
        "collector_id", "attempts", breaches=pl.col("contacts").fill_null(0)
    )
