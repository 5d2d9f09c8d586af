"""What the Simulator asks of the marts: the moves of money, and how cases were treated.

Treatment is by product, grade and stage over the filter's months.  `reminder` is the stage of
loans that are not late.  A mart that this version lacks gives no rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl
import sqlalchemy as sa

from queries.conduct import is_there, packs
from queries.filters import Filter
from queries.marts import Marts, added, as_text, in_segments
from warehouse import complaint_marts, recovery_marts, strategy_marts
from warehouse import marts as portfolio_marts
from warehouse.pack_limits import DailyCap, RollingCap

BY = ("product", "grade")
PLANS = ("instalments", "deferrals", "rate_cuts", "term_extensions", "restructures")
OFFERED = (*PLANS, "open_cases", "settlements", "settled_cents", "settled_base_cents", "filings",
           "legal_cents")  # fmt: skip
DAYS_A_MONTH = 365.25 / 12
_KINDS: tuple[tuple[type, type[pl.DataType]], ...] = (
    (sa.Date, pl.Date),
    (sa.BigInteger, pl.Int64),
    (sa.Double, pl.Float64),
    (sa.Boolean, pl.Boolean),
)
_MOVES = ("loans", "opening_cents", "opening_squares", "closing_cents", "paid_cents")


def _rows(
    marts: Marts, mart: sa.Table, chosen: Filter, month: str | None = "month"
) -> pl.DataFrame:
    """A mart's rows in the chosen segments and months; none where the version lacks it."""
    if not marts.holds(mart):
        return pl.DataFrame(schema={column.name: _kind(column) for column in mart.columns})
    rows = marts.part(mart.name)
    for name in chosen.segments():
        if name not in rows.columns:  # complaints have no grade, partners no segment at all
            chosen = chosen.without(name)
    rows = in_segments(rows, chosen)
    return rows.filter(pl.col(month).is_between(*chosen.months())) if month else rows


def _kind(column: sa.Column) -> type[pl.DataType]:
    for of, kind in _KINDS:
        if isinstance(column.type, of):
            return kind
    return pl.String


def _added(rows: pl.DataFrame, keys: Sequence[str], sums: Sequence[str]) -> pl.DataFrame:
    return added(rows, keys, [name for name in sums if name in rows.columns])


