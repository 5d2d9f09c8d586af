"""Targets in words: what they are, how sure it is that they are met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from charts.format import chance, number, percent

METRICS = {
    "recovery_early": "Recovery, up to 30 days late, within 30 days",
    "recovery_late": "Recovery, over 90 days late, within 180 days",
    "first_contact_days": "First contact, working days",
}
OF_CASES = {
    "recovery_early": "cases up to 30 days late, within 30 days",
    "recovery_late": "cases over 90 days late, within 180 days",
}
IN_A_TABLE = {  # with the unit of its columns
    "recovery_early": "Early, in 30 days, %",
    "recovery_late": "Late, in 180 days, %",
    "first_contact_days": "First contact, days",
}
SHORT_METRICS = {
    "Early recovery": "recovery_early",
    "Late recovery": "recovery_late",
    "First contact": "first_contact_days",
}
UNLIKELY = 0.1  # a target less likely met than this is a warning


def chance_words(probability: float | None) -> str:
    """How sure it is that a target is met, in words.

    >>> chance_words(0.004), chance_words(0.5), chance_words(1.0)
    ('almost certainly missed', 'in doubt', 'almost certainly met')
    """
    if probability is None:
        return "not known yet"
    for below, words in (
        (0.01, "almost certainly missed"),
        (0.1, "very likely missed"),
        (0.35, "probably missed"),
        (0.65, "in doubt"),
        (0.9, "probably met"),
        (0.99, "very likely met"),
    ):
        if probability < below:
            return words
    return "almost certainly met"


def has_few_cases(row: Mapping[str, Any]) -> bool:
    """Whether there are cases, but too few for a verdict on the target."""
    return row.get("probability") is None and bool(row.get("is_small") and row.get("cases"))


def is_settled(row: Mapping[str, Any]) -> bool:
    """Whether the target is met or missed for good: every case has had its days."""
    return bool(row.get("is_decided")) and row.get("probability") is not None


def verdict_words(row: Mapping[str, Any]) -> str:
    """Whether a target is met, how sure that is, or that the cases are too few to say.

    >>> verdict_words({"probability": None, "is_small": True, "cases": 2, "is_decided": True})
    'too few cases (2) to judge'
    >>> verdict_words({"probability": 0.0, "is_decided": True})
    'missed'
    """
    if has_few_cases(row):
        return f"too few cases ({number(row['cases'])}) to judge"
    if is_settled(row):
        return "met" if row["probability"] > 0.5 else "missed"
    return chance_words(row.get("probability"))


def target_words(target: float | None) -> str:
    """A target in a tile, beside how sure it is that it is met (`chance_words`).

    >>> target_words(0.85).replace("\u00a0", " ")
    'target 85 %'
    """
    return "no target" if target is None else f"target {percent(target, decimals=0)}"


def judged_words(row: Mapping[str, Any]) -> str:
    """What a target's tile shows, beside all the cash that came in."""
    what = (
        "Cash up to what was owed on each case, of the cases that are old enough, over what was"
        " owed on them: the figure that the target is judged on. With what was paid beyond it is"
        f" {percent(row.get('rate'))}."
    )
    if is_settled(row):
        return f"{what} Every case of these months has had its days: {verdict_words(row)}."
    return (
        f"{what} Probability that the target is met once every case of these months has had its"
        f" days: {chance(row.get('probability'))} ({verdict_words(row)})."
    )


def book_rows(book: dict[str, dict[str, Any]]) -> pl.DataFrame:
    """The book's attainment in the shape of the owners'."""
    rows = [{"owner": "The book", "metric": metric, **row} for metric, row in book.items()]
    if not rows:
        return pl.DataFrame()
    shares = ("target", "attained", "forecast", "low", "high", "probability", "placed_share")
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(pl.col(shares).cast(pl.Float64), pl.col("reason").cast(pl.String))


def target_warnings(attained: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Targets that are missed or very likely so, and the page that explains it."""
    return [
        (
            "recovery/recovery",
            f"Worse than planned: recovery of {OF_CASES[metric]}, no case counted beyond what it"
            f" owed, stands at {percent(row['attained'])}; the target of"
            f" {percent(row['target'], decimals=0)} is {verdict_words(row)}.",
        )
        for metric, row in attained.items()
        if row["probability"] is not None and row["probability"] < UNLIKELY
    ]
