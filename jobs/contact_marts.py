"""The marts of contacts, promises and credited cash: of a month, and of a cohort."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from analytics.promises import kept_promises
from jobs.case_book import CaseBook, as_text
from jobs.landmarks import landmark_frames
from jobs.mart_frames import mart_frame
from jobs.timeline import timeline_frame
from queries.cases import CaseSettings
from queries.contact_cash import RULES, credited_payments
from queries.contacts import attempts_by_case, reminders
from queries.loan_states import SEGMENTS, BookShape
from queries.promises import GRACE_DAYS, competing_promises, promise_channels, promised_payments
from warehouse.engines import Connection

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


def compute_month(
    facts: Connection, month: date, shape: BookShape, book: CaseBook
) -> dict[str, pl.DataFrame]:
    """What owners and channels did in a month, and the cash that followed, by mart name."""
    found: dict[str, list[pl.DataFrame]] = {name: [] for name in MONTH_MARTS}
    settings = book.settings
    if "cases" in shape.tables:
        found["owner_work"].append(_open_cases(book.active(month)))
        if "contacts" in shape.tables:
            attempts = facts.fetch(attempts_by_case(month, settings))
            attempts = as_text(book.described(attempts, month))
            found["owner_work"].append(_owner_attempts(attempts))
            found["channel_work"].append(_channel_attempts(attempts))
            fit = attempts.group_by("channel", "bucket", "amount_band", *SEGMENT)
            found["channel_fit"].append(fit.agg(pl.col("attempts").sum()))
        if "promises" in shape.tables:
            kept = book.described(_matured_promises(facts, month, shape, settings), month)
            found["owner_work"].append(kept.group_by(*OWNER, *SEGMENT).agg(pl.col(_MATURED).sum()))
            of_attempts = kept.filter(pl.col("channel").is_not_null())
            groups = of_attempts.group_by("channel", "stage", *SEGMENT)
            found["channel_work"].append(groups.agg(pl.col(_MATURED).sum()))
        if "payments" in shape.tables:
            cash = book.cash(month)
            by_owner = cash.group_by(*OWNER, *SEGMENT)
            found["owner_work"].append(by_owner.agg(pl.col("cents").sum().alias("cash_cents")))
            credited = _credited(facts, month, shape, settings)
            found["channel_cash"].append(_channel_cash(cash, credited))
    if "contacts" in shape.tables:
        rows = facts.fetch(reminders(month, shape, settings))
        found["channel_work"].append(_channel_attempts(rows, stage=REMINDER))
    whole = {
        name: mart_frame(
            name, [as_text(frame).with_columns(month=pl.lit(month)) for frame in frames]
        )
        for name, frames in found.items()
    }
    return whole | {"channel_work": whole["channel_work"].with_columns(cost_cents=_COST)}


def compute_cohort(
    facts: Connection, month: date, shape: BookShape, book: CaseBook
) -> dict[str, pl.DataFrame]:
    """The timeline and the landmark cases of the cases that were opened in a month."""
    found: dict[str, list[pl.DataFrame]] = {name: [] for name in COHORT_MARTS}
    if "cases" in shape.tables:
        found["timeline"].append(timeline_frame(facts, month, shape, book))
        for name, frame in landmark_frames(facts, month, shape, book).items():
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


def _matured_promises(
    facts: Connection, month: date, shape: BookShape, settings: CaseSettings
) -> pl.DataFrame:
    """The promises that matured in the month, each with whether and how far it was kept."""
    promises = _competing(facts.fetch(competing_promises(month, settings)))
    ids = dict.fromkeys(("payment_id", "loan_id"), pl.String)
    payments = pl.DataFrame(schema=ids | {"paid_on": pl.Date, "paid_cents": pl.Int64})
    channels = pl.DataFrame(schema=dict.fromkeys(("promise_id", "channel"), pl.String))
    if promises.height:
        first: Any = promises["promised_on"].min()
        if "payments" in shape.tables:
            payments = facts.fetch(promised_payments(first, month, settings))
        if "contacts" in shape.tables:
            channels = facts.fetch(promise_channels(first, month, settings))
    kept = pl.col("is_kept").cast(pl.Int64)
    return (
        kept_promises(promises, payments)
        .filter(pl.col("matures") == 1)
        .join(channels, on="promise_id", how="left")
        .select(
            "case_id",
            "channel",
            matured=pl.lit(1, pl.Int64),
            kept=kept,
            matured_cents="promised_cents",
            kept_cents=pl.col("promised_cents") * kept,
        )
    )


def _competing(promises: pl.DataFrame) -> pl.DataFrame:
    """Promises that mature, and those whose windows lead up to theirs without a gap."""
    grace = pl.duration(days=GRACE_DAYS)
    ordered = promises.sort("loan_id", "promised_on", "promise_id")
    before = (pl.col("due_on") + grace).cum_max().shift(1).over("loan_id")
    begins = (pl.col("promised_on") > before).fill_null(True)
    matures = pl.col("matures").max().over("loan_id", "chain") == 1
    return ordered.with_columns(chain=begins.cum_sum().over("loan_id")).filter(matures)


def _credited(
    facts: Connection, month: date, shape: BookShape, settings: CaseSettings
) -> pl.DataFrame:
    if "contacts" in shape.tables:
        return facts.fetch(credited_payments(month, settings))
    ids = dict.fromkeys(("payment_id", "channel"), pl.String)
    return pl.DataFrame(schema=ids | dict.fromkeys(RULES, pl.Int64))


def _channel_cash(cash: pl.DataFrame, credited: pl.DataFrame) -> pl.DataFrame:
    """Cash of cases by rule and channel; what no contact is credited with is `none`."""
    cells = ["channel", "stage", *SEGMENT]
    nobody = pl.col("channel").is_null()
    return (
        cash.join(credited, on="payment_id", how="left")
        .with_columns(
            pl.col("channel").fill_null(NOBODY),
            *[pl.when(nobody).then("cents").otherwise(rule).alias(rule) for rule in RULES],
        )
        .unpivot(RULES, index=cells, variable_name="rule", value_name="cash_cents")
        .group_by("rule", *cells)
        .agg(pl.col("cash_cents").sum())
        .filter(pl.col("cash_cents") != 0)
    )
