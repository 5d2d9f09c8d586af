"""Was the simulator right before?  The baseline from past months, against what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from analytics.intervals import Array
from analytics.simulation import Plan, Simulation, simulate
from analytics.simulation_answers import CONFIDENCE, tails
from analytics.simulation_draws import posterior
from analytics.simulation_states import ON_BOOK, RollBook

MEASURES = ("cash", "late_balance", "charged_off")
DRAWS = 1_000
FEWEST_MONTHS = 6


def do_nothing(segments: int, horizon: int, effects: int = 1) -> Plan:
    """The baseline alone, without costs: for looking at the book's own course."""
    x = np.zeros((segments, 4, effects), np.float32)
    meters = np.zeros((segments, len(ON_BOOK), 4), np.float32)
    return Plan("baseline", x, meters, meters[:, :, 0], np.zeros((horizon, 0)), ())


def projected(
    book: RollBook, *, draws: int = DRAWS, horizon: int = 12, seed: int = 0
) -> Simulation:
    """The book's own course, as it was done until now."""
    found = posterior(book, draws=draws, horizon=horizon, seed=seed)
    plan = do_nothing(len(book.segments), horizon)
    return simulate(found, np.zeros((draws, 1), np.float32), [plan])


def happened(book: RollBook, first: int, horizon: int) -> dict[str, Array]:
    """What months of the book brought, from `first` on, as the simulator counts it."""
    months = slice(first, first + horizon)
    closing, late = book.closing[months], slice(1, len(ON_BOOK))
    return {
        "cash": book.paid[months].sum(axis=(1, 2, 3)),
        "late_balance": closing[..., late].sum(axis=(1, 2, 3)),
        "charged_off": closing[..., len(ON_BOOK) : len(ON_BOOK) + 2].sum(axis=(1, 2, 3)),
    }


def backtest(
    book: RollBook,
    *,
    origins: int = 12,
    horizon: int = 12,
    draws: int = DRAWS,
    confidence: float = CONFIDENCE,
    seed: int = 0,
    project: Callable[..., Simulation] = projected,
) -> pl.DataFrame:
    """From each of the last months: what would have been said, and what came?

    The baseline is projected from each of the last `origins` month-ends before the last, with
    only the months until then (segments are those of today), and set beside what happened.
    Out: one row a measure, origin and horizon that has happened: `measure` (`cash`,
    `late_balance`, `charged_off`), `origin`, `month`, `horizon`, `forecast` (mean), `low`, `high`,
    `actual`, `error` (forecast / actual - 1), `inside`.
    Null: `error` where nothing happened.  Empty: fewer than six months before the first origin.
    Misleads: the months of one origin, and origins a month apart, are wrong together: twelve
    origins are far fewer than twelve independent trials.
    """
    low, high = tails(confidence)
    last = len(book.months) - 1
    firsts = [at for at in range(last - origins, last) if at + 1 >= FEWEST_MONTHS]
    rows = []
    for at in firsts:
        ahead = min(horizon, last - at)
        sim = project(book.until(book.months[at]), draws=draws, horizon=ahead, seed=seed)
        actual = happened(book, at + 1, ahead)
        for measure in MEASURES:
            values = getattr(sim, measure)[:, 0]
            ends = np.quantile(values, [low, high], axis=0)
            for month in range(ahead):
                rows.append(
                    {
                        "measure": measure,
                        "origin": book.months[at],
                        "month": book.months[at + 1 + month],
                        "horizon": month + 1,
                        "forecast": float(values[:, month].mean(dtype=float)),
                        "low": float(ends[0, month]),
                        "high": float(ends[1, month]),
                        "actual": float(actual[measure][month]),
                    }
                )
    return _judged(rows)


def _judged(rows: Sequence[dict[str, object]]) -> pl.DataFrame:
    kinds = {
        "measure": pl.String,
        "origin": pl.Date,
        "month": pl.Date,
        "horizon": pl.Int64,
        **dict.fromkeys(("forecast", "low", "high", "actual"), pl.Float64),
    }
    actual = pl.col("actual")
    return pl.DataFrame(rows, schema=kinds).with_columns(
        error=pl.when(actual > 0).then(pl.col("forecast") / actual - 1),
        inside=(pl.col("low") <= actual) & (actual <= pl.col("high")),
    )


def by_horizon(tested: pl.DataFrame) -> pl.DataFrame:
    """How far off was it, and did the intervals hold, by months ahead?

    Out: `measure`, `horizon`, `origins` (how many projections), `error` (the mean: which way it
    leans), `absolute_error` (mean of its size), `coverage` (share inside).
    """
    return (
        tested.group_by("measure", "horizon", maintain_order=True)
        .agg(
            origins=pl.len(),
            error=pl.col("error").mean(),
            absolute_error=pl.col("error").abs().mean(),
            coverage=pl.col("inside").mean(),
        )
        .sort("measure", "horizon")
    )
