"""A strategy as data: how cases of each segment and stage are worked, and with what means.

A strategy is never changed: every edit gives another one.  A treatment that is null is not
recorded (of the baseline) or not said (of a plan): it differs from nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from typing import Any

import polars as pl

from analytics.strategy_fields import (
    OPERATIONS,
    PRIORITIES,
    STAGES,
    TREATMENTS,
    Problem,
    StrategyError,
    wrong_number,
    wrong_text,
)

KEYS = ("segment", "stage")
SCHEMA = pl.Schema(
    [
        ("segment", pl.String()),
        ("stage", pl.String()),
        *[(name, pl.Float64()) for name in TREATMENTS],
    ]
)
MOST_ROWS = 4_000
WIDEST = 5.0  # log odds: beyond it an assumption says that cure is certain, or impossible


@dataclass(frozen=True)
class Operations:
    """People, systems and the money side, the same for all segments.

    Money in currency.  `hours_per_month`, `monthly_pay`, `monthly_bonus` are of one collector;
    `discount_rate` a year; `sale_share` of the debt over 180 days late is sold every month at
    `sale_price` of its balance.  `priority`: who is worked first when hours are short
    (`late_first`, `early_first`, `amount_first`).
    """

    collectors: float = 0.0
    hours_per_month: float = 160.0
    monthly_pay: float = 0.0
    monthly_bonus: float = 0.0
    one_off_cost: float = 0.0
    running_cost: float = 0.0
    years_of_use: float = 3.0
    discount_rate: float = 0.06
    sale_share: float = 0.0
    sale_price: float = 0.0
    priority: str = "late_first"


@dataclass(frozen=True)
class Strategy:
    """What is done, by whom and at what price.

    `treatments`: a row for each segment and stage in the columns of `SCHEMA`.  `assumptions`:
    an effect's code -> the analyst's own range (low, high) of its log odds ratio.  `measured`:
    first and last month on which a baseline was measured, null of a plan.
    """

    name: str
    treatments: pl.DataFrame
    operations: Operations = field(default_factory=Operations)
    assumptions: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    measured: tuple[date, date] | None = None

    def __post_init__(self) -> None:
        if found := problems(self):
            raise StrategyError(found)
        ordered = self.treatments.select(SCHEMA.names()).cast(SCHEMA)
        rank = pl.col("stage").replace_strict(STAGES, range(len(STAGES)), return_dtype=pl.Int8)
        object.__setattr__(self, "treatments", ordered.sort("segment", rank))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Strategy):
            return NotImplemented
        same = all(
            getattr(self, one.name) == getattr(other, one.name)
            for one in fields(self)
            if one.name != "treatments"
        )
        return same and self.treatments.equals(other.treatments)

    def __hash__(self) -> int:
        return hash((self.name, self.operations, self.treatments.height))

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(self.treatments["segment"].unique(maintain_order=True).to_list())

    def named(self, name: str) -> Strategy:
        return replace(self, name=name)

    def with_operations(self, **changes: Any) -> Strategy:
        return replace(self, operations=replace(self.operations, **changes))

    def with_treatments(self, *changes: pl.Expr, only: pl.Expr | None = None) -> Strategy:
        """Another strategy in which the expressions hold on the rows that `only` picks."""
        rows = self.treatments
        where = pl.lit(value=True) if only is None else only
        kept = [
            pl.when(where).then(change).otherwise(pl.col(name)).alias(name)
            for change in changes
            for name in [change.meta.output_name()]
        ]
        return replace(self, treatments=rows.with_columns(kept), measured=None)


def make_strategy(
    name: str, rows: Iterable[Mapping[str, Any]], operations: Mapping[str, Any] | None = None
) -> Strategy:
    """A strategy from rows of plain values; each thing that is wrong is told with its row.

    >>> one = make_strategy("soft", [{"segment": "card", "stage": "early", "attempts_sms": 4}])
    >>> one.treatments["attempts_sms"].to_list(), one.treatments["attempts_call"].to_list()
    ([4.0], [None])
    """
    given = list(rows)
    found = [*row_problems(given), *operation_problems(operations or {})]
    if found:
        raise StrategyError(found)
    table = pl.DataFrame(
        [{key: row.get(key) for key in SCHEMA} for row in given], schema=SCHEMA, strict=False
    )
    return Strategy(name, table, Operations(**dict(operations or {})))


def problems(strategy: Strategy) -> list[Problem]:
    """Everything in a strategy that cannot be right."""
    found = []
    if wrong := wrong_text(strategy.name):
        found.append(Problem("name", None, wrong))
    rows = strategy.treatments
    if unknown := [name for name in rows.columns if name not in SCHEMA]:
        found.append(Problem(unknown[0], None, "is no field of a treatment"))
    elif missing := [name for name in SCHEMA if name not in rows.columns]:
        found.append(Problem(missing[0], None, "is missing from the treatments"))
    else:
        if not _is_plain(rows):
            found += row_problems(rows.iter_rows(named=True))
    found += operation_problems(asdict(strategy.operations))
    for code, ends in strategy.assumptions.items():
        if wrong := wrong_range(ends):
            found.append(Problem(f"assumption {code}", None, wrong))
    return found


def _is_plain(rows: pl.DataFrame) -> bool:
    """Whether nothing can be wrong in the rows: then they need not be looked at one by one."""
    if not 0 < rows.height <= MOST_ROWS or dict(rows.schema) != dict(SCHEMA):
        return False
    within = [
        pl.col(name).is_between(kind.least, kind.most).all(ignore_nulls=True)
        for name, kind in TREATMENTS.items()
    ]
    words = pl.col("segment").str.len_chars().is_between(1, 200).all(ignore_nulls=False)
    found = rows.select(
        *within,
        words.alias("segment"),
        pl.col("segment").str.strip_chars().str.len_chars().gt(0).all().alias("told"),
        pl.col("stage").is_in(STAGES).all(ignore_nulls=False).alias("stage"),
        pl.struct(KEYS).is_unique().all().alias("once"),
    ).row(0)
    return all(found)


def row_label(row: Mapping[str, Any]) -> str:
    """A row as messages name it: its segment and its stage."""
    return f"{row.get('segment')} {row.get('stage')}"


def of_book(strategy: Strategy, segments: Collection[str]) -> list[Problem]:
    """What keeps a strategy from a book: segments that the book lacks, or that it forgets."""
    known, said = set(segments), set(strategy.segments)
    found = [
        Problem("segment", name, "is no segment of this book, so it has no data")
        for name in sorted(said - known)
    ]
    return found + [
        Problem("segment", name, "is in this book, and the strategy says nothing of it")
        for name in sorted(known - said)
    ]


def row_problems(rows: Iterable[Mapping[str, Any]]) -> list[Problem]:
    found: list[Problem] = []
    seen: set[tuple[Any, Any]] = set()
    count = 0
    for row in rows:
        count += 1
        label = row_label(row) if isinstance(row.get("segment"), str) else f"row {count}"
        if wrong := wrong_text(row.get("segment"), longest=1_000):
            found.append(Problem("segment", label, wrong))
        if row.get("stage") not in STAGES:
            expected = ", ".join(STAGES)
            found.append(
                Problem("stage", label, f"found {row.get('stage')!r}, expected one of {expected}")
            )
        elif (row.get("segment"), row["stage"]) in seen:
            found.append(Problem(None, label, "is there twice"))
        seen.add((row.get("segment"), row.get("stage")))
        for name, value in row.items():
            if name in KEYS:
                continue
            if name not in TREATMENTS:
                found.append(Problem(name, label, "is no field of a treatment"))
            elif wrong := wrong_number(TREATMENTS[name], value):
                found.append(Problem(name, label, wrong))
    if not count:
        found.append(Problem("treatments", None, "is empty: a strategy needs at least one row"))
    if count > MOST_ROWS:
        found.append(Problem("treatments", None, f"has {count} rows, expected {MOST_ROWS} at most"))
    return found


def operation_problems(operations: Mapping[str, Any]) -> list[Problem]:
    found = []
    for name, value in operations.items():
        if name == "priority":
            if value not in PRIORITIES:
                expected = ", ".join(PRIORITIES)
                found.append(Problem(name, None, f"found {value!r}, expected one of {expected}"))
        elif name not in OPERATIONS:
            found.append(Problem(name, None, "is no field of the operations"))
        elif wrong := wrong_number(OPERATIONS[name], value):
            found.append(Problem(name, None, wrong))
    return found


def wrong_range(ends: Any) -> str | None:
    if not isinstance(ends, tuple | list) or len(ends) != 2:
        return "expected two numbers, the low and the high end"
    for end in ends:
        if isinstance(end, bool) or not isinstance(end, int | float) or not abs(end) <= WIDEST:
            return f"found {end!r}, expected log odds from {-WIDEST:g} to {WIDEST:g}"
    return "the low end is above the high end" if ends[0] > ends[1] else None
