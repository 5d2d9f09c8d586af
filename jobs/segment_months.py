"""The marts of a month's classes: how many loans each holds, and how they moved."""

from __future__ import annotations

from datetime import date

import polars as pl
import sqlalchemy as sa

from analytics.classes import CURRENT
from jobs.segment_book import IS_LATE, SegmentBook
from queries.loan_states import SEGMENTS
from warehouse.engines import Connection
from warehouse.marts import marts
from warehouse.strategy_marts import SCHEMES

SEGMENT = list(SEGMENTS)
LOST = ("charged_off", "sold")
CLASSES = [f"by_{scheme}" for scheme in SCHEMES]
NOT_LATE = {"grade": "normal"}  # elsewhere `current`
Frame = pl.DataFrame
Frames = dict[str, Frame]


def compute_month(
    month: date, earlier: date | None, book: SegmentBook, target: Connection, ranks: Frame
) -> Frames:
    """Both marts of a month-end.  `earlier`: the one before, where the book has it; `ranks`: the
    buckets with their rank, current first."""
    now = book.classed(book.loans(month))
    then = book.classed(book.loans(earlier)) if earlier else now.clear()
    frames = {
        "segment_months": pl.concat([_late(now), _current(target, month)], how="diagonal"),
        "segment_moves": pl.concat(
            [_moves(then, now, ranks), _unmoved(target, month)], how="diagonal"
        ),
    }
    return {name: frame.with_columns(month=pl.lit(month)) for name, frame in frames.items()}


def _by_scheme(rows: Frame, keys: dict[str, str], sums: list[pl.Expr]) -> Frame:
    """Sums by class and segment under each scheme.  `keys`: the mart's column -> the suffix of the
    rows' column of the scheme."""
    parts = []
    for scheme in SCHEMES:
        names = {column: f"by_{scheme}{suffix}" for column, suffix in keys.items()}
        by = [pl.col(name).alias(column) for column, name in names.items()]
        parts.append(rows.group_by(*by, *SEGMENT).agg(sums).with_columns(scheme=pl.lit(scheme)))
    return pl.concat(parts)


def _sum(name: str) -> pl.Expr:
    """A sum that is null of nothing."""
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name)


def _late(now: Frame) -> Frame:
    late = now.filter(IS_LATE).with_columns(loans=pl.lit(1, pl.Int64))
    sums = [_sum(name) for name in ("loans", "weight_cents", "paid_cents")]
    return _by_scheme(late, {"class": ""}, sums).with_columns(
        late_loans="loans", late_cents="weight_cents"
    )


def _named(rows: Frame, *columns: str) -> Frame:
    """Rows of loans that are not late under each scheme's own name for that."""
    parts = []
    for scheme in SCHEMES:
        name = NOT_LATE.get(scheme, CURRENT)
        renamed = [pl.col(one).replace({CURRENT: name}) for one in columns]
        parts.append(rows.with_columns(*renamed, scheme=pl.lit(scheme)))
    return pl.concat(parts)


def _current(target: Connection, month: date) -> Frame:
    """Loans that are not late: the portfolio's own count."""
    table = marts.tables["stocks"]
    names = [*SEGMENT, "bucket", "loans", "weight_cents", "paid_cents"]
    rows = target.fetch(
        sa.select(*[table.c[name] for name in names]).where(
            table.c.month == month, table.c.basis == "days", table.c.bucket == CURRENT
        )
    )
    none = pl.lit(0, pl.Int64)
    return _named(rows.rename({"bucket": "class"}), "class").with_columns(
        late_loans=none, late_cents=pl.when(pl.col("weight_cents").is_not_null()).then(none)
    )