def moves(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Money by month, pair of states, product and grade: all months until the filter's."""
    rows = in_segments(marts.part(portfolio_marts.transitions.name, chosen.basis), chosen)
    keys = ("month", "from_state", "to_state", *BY)
    return _added(rows.filter(pl.col("month") <= chosen.as_of), keys, _MOVES)


def stock(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Money by bucket, product and grade at the filter's month."""
    mart = portfolio_marts.stocks.name
    rows = in_segments(marts.between(mart, chosen.basis, chosen.as_of, chosen.as_of), chosen)
    return _added(rows, ("month", "bucket", *BY), ("loans", "weight_cents"))


def work(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Attempts by product, grade, stage and channel, and what they cost where that is recorded."""
    rows = _rows(marts, recovery_marts.channel_work, chosen)
    return _added(rows, (*BY, "stage", "channel"), ("attempts", "costed_attempts", "cost_cents"))


def cases(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Case-months (open at a month's start), and their cash, by product, grade and stage."""
    rows = _rows(marts, recovery_marts.collections_months, chosen)
    rows = rows.filter(pl.col("stage").is_not_null())
    return _added(rows, (*BY, "stage"), ("open_cases", "open_cents", "owner_cents"))


def first_days(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Cases by the working day of their first attempt, by product and stage."""
    rows = _rows(marts, recovery_marts.first_contacts, chosen, "opened_month")
    rows = rows.filter(pl.col("kind") == "attempt")
    return _added(rows, ("product", "stage", "working_day"), ("contacted",))


def gaps(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Days between attempts on cases opened in the months, added up, and how many such gaps.

    None in marts of an older version.
    """
    rows = _rows(marts, strategy_marts.segment_cases, chosen, "opened_month")
    if rows.is_empty() or "attempt_gaps" not in rows.columns:
        return pl.DataFrame()
    rows = rows.filter(pl.col("scheme") == "grade", pl.col("attempt_gaps") > 0)
    return _added(rows, (*BY, "stage"), ("attempt_gaps", "gap_days"))


def placed(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Cases by product, grade, stage and agency (null: in-house or automated)."""
    rows = _rows(marts, recovery_marts.placements, chosen, "placed_month")
    return _added(
        rows.filter(pl.col("unit") == "case"),
        (*BY, "stage", "agency_id"),
        ("cases", "placed_cents"),
    )


def partners(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The agencies and their commission."""
    return as_text(_rows(marts, recovery_marts.partners, chosen, None))


def people(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The lender's own collectors: hours and pay a month."""
    rows = as_text(_rows(marts, recovery_marts.owners, chosen, None))
    return rows.filter(pl.col("agency_id").is_null())


def spending(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """What was spent by kind, and once only or not."""
    rows = _rows(marts, recovery_marts.spending, chosen)
    return _added(rows, ("kind", "is_one_off"), ("amount_cents",))


def complaint_counts(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Complaints and attempts by channel: all months until the filter's, for they are few."""
    said = _rows(marts, complaint_marts.complaints, chosen, None)
    done = _rows(marts, complaint_marts.complaint_attempts, chosen, None)
    keys = ("channel",)
    counted = as_text(
        _until(said, chosen.as_of).group_by(keys).agg(complaints=pl.len().cast(pl.Int64))
    )
    tried = _added(_until(done, chosen.as_of), keys, ("attempts",))
    return tried.join(counted, on="channel", how="full", coalesce=True, nulls_equal=True)


def complaints(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Complaints by the month and the number of attempts on their case."""
    rows = _rows(marts, complaint_marts.complaints, chosen, None)
    return as_text(rows.select("worked_month", "case_attempts", "product", "stage"))


def intensity(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Case-months by the number of attempts on them."""
    rows = _until(_rows(marts, complaint_marts.complaint_intensity, chosen, None), chosen.as_of)
    return _added(rows, ("month", "product", "stage", "case_attempts"), ("cases", "attempts"))


def influence(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The sums that effects are made of, by question, stage and arm; outcome: resolved."""
    rows = _rows(marts, recovery_marts.effect_influence, chosen, None)
    sums = [
        column.name
        for column in recovery_marts.effect_influence.columns
        if not isinstance(column.type, sa.Text)
    ]
    keys = ("question", "outcome", "stage", "arm", "reason")
    return _added(rows.filter(pl.col("outcome") == "resolved"), keys, sums)


def agency_effects(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Agencies against in-house on like cases: log odds of resolution in 90 days, whole book."""
    rows = as_text(_rows(marts, recovery_marts.owner_effects, chosen, None))
    return rows.filter(pl.col("owner_kind") == "agency", pl.col("outcome") == "resolved")


def curve_windows(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """What cases paid by month since opening, or since their suit was filed, in any month."""
    return _rows(marts, strategy_marts.curve_windows, chosen, None)


def _until(rows: pl.DataFrame, as_of: date) -> pl.DataFrame:
    return rows if rows.is_empty() else rows.filter(pl.col("month") <= as_of)


def contact_caps(marts: Marts) -> pl.DataFrame:
    """At most how many attempts a month the rules in use allow on a loan: `rule`, `channels`
    (none named: all), `per_month`, `least_gap` in days; no rows where no pack caps attempts.

    A cap on so many consecutive days is spread over the days of a month, and attempts that far
    apart keep it; one on a contact point counts as one on the loan.
    """
    rows = []
    for pack in packs(marts) if is_there(marts) else ():
        for rule in pack.rules:
            if isinstance(rule.limit, RollingCap):
                rows.append(
                    (rule.sentence, list(rule.channels), rule.limit.at_most, rule.limit.days)
                )
            elif isinstance(rule.limit, DailyCap) and rule.limit.counts == "all":
                rows.append((rule.sentence, list(rule.channels), rule.limit.at_most, 1))
    schema = pl.Schema(
        {
            "rule": pl.String(),
            "channels": pl.List(pl.String()),
            "at_most": pl.Int64(),
            "days": pl.Int64(),
        }
    )
    found = pl.DataFrame(rows, schema=schema, orient="row")
    return found.select(
        "rule",
        "channels",
        per_month=pl.col("at_most") * DAYS_A_MONTH / pl.col("days"),
        least_gap=pl.col("days") / pl.col("at_most"),
    )


def offers(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Plans, settlements and suits by product, grade and stage; no rows in older versions."""
    rows = _rows(marts, strategy_marts.treatment_months, chosen)
    rows = rows.filter(pl.col("stage").is_not_null())
    return _added(rows, (*BY, "stage"), OFFERED)
