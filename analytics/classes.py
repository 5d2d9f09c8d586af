"""Classes of loans: four grades, three classes of risk, and three by how they paid (RFM).

A class is made of what was known on its day, by cut points that stay as they were first drawn:
so a move between classes is the loan's, not the ruler's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import polars as pl

GRADES = ("normal", "light", "medium", "heavy")
LEVELS = ("low", "medium", "high")
CURRENT, UNKNOWN = "current", "unknown"
FACTORS = ("lateness", "willingness", "assets", "score")
MOST_POINTS = 2


@dataclass(frozen=True)
class ClassCuts:
    """Where classes begin.  Pairs are the bounds of the middle third or class, in order.

    Lateness in days; willingness as the share of occasions to pay that were used; cover as
    collateral over balance; risk as the mean of 0 (good) to 2 (bad) points; recency in months
    since the last payment, frequency as the share of months paid in, amount in cents a month;
    rfm_points as the sum of three times 1 (worst third) to 3 (best third).  Score, recency,
    frequency and amount are terciles of the late loans when first drawn; None: none known.
    """

    lateness_days: tuple[float, float] = (30, 90)
    willing_shares: tuple[float, float] = (1 / 3, 2 / 3)
    cover: float = 1.0
    risk_points: tuple[float, float] = (2 / 3, 4 / 3)
    rfm_points: tuple[float, float] = (5, 7)
    score: tuple[float, float] | None = None
    recency: tuple[float, float] | None = None
    frequency: tuple[float, float] | None = None
    amount: tuple[float, float] | None = None

    def to_rows(self) -> list[tuple[str, str]]:
        """Name and JSON value of each setting."""
        return [(name, json.dumps(value)) for name, value in asdict(self).items()]

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[str, str]]) -> ClassCuts:
        """The settings as they were kept; those that are not there have their default."""
        known = {field.name for field in fields(cls)}
        found = {name: json.loads(value) for name, value in rows if name in known}
        pairs: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in found.items()
        }
        return cls(**pairs)


class CutsRefused(ValueError):
    """Cut points that cannot be, in words; nothing was done."""


_RISES = ("lateness_days", "willing_shares", "risk_points", "rfm_points")


def chosen_cuts(text: str) -> dict[str, Any]:
    """The cut points that a JSON object names: pairs of numbers in order, and `cover`.

    Refuses names that there are not, and values that are not two numbers, the second not below the
    first.

    >>> chosen_cuts('{"recency": [1, 3]}')
    {'recency': (1, 3)}
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise CutsRefused(f"it is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise CutsRefused("it must be one object: names of cut points, and their values")
    known = [field.name for field in fields(ClassCuts)]
    cuts: dict[str, Any] = {}
    for name, value in found.items():
        if name not in known:
            raise CutsRefused(f"{name!r} is none of {', '.join(known)}")
        if name == "cover":
            if not _is_number(value) or value <= 0:
                raise CutsRefused("cover must be a number above 0")
            cuts[name] = float(value)
            continue
        if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
            raise CutsRefused(f"{name} must be two numbers, as in [1, 3]")
        low, high = value
        if low > high or (name in _RISES and low == high):
            raise CutsRefused(f"the second number of {name} must be above the first")
        cuts[name] = (low, high)
    return cuts


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def drawn_cuts(late: pl.DataFrame, chosen: ClassCuts | None = None) -> ClassCuts:
    """Where does a class begin?  Score, recency, frequency and amount: at terciles of late loans.

    They are drawn once, from the last month of the first refresh, and stay, so that a move between
    classes is a loan's and not the ruler's.  A file named by `CLASS_CUTS` replaces those it names.

    In: `late`, one row a late loan with its `with_history` columns and `score`.  Those that
    `chosen` names stay.  Out: the cut points.  Null: a measure that no loan has; it is left out
    of the classes.
    """
    chosen = chosen or ClassCuts()
    found: dict[str, tuple[float, float]] = {}
    for name in ("score", "recency", "frequency", "amount"):
        values = late[name].drop_nulls()
        if getattr(chosen, name) is None and values.len():
            low, high = (values.sort()[int(values.len() * third / 3)] for third in (1, 2))
            found[name] = (float(low), float(high))
    return ClassCuts(**(asdict(chosen) | found))


def with_history(rows: pl.DataFrame, month_count: int = 12) -> pl.DataFrame:
    """Rows with how their loans paid: willingness, recency, frequency and amount.

    willingness = (months paid in + promises kept) / (months recorded + promises due), of the
    last twelve months; recency = months since the last payment (12: none); frequency = months
    paid in / months recorded; amount = cents paid / months recorded.  All are null where no
    payment is recorded.

    In: `recorded_months`, `paid_months`, `promised_months`, `kept_months`, `history_cents`,
    `unpaid_months` (since the last payment, null without one).
    """
    recorded = pl.when(pl.col("recorded_months") > 0).then(pl.col("recorded_months"))
    used = pl.col("paid_months") + pl.col("kept_months")
    return rows.with_columns(
        willingness=used / (recorded + pl.col("promised_months")),
        recency=pl.when(recorded.is_not_null()).then(
            pl.col("unpaid_months").fill_null(month_count).clip(0, month_count)
        ),
        frequency=pl.col("paid_months") / recorded,
        amount=pl.col("history_cents") / recorded,
    )


def grade_class(days: pl.Expr, cuts: ClassCuts) -> pl.Expr:
    """S001: normal (not late), light, medium, heavy, by days late."""
    light, medium = cuts.lateness_days
    return (
        pl.when(days <= 0)
        .then(pl.lit("normal"))
        .when(days <= light)
        .then(pl.lit("light"))
        .when(days <= medium)
        .then(pl.lit("medium"))
        .when(days > medium)
        .then(pl.lit("heavy"))
    )


def risk_class(days: pl.Expr, cuts: ClassCuts) -> pl.Expr:
    """Who is a high, medium or low risk by lateness, willingness, assets and score (S011)?

    Each factor gives 0 (good), 1 or 2 (bad) points: lateness up to 30 days, up to 90, beyond;
    willingness (the share of the past twelve months' occasions to pay that were used: each month
    recorded, and each month with a promise due) from two thirds, from one third, below;
    assets: collateral that covers the balance, some collateral, none; score: best, middle, worst
    third of the late loans.  The class is the mean of the points of the factors that are known:
    low below 2/3, medium below 4/3, high from there on.

    In: `willingness`, `is_secured`, `collateral_cents`, `weight_cents`, `score`; `days` late.
    Null for rows whose lateness is unknown.
    Misleads: the weights are equal by decree, not fitted; the model of resolution beside it is.
    Promises count by month: 90 % of what fell due in a month was paid in that month.
    """
    low, high = cuts.lateness_days
    poor, fair = cuts.willing_shares
    willing, owed = pl.col("willingness"), pl.col("weight_cents")
    covered = pl.col("collateral_cents") >= cuts.cover * owed
    points = [
        _points(days <= low, days <= high, days),
        _points(willing >= fair, willing >= poor, willing),
        _points(
            pl.col("is_secured") & covered.fill_null(False),
            pl.col("is_secured"),
            pl.col("is_secured"),
        ),
    ]
    if cuts.score is not None:
        worst, middle = cuts.score
        score = pl.col("score")
        points.append(_points(score > middle, score > worst, score))
    mean = pl.mean_horizontal(points)
    medium, most = cuts.risk_points
    level = (
        pl.when(mean < medium)
        .then(pl.lit("low"))
        .when(mean < most)
        .then(pl.lit("medium"))
        .otherwise(pl.lit("high"))
    )
    return pl.when(days.is_not_null()).then(level)


def _points(good: pl.Expr, fair: pl.Expr, known: pl.Expr) -> pl.Expr:
    """0 good, 1 fair, 2 bad, null where it is not known."""
    value = pl.when(good).then(0.0).when(fair).then(1.0).otherwise(float(MOST_POINTS))
    return pl.when(known.is_not_null()).then(value)


def rfm_class(cuts: ClassCuts) -> pl.Expr:
    """Who paid recently, often and much (S006)?

    Recency (months since the last payment), frequency (share of the last twelve months paid in)
    and amount (paid a month) each give 1 (worst third of the late loans) to 3 (best third)
    points; the sum is high risk below 5, low from 8 on, medium between.

    In: `recency`, `frequency`, `amount`.  `unknown` where no payment is recorded.
    Misleads: a loan that is new to the book has few months to be judged by; amounts grow with
    the loan.
    """
    if cuts.recency is None or cuts.frequency is None or cuts.amount is None:
        return pl.lit(UNKNOWN)
    recent, stale = cuts.recency
    recency = pl.col("recency")
    total = pl.when(recency <= recent).then(3).when(recency <= stale).then(2).otherwise(1)
    for name, (low, high) in (("frequency", cuts.frequency), ("amount", cuts.amount)):
        value = pl.col(name)
        total = total + pl.when(value > high).then(3).when(value > low).then(2).otherwise(1)
    worst, middle = cuts.rfm_points
    level = (
        pl.when(total < worst)
        .then(pl.lit("high"))
        .when(total <= middle)
        .then(pl.lit("medium"))
        .otherwise(pl.lit("low"))
    )
    return pl.when(recency.is_null()).then(pl.lit(UNKNOWN)).otherwise(level)
