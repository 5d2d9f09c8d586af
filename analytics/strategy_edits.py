"""Edits of a strategy: a field of some segments, or everything a little at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from analytics.strategies import Strategy
from analytics.strategy_differences import grouped_value
from analytics.strategy_fields import TREATMENTS, Problem, StrategyError, wrong_number

MESSAGES = ("sms", "app_push", "messenger", "email")


@dataclass(frozen=True)
class QuickChanges:
    """Calls and messages times so much, first contact so many working days sooner, a share of the
    calls to the voice bot, collectors more or fewer."""

    calls: float = 1.0
    messages: float = 1.0
    days_sooner: float = 0.0
    bot_share: float = 0.0
    collectors: float = 0.0


def quickly(strategy: Strategy, changes: QuickChanges) -> Strategy:
    """The strategy with quick changes; the very same one where none is made.

    Loans that are not late keep their treatment.

    >>> from analytics.strategies import make_strategy
    >>> one = make_strategy("a", [{"segment": "s", "stage": "late", "attempts_call": 2}])
    >>> quickly(one, QuickChanges(calls=1.5)).treatments["attempts_call"][0]
    3.0
    """
    if changes == QuickChanges():
        return strategy
    made = strategy.with_treatments(
        *[
            (pl.col(name) * factor).clip(0.0, TREATMENTS[name].most).alias(name)
            for name, factor in _factors(changes)
        ],
        (pl.col("first_contact_day") - changes.days_sooner)
        .clip(lower_bound=0.0)
        .alias("first_contact_day"),
        pl.max_horizontal(pl.col("bot_share").fill_null(0.0), pl.lit(changes.bot_share)).alias(
            "bot_share"
        ),
        only=pl.col("stage") != "reminder",
    )
    people = max(strategy.operations.collectors + changes.collectors, 0.0)
    return made.with_operations(collectors=people)


def _factors(changes: QuickChanges) -> list[tuple[str, float]]:
    messages = [(f"attempts_{channel}", changes.messages) for channel in MESSAGES]
    return [("attempts_call", changes.calls), *messages]


def edited(
    strategy: Strategy,
    rows: pl.DataFrame,
    name: str,
    value: float | None,
    *,
    weights: Mapping[tuple[str, str], float] | None = None,
) -> Strategy:
    """A field of some segments and stages given another value.

    In: `rows` with `segment` and `stage`, `weights` their cases (all alike where null).  Attempts
    of several rows change in proportion, so that their mean by cases becomes the value (all the
    same where they had none); other fields are set in each.
    Refuses: an unknown field, a value that cannot be right.
    """
    if name not in TREATMENTS:
        raise StrategyError([Problem(name, None, "is no field of a treatment")])
    if wrong := wrong_number(TREATMENTS[name], value):
        raise StrategyError([Problem(name, None, wrong)])
    keys = pl.struct("segment", "stage").is_in(
        rows.select(pl.struct("segment", "stage")).to_series().implode()
    )
    here = strategy.treatments.filter(keys)
    cases = [(weights or {}).get(key, 0.0) if weights else 1.0
             for key in here.select("segment", "stage").iter_rows()]  # fmt: skip
    mean = grouped_value(here, name, cases)
    in_proportion = name.startswith("attempts_") and rows.height > 1 and value is not None
    if in_proportion and mean is not None and mean > 0 and not here[name].null_count():
        new = (pl.col(name) * (float(value or 0) / mean)).clip(0.0, TREATMENTS[name].most)
    else:
        new = pl.lit(value, pl.Float64)
    return strategy.with_treatments(new.alias(name), only=keys)
