"""The marts of contacts, promises and credited cash: of a month, and of a cohort."""

from __future__ import annotations

from datetime import date

import polars as pl

from jobs.case_book import CaseBook
from jobs.credited_cash import RULES, credited_payments
from jobs.landmarks import landmark_frames
from jobs.mart_frames import mart_frame
from jobs.months import as_text
from jobs.timeline import timeline_frame
from queries.contacts import ARRIVED, UNREACHED
from queries.loan_states import SEGMENTS, BookShape
from warehouse.contract import RIGHT_PARTY

NOBODY = "none"  # a channel's place where no contact is credited: self-cure
REMINDER = "reminder"  # a stage's place where there is no case yet
MONTH_MARTS = ("owner_work", "channel_work", "channel_fit", "channel_cash")
COHORT_MARTS = ("timeline", "landmarks", "landmark_costs")
OWNER = ["collector_id", "team", "agency_id"]
SEGMENT = list(SEGMENTS)
_DONE = ("attempts", "reached", "right_party", "promises")
_COST = pl.when(pl.col("costed_attempts") > 0).then("cost_cents")
_ARRIVED = ("delivered", "invalid", "opened", "clicked", "costed_attempts", "cost_cents")
_MATURED = ("matured", "kept", "matured_cents", "kept_cents")


def compute_month(month: date, shape: BookShape, book: CaseBook) -> dict[str, pl.DataFrame]:
    """What owners and channels did in a month, and the cash that followed, by mart name."""
    found: dict[str, list[pl.DataFrame]] = {name: [] for name in MONTH_MARTS}
    if "cases" in shape.tables:
        found["owner_work"].append(_open_cases(book.active(month)))
        if "contacts" in shape.tables:
            attempts = book.described(_by_case(book.attempts.month(month)), month)
            found["owner_work"].append(_owner_attempts(attempts))
            found["channel_work"].append(_channel_attempts(attempts))
            fit = attempts.group_by("channel", "bucket", "amount_band", *SEGMENT)
            found["channel_fit"].append(fit.agg(pl.col("attempts").sum()))
        if "promises" in shape.tables:
            kept = book.described(book.promises.matured(month), month)
            found["owner_work"].append(kept.group_by(*OWNER, *SEGMENT).agg(pl.col(_MATURED).sum()))
            of_attempts = kept.filter(pl.col("channel").is_not_null())
            groups = of_attempts.group_by("channel", "stage", *SEGMENT)
            found["channel_work"].append(groups.agg(pl.col(_MATURED).sum()))
        if "payments" in shape.tables:
            cash = book.cash(month)
            by_owner = cash.group_by(*OWNER, *SEGMENT)
            found["owner_work"].append(by_owner.agg(pl.col("cents").sum().alias("cash_cents")))
            has_contacts = "contacts" in shape.tables
            credited = credited_payments(cash, month, book) if has_contacts else None
            found["channel_cash"].append(_channel_cash(cash, credited))
    if "contacts" in shape.tables:
        rows = _reminders(book.attempts.reminders(month))
        found["channel_work"].append(_channel_attempts(rows, stage=REMINDER))
    whole = {
        name: mart_frame(
            name, [as_text(frame).with_columns(month=pl.lit(month)) for frame in frames]
        )
        for name, frames in found.items()
    }
    return whole | {"channel_work": whole["channel_work"].with_columns(cost_cents=_COST)}


def compute_cohort(month: date, shape: BookShape, book: CaseBook) -> dict[str, pl.DataFrame]:
    """The timeline and the landmark cases of the cases that were opened in a month."""
    found: dict[str, list[pl.DataFrame]] = {name: [] for name in COHORT_MARTS}
    if "cases" in shape.tables:
        found["timeline"].append(timeline_frame(month, shape, book))
        for name, frame in landmark_frames(month, shape, book).items():
            found[name].append(frame)
    return {
        name: mart_frame(
            name, [as_text(frame).with_columns(opened_month=pl.lit(month)) for frame in frames]
        )
        for name, frames in found.items()
    }


def _open_cases(cases: pl.DataFrame) -> pl.DataFrame:
    return cases.group_by(*OWNER, *SEGMENT).agg(open_cases=pl.len().cast(pl.Int64))


def _owner_attempts(attempts: pl.DataFrame) -> pl.DataFrame:
    """A case that several channels attempted was worked once."""
    return attempts.group_by(*OWNER, *SEGMENT).agg(
        pl.col(_DONE).sum(), worked_cases=pl.col("case_id").n_unique().cast(pl.Int64)
    )


def _channel_attempts(attempts: pl.DataFrame, *, stage: str | None = None) -> pl.DataFrame:
    """By channel and stage; without cases, as reminders are, none was worked."""
    if stage is not None:
        attempts = attempts.with_columns(stage=pl.lit(stage))
    has_cases = stage is None
    known = pl.col("preferred_channel").is_not_null()
    met = pl.col("preferred_channel") == pl.col("channel")
    counted = pl.col("attempts")
    spoken = (pl.col("right_party") > 0).sum() if has_cases else pl.lit(0)
    return attempts.group_by("channel", "stage", *SEGMENT).agg(
        pl.col(*_DONE, *_ARRIVED).sum(),
        worked_cases=(pl.len() if has_cases else pl.lit(0)).cast(pl.Int64),
        right_party_cases=spoken.cast(pl.Int64),
        preference_known=counted.filter(known).sum(),
        preferred=counted.filter(met.fill_null(False)).sum(),
    )


def _outcomes() -> list[pl.Expr]:
    """What came of attempts: sums of a group."""
    outcome, cost = pl.col("outcome"), pl.col("cost_cents")
    told = {
        "delivered": outcome.is_in(ARRIVED),
        "invalid": outcome == "invalid",
        "opened": outcome.is_in(("opened", "link_clicked")),
        "clicked": outcome == "link_clicked",
        "reached": ~outcome.is_in(UNREACHED),
        "right_party": outcome.is_in(RIGHT_PARTY),
        "promises": outcome == "promise",
        "costed_attempts": cost.is_not_null(),
    }
    return [
        pl.len().cast(pl.Int64).alias("attempts"),
        *[value.sum().cast(pl.Int64).alias(name) for name, value in told.items()],
        cost.sum(),
    ]


def _by_case(attempts: pl.DataFrame) -> pl.DataFrame:
    """Attempts about cases, by case and channel."""
    about = attempts.filter(pl.col("case_id").is_not_null())
    return about.group_by("case_id", "channel").agg(_outcomes())


def _reminders(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("channel", *SEGMENT, "preferred_channel").agg(_outcomes())


def _channel_cash(cash: pl.DataFrame, credited: pl.DataFrame | None) -> pl.DataFrame:
    """Cash of cases by rule and channel; what no contact is credited with is `none`."""
    cells = ["channel", "stage", *SEGMENT]
    nobodys = cash if credited is None else cash.join(credited, on="payment", how="anti")
    cents = [pl.col("cents").sum().alias(rule) for rule in RULES]
    parts = [nobodys.group_by("stage", *SEGMENT).agg(cents).with_columns(channel=pl.lit(NOBODY))]
    if credited is not None:
        parts.append(credited.group_by(cells).agg(pl.col(RULES).sum()))
    return (
        pl.concat([as_text(part).select(*cells, *RULES) for part in parts])
        .unpivot(RULES, index=cells, variable_name="rule", value_name="cash_cents")
        .filter(pl.col("cash_cents") != 0)
    )