def _moves(then: Frame, now: Frame, ranks: Frame) -> Frame:
    """Loans that were late a month ago, or are now: their classes on both days."""
    was_late = (now["was_open"] == 1) & (now["then_bucket"] != CURRENT).fill_null(False)
    left = then.filter(IS_LATE).select(
        "loan_id",
        *SEGMENT,
        then_bucket="bucket",
        opening_cents="weight_cents",
        **{f"by_{scheme}_from": pl.col(f"by_{scheme}") for scheme in SCHEMES},
    )
    to = now.select("loan_id", "status", "bucket", *CLASSES)
    stayed = left.join(to, on="loan_id", how="left")
    entered = now.filter(IS_LATE, ~was_late)
    is_new = pl.col("was_open") == 0
    began = entered.select(
        "loan_id",
        "product",
        "region",
        pl.when(is_new).then("grade").otherwise("then_grade").alias("grade"),
        "then_bucket",
        "status",
        "bucket",
        *CLASSES,
        opening_cents="then_cents",
        **{
            f"by_{scheme}_from": pl.when(is_new)
            .then(pl.lit("new"))
            .otherwise(pl.lit(NOT_LATE.get(scheme, CURRENT)))
            for scheme in SCHEMES
        },
    )
    both = pl.concat([stayed, began.select(stayed.columns)])
    return _by_scheme(_weighed(both, ranks), {"from_class": "_from", "to_class": "_to"}, _SUMS)


def _weighed(rows: Frame, ranks: Frame) -> Frame:
    """Rows with where they went under each scheme, and whether that is later, or not late."""
    status, bucket = pl.col("status"), pl.col("bucket")
    rank = dict(ranks.select("code", "rank").iter_rows())
    before = pl.col("then_bucket").replace_strict(rank, default=None, return_dtype=pl.Int64)
    after = bucket.replace_strict(rank, default=None, return_dtype=pl.Int64)
    later = (after > before).fill_null(False) | status.is_in(LOST).fill_null(False)
    cured = (bucket == CURRENT).fill_null(False) | (status == "paid_off").fill_null(False)
    to = [
        pl.when(status.is_null())
        .then(pl.lit("unmatched"))
        .when(status != "open")
        .then(status)
        .when(bucket == CURRENT)
        .then(pl.lit(NOT_LATE.get(scheme, CURRENT)))
        .otherwise(pl.col(f"by_{scheme}"))
        .alias(f"by_{scheme}_to")
        for scheme in SCHEMES
    ]
    amount = pl.col("opening_cents") / 100
    weighed = rows.with_columns(
        *to, loans=pl.lit(1, pl.Int64), opening_squares=amount * amount, later=later, cured=cured
    )
    flags = {"forward": "later", "cured": "cured"}
    return weighed.with_columns(
        pl.when(pl.col(flag)).then(value).otherwise(value * 0).alias(f"{name}_{unit}")
        for name, flag in flags.items()
        for unit, value in (
            ("loans", pl.col("loans")),
            ("cents", pl.col("opening_cents")),
            ("squares", pl.col("opening_squares")),
        )
    )


_MOVE_SUMS = (
    "loans",
    "opening_cents",
    "opening_squares",
    *[f"{name}_{unit}" for name in ("forward", "cured") for unit in ("loans", "cents", "squares")],
)
_SUMS = [_sum(name) for name in _MOVE_SUMS]


def _unmoved(target: Connection, month: date) -> Frame:
    """Loans that were not late a month ago, or not there, and are not late now."""
    table = marts.tables["transitions"]
    names = [*SEGMENT, "from_state", "to_state", "loans", "opening_cents", "opening_squares"]
    ends = (CURRENT, "paid_off", "charged_off", "sold", "unmatched")
    rows = target.fetch(
        sa.select(*[table.c[name] for name in names]).where(
            table.c.month == month,
            table.c.basis == "days",
            table.c.from_state.in_([CURRENT, "new", "appeared"]),
            table.c.to_state.in_(ends),
        )
    )
    from_class = pl.col("from_state").replace({"appeared": "new"})
    moved = rows.with_columns(from_class=from_class).rename({"to_state": "to_class"})
    moved = moved.group_by("from_class", "to_class", *SEGMENT).agg(
        _sum(name) for name in ("loans", "opening_cents", "opening_squares")
    )
    lost = (pl.col("to_class").is_in(LOST) & (pl.col("from_class") == CURRENT)).cast(pl.Int64)
    moved = moved.with_columns(
        *[
            (pl.col(whole) * lost).alias(f"forward_{unit}")
            for unit, whole in (
                ("loans", "loans"),
                ("cents", "opening_cents"),
                ("squares", "opening_squares"),
            )
        ],
        cured_loans=pl.lit(0, pl.Int64),
        cured_cents=pl.col("opening_cents") * 0,
        cured_squares=pl.col("opening_squares") * 0,
    )
    return _named(moved, "from_class", "to_class")
