"""What the Decisions page shows: decisions with their scores, and what a trial starts from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.decision_scores import Score, score_all, score_decisions
from analytics.decisions import actual_months, score_months
from appdata.database import AppDatabaseUnavailable
from appdata.decisions import Decision, all_decisions, decided_strategy
from queries import portfolio
from queries.filters import Filter

BEFORE = 6  # months that are drawn before a forecast begins
Scope = tuple[tuple[str, tuple[str | None, ...]], ...]


@dataclass(frozen=True)
class Overview:
    """Decisions, newest first; their months held against what came, and their scores.

    `months`: `score_months` with `decision`, `level` of its intervals and `is_main` (the measure
    that is judged); `scores`: `score_decisions` by decision and measure; `score`: all decisions
    with intervals of the newest one's `level`, each by its own main measure.
    """

    decisions: list[Decision]
    months: pl.DataFrame
    scores: pl.DataFrame
    score: Score
    level: float

    def of(self, decision_id: str) -> Decision:
        return next(one for one in self.decisions if one.id == decision_id)

    def row(self, decision_id: str, measure: str | None = None) -> dict[str, Any]:
        """How a decision's forecast of a measure (the main one) stands."""
        wanted = measure or main_measure(self.of(decision_id))
        of = (pl.col("decision") == decision_id) & (pl.col("measure") == wanted)
        return self.scores.row(by_predicate=of, named=True)

    @property
    def main(self) -> pl.DataFrame:
        """The scores of each decision's main measure."""
        main = {one.id: main_measure(one) for one in self.decisions}
        return self.scores.filter(pl.col("measure") == pl.col("decision").replace_strict(main))


@dataclass(frozen=True)
class Unreadable:
    """Decisions cannot be read just now; `why` is a sentence."""

    why: str


def overview(view: ui.View) -> Overview | Unreadable | None:
    """None where nothing was decided yet."""
    try:
        decisions = all_decisions()
    except AppDatabaseUnavailable as error:
        return Unreadable(str(error))
    if not decisions:
        return None
    return _overview(f"{view.version} {[one.id for one in decisions]}", view, decisions)


@st.cache_resource(max_entries=8, ttl=3600, show_spinner=False)
def _overview(key: str, _view: ui.View, _decisions: list[Decision]) -> Overview:
    """Nothing of a decision ever changes, so their ids and the marts decide every figure."""
    months = pl.concat([_months(_view, one) for one in _decisions])
    level = _decisions[0].level
    by_level = months.partition_by("level", as_dict=True)
    scores = [
        score_decisions(part, by=["decision", "measure"], level=float(of))
        for (of,), part in by_level.items()
    ]
    alike = months.filter(pl.col("is_main"), pl.col("level") == level)
    return Overview(_decisions, months, pl.concat(scores), score_all(alike), level)


def main_measure(one: Decision) -> str:
    """What a decision is judged by: the first measure that it forecasts."""
    return one.forecast[0].measure


def _months(view: ui.View, one: Decision) -> pl.DataFrame:
    forecast = pl.DataFrame([vars(row) for row in one.forecast])
    scope: Scope = tuple(sorted(one.scope.items()))
    scored = score_months(
        forecast, actuals(view, scope), decided_on=one.decided_on, level=one.level
    )
    return scored.with_columns(
        decision=pl.lit(one.id),
        level=pl.lit(one.level),
        is_main=pl.col("measure") == main_measure(one),
    )


def fan_lines(view: ui.View, found: Overview, decision_id: str, measure: str) -> pl.DataFrame:
    """Forecast with its band, baseline and what came, which begins before the forecast does."""
    one = found.of(decision_id)
    months = found.months.filter(
        pl.col("decision") == decision_id, pl.col("measure") == measure
    ).sort("month")
    came = actuals(view, tuple(sorted(one.scope.items()))).filter(pl.col("measure") == measure)
    last = months["month"].max()
    before = came.filter(pl.col("month") <= one.as_of).sort("month").tail(BEFORE)["month"]
    first = before.min() if before.len() else months["month"].min()
    nothing = pl.lit(None, pl.Float64)
    return pl.concat(
        [
            months.select(
                "month",
                series=pl.lit("strategy"),
                value=pl.col("mean") * 100,
                low=pl.col("low") * 100,
                high=pl.col("high") * 100,
            ),
            months.select(
                "month",
                series=pl.lit("baseline"),
                value=pl.col("baseline") * 100,
                low=nothing,
                high=nothing,
            ),
            came.filter(pl.col("month").is_between(first, last))
            .sort("month")
            .select(
                "month",
                series=pl.lit("actual"),
                value=pl.col("actual") * 100,
                low=nothing,
                high=nothing,
            ),
        ]
    )


def actuals(view: ui.View, scope: Scope) -> pl.DataFrame:
    """What came of the measures by month, of the products, regions and grades of a decision."""
    return _actuals(f"{view.version} {scope!r}", view, scope)


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def _actuals(key: str, _view: ui.View, scope: Scope) -> pl.DataFrame:
    book = _view.book
    chosen = Filter(
        as_of=book.as_of,
        window=len(book.months),
        **{f"{name}s": values for name, values in scope},  # type: ignore[arg-type]
    )
    moved = ui.load(replace(_view, chosen=chosen), portfolio.paid_transitions, by=())
    return actual_months(moved, is_counted=not book.has_balances)


def as_cents(months: pl.DataFrame) -> pl.DataFrame:
    """One decision's months for a table: whole cents, and what was said of each month."""
    amounts = ("mean", "low", "high", "baseline", "actual", "error")
    return months.select(
        "month",
        *[(pl.col(name) * 100).round().cast(pl.Int64).alias(f"{name}_cents") for name in amounts],
        "place",
        above_probability="p_above",
    )


def strategy_file(decision_id: str) -> bytes:
    """The strategy that was decided on, as a file."""
    return decided_strategy(decision_id).encode()


def listed(found: Overview) -> pl.DataFrame:
    """The list of decisions, newest first."""
    rows = [
        {
            "decision": one.id,
            "strategy": one.strategy_name,
            "version": one.strategy_version,
            "owner": one.owner,
            "decided_on": one.decided_on,
        }
        for one in found.decisions
    ]
    return pl.DataFrame(rows).join(found.main, on="decision", how="left", maintain_order="left")
