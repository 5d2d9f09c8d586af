"""The marts of a cohort's classes: what was done for each in 90 days, and what came of it."""

from __future__ import annotations

from datetime import date

import polars as pl

from jobs.months import month_before
from jobs.segment_book import SegmentBook
from queries.cases import AMOUNT_BANDS, RESOLVED, CaseSettings
from queries.loan_states import SEGMENTS, BookShape
from queries.segment_cases import OUTCOME_DAYS, case_outcomes
from warehouse.contract import CHANNELS
from warehouse.engines import Connection
from warehouse.strategy_marts import SCHEMES

SEGMENT = list(SEGMENTS)
ATTEMPTS = [f"{channel}_attempts" for channel in CHANNELS]
_COUNTS = (
    "cash_cents",
    *ATTEMPTS,
    "costed_attempts",
    "cost_cents",
    "own_tries",
    "own_span",
    "own_talks",
    "own_plans",
    "own_suits",
)
_KNOWN = ("weight_cents", "willingness", "recency", "frequency", "amount", "score", "is_secured")


def compute_cohort(
    month: date, facts: Connection, shape: BookShape, settings: CaseSettings, book: SegmentBook
) -> dict[str, pl.DataFrame]:
    """Every mart of the cases that were opened in a month, by mart name."""
    rows = facts.fetch(case_outcomes(month, shape, settings))
    loans = book.loans(month_before(month)).select("loan_id", *SEGMENT, *_KNOWN, "collateral_cents")
    rows = book.classed(rows.join(loans, on="loan_id")).with_columns(*_outcomes(rows, settings))
    entered = rows.filter(pl.col("place_in_stage") == 1)
    frames = {
        "segment_cases": _cases(entered),
        "segment_treatments": _treatments(rows),
        "resolution_cases": _covariates(entered),
    }
    return {name: frame.with_columns(opened_month=pl.lit(month)) for name, frame in frames.items()}


def _outcomes(rows: pl.DataFrame, settings: CaseSettings) -> list[pl.Expr]:
    """What came of each case in 90 days, counted only where they are over."""
    mature = pl.col("opened_on") + pl.duration(days=OUTCOME_DAYS) <= pl.lit(settings.as_of)
    counts = [
        (pl.col(name).fill_null(0) if name in rows.columns else pl.lit(0, pl.Int64)).alias(name)
        for name in _COUNTS
    ]
    bands = pl.lit(AMOUNT_BANDS[-1])
    for bound, name in reversed(list(zip(settings.band_bounds or (), AMOUNT_BANDS, strict=False))):
        bands = pl.when(pl.col("placed_cents") <= bound).then(pl.lit(name)).otherwise(bands)
    return [
        *counts,
        mature.alias("mature"),
        (mature & _resolved("")).alias("is_resolved"),
        (mature & _resolved("own_")).alias("own_resolved"),
        bands.alias("amount_band"),
    ]


def _resolved(whose: str) -> pl.Expr:
    """Cured, paid off or settled within 90 days of the opening."""
    days = (pl.col(f"{whose}closed_on") - pl.col("opened_on")).dt.total_days()
    resolved = pl.col(f"{whose}close_reason").is_in(RESOLVED) & (days <= OUTCOME_DAYS)
    return resolved.fill_null(False)


def _by_class(rows: pl.DataFrame, keys: list[str], sums: list[pl.Expr]) -> pl.DataFrame:
    return pl.concat(
        rows.group_by(pl.col(f"by_{scheme}").alias("class"), *keys, *SEGMENT)
        .agg(sums)
        .with_columns(scheme=pl.lit(scheme))
        for scheme in SCHEMES
    )


def _cases(rows: pl.DataFrame) -> pl.DataFrame:
    mature, placed, cash = pl.col("mature"), pl.col("placed_cents"), pl.col("cash_cents")
    sums = [
        pl.len().cast(pl.Int64).alias("opened_cases"),
        placed.sum().alias("opened_cents"),
        mature.sum().cast(pl.Int64).alias("cases"),
        placed.filter(mature).sum().alias("placed_cents"),
        ((placed / 100) ** 2).filter(mature).sum().alias("placed_squares"),
        pl.col("is_resolved").sum().cast(pl.Int64).alias("resolved"),
        cash.filter(mature).sum().alias("cash_cents"),
        ((cash / 100) ** 2).filter(mature).sum().alias("cash_squares"),
        (cash / 100 * placed / 100).filter(mature).sum().alias("cash_placed"),
        *[
            pl.col(name).filter(mature).sum()
            for name in (*ATTEMPTS, "costed_attempts", "cost_cents")
        ],
        (pl.col("own_tries") - 1).clip(0).filter(mature).sum().alias("attempt_gaps"),
        pl.col("own_span").filter(mature).sum().alias("gap_days"),
    ]
    return _by_class(rows, ["stage"], sums)


def _treatments(rows: pl.DataFrame) -> pl.DataFrame:
    """The gravest step on each case whose 90 days are over, while it was held."""
    actual = pl.lit("none")
    for step, is_done in (
        ("message", pl.col("own_tries") > 0),
        ("talk", pl.col("own_talks") > 0),
        ("plan", pl.col("own_plans") > 0),
        ("agency", pl.col("own_agency") == 1),
        ("legal", pl.col("own_suits") > 0),
    ):
        actual = pl.when(is_done).then(pl.lit(step)).otherwise(actual)
    sums = [
        pl.len().cast(pl.Int64).alias("cases"),
        pl.col("own_resolved").sum().cast(pl.Int64).alias("resolved"),
    ]
    done = rows.filter("mature").with_columns(actual=actual)
    return _by_class(done, ["planned", "actual"], sums)


def _covariates(rows: pl.DataFrame) -> pl.DataFrame:
    named = {"opening_bucket": "bucket", "by_risk": "risk", "by_rfm": "rfm"}
    keys = [*named.values(), "amount_band", *SEGMENT]
    return (
        rows.select(*named, "amount_band", *SEGMENT, "mature", "is_resolved")
        .rename(named)
        .group_by(keys)
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            pl.col("mature").sum().cast(pl.Int64),
            pl.col("is_resolved").sum().cast(pl.Int64).alias("resolved"),
        )
    )
