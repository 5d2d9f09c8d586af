"""Does the signal of complaints cry wolf, and does it find a doubling?

`python -m bench.truths complaints`.  Books are gamma-Poisson: a week's rate is the year's times a
gamma factor (standard deviation 0.25 of the mean), the exposure of weeks differs by a fifth.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl
from scipy import stats

from analytics.alarm_simulation import weekly_counts
from analytics.cusum import complaint_signal
from analytics.cusum_limits import weeks_to_find
from analytics.gamma_poisson import shrink_rates
from analytics.intensity import intensity_cost
from analytics.laney import laney_chart
from analytics.poisson_rates import poisson_interval
from bench.truth import Truth

DISPERSION, BASELINE = 0.25, 52
JUDGED, RISE = 52, 13  # weeks judged in null books; the judged week after which a rate doubles
START = date(2023, 1, 2)
FALSE_ALARMS, FOUND = 0.008, 0.90
COLLECTORS = 50
STAGES = np.array([0.0016, 0.003, 0.0008])  # complaints an attempt
ANGER = 0.15  # what each earlier attempt of the month adds to that


def weekly_book(
    seed: Sequence[int], *, per_week: float, judged: int, doubled_from: int | None = None
) -> pl.DataFrame:
    """A year of baseline and the weeks to be judged; the rate doubles at a judged week, or not."""
    rng = np.random.default_rng(seed)
    exposure = rng.uniform(8_000, 12_000, BASELINE + judged).round()
    mean = per_week * exposure / 10_000
    if doubled_from is not None:
        mean[BASELINE + doubled_from :] *= 2
    weeks = [START + timedelta(weeks=week) for week in range(len(mean))]
    counts = weekly_counts(rng, mean, DISPERSION).astype(int)
    return pl.DataFrame({"week": weeks, "complaints": counts, "exposure": exposure})


def false_alarms(seed: Sequence[int], *, per_week: float = 10.0) -> float:
    """Share of the judged weeks of a book without a change that raise a signal."""
    book = weekly_book(seed, per_week=per_week, judged=JUDGED)
    return float(complaint_signal(book, judged_weeks=JUDGED).points["is_signal"].mean())  # type: ignore[arg-type]


def weeks_until_found(seed: Sequence[int], *, per_week: float = 10.0, judged: int = 65) -> float:
    """Weeks from a doubling to the signal; infinite where there was none."""
    book = weekly_book(seed, per_week=per_week, judged=judged, doubled_from=RISE)
    points = complaint_signal(book, judged_weeks=judged).points
    after = np.flatnonzero(points["is_signal"].to_numpy()[RISE:])
    return float(after[0] + 1) if after.size else float("inf")


def outside_laney(seed: Sequence[int]) -> tuple[float, float]:
    """Share of the judged weeks of a null book outside Laney's limits, and outside a u chart's."""
    book = weekly_book(seed, per_week=10.0, judged=JUDGED)
    until = START + timedelta(weeks=BASELINE - 1)
    chart = laney_chart(book, baseline_until=until)
    z = chart.points["z"].to_numpy()[BASELINE:]
    return float(chart.points["is_outside"][BASELINE:].mean()), float((np.abs(z) > 3).mean())  # type: ignore[arg-type]


def collectors_found(seed: Sequence[int], *, spread: float) -> tuple[float, bool]:
    """Share of the collectors whose interval holds their true rate; is anyone called different?"""
    rng = np.random.default_rng(seed)
    attempts = rng.integers(500, 5_000, COLLECTORS).astype(float)
    factor = rng.gamma(1 / spread**2, spread**2, COLLECTORS) if spread else np.ones(COLLECTORS)
    rate = 0.002 * factor
    book = pl.DataFrame(
        {
            "collector": np.arange(COLLECTORS),
            "complaints": rng.poisson(attempts * rate),
            "attempts": attempts,
        }
    )
    found = shrink_rates(book, owner="collector", per=1.0).owners
    low, high = found["low"].to_numpy(), found["high"].to_numpy()
    return float(((low <= rate) & (rate <= high)).mean()), bool(found["is_different"].any())


def intensity_book(seed: Sequence[int]) -> tuple[pl.DataFrame, float]:
    """Cells by stage and attempts, harder stages called more; the true cost of 1,000 attempts."""
    rng = np.random.default_rng(seed)
    stage = np.repeat(np.arange(len(STAGES)), 20)
    at = np.tile(np.arange(1.0, 21.0), len(STAGES))
    cases = (12_000 * np.exp(-at / (3 + 2 * stage))).astype(int) + 1
    rate, more = (STAGES[stage] * (a + ANGER * a * (a - 1) / 2) for a in (at, at + 1))
    cells = pl.DataFrame(
        {
            "stage": [f"stage {number}" for number in stage],
            "attempts": at,
            "cases": cases,
            "complaints": rng.poisson(cases * rate),
        }
    )
    return cells, float(1_000 * (cases @ (more - rate)) / cases.sum())


def intensity_found(seed: Sequence[int]) -> tuple[float, float, bool]:
    """Estimate over truth, with and without the stage held equal, and whether it is held."""
    cells, truth = intensity_book(seed)
    held = intensity_cost(cells, controls=["stage"])
    raw = intensity_cost(cells)
    ends = (held.per_thousand, raw.per_thousand, held.low, held.high)
    estimate, naive, low, high = (float(end or "nan") for end in ends)
    return estimate / truth, naive / truth, low <= truth <= high


def figures(books: int, seed: int) -> list[Truth]:
    """The figures that complaints must reach."""
    rows = [_interval(), *_signal(books, seed), *_shrinkage(books, seed), *_intensity(books, seed)]
    return [Truth("complaints", *row) for row in rows]


Row = tuple[str, str, str, bool]


def _interval() -> Row:
    low, high = (round(float(end[0]), 2) for end in poisson_interval([12], [8_400], per=1_000))
    return "12 in 8,400, per 1,000", f"{low} to {high}", "0.74 to 2.50", (low, high) == (0.74, 2.5)


def _signal(books: int, seed: int) -> list[Row]:
    null = np.array([false_alarms([seed, book, 1]) for book in range(books)])
    rows = [
        (
            "signals a week where nothing changed, 10 a week",
            f"{null.mean():.2%} (standard error {null.std() / np.sqrt(books):.2%})",
            f"at most {FALSE_ALARMS:.1%}",
            bool(null.mean() <= FALSE_ALARMS),
        )
    ]
    for per_week in (10.0, 5.0, 1.0):
        weeks = np.array(
            [weeks_until_found([seed, book, 2], per_week=per_week) for book in range(books)]
        )
        share, nine = float((weeks <= 5).mean()), np.quantile(weeks, 0.9, method="inverted_cdf")
        rows.append(
            (
                f"  a doubling at {per_week:.0f} a week, found within five weeks",
                f"{share:.1%} (nine of ten in {nine:.0f} weeks; the page says"
                f" {weeks_to_find(per_week, DISPERSION)})",
                f"{FOUND:.0%}" if per_week == 10 else "",
                per_week != 10 or share >= FOUND,
            )
        )
    laney, plain = np.array([outside_laney([seed, book, 1]) for book in range(books)]).mean(axis=0)
    rows.append(("  null weeks outside Laney's limits", f"{laney:.2%}", "", True))
    rows.append(("  null weeks outside a plain u chart's", f"{plain:.2%}", "", True))
    return rows


def _shrinkage(books: int, seed: int) -> list[Row]:
    found = [collectors_found([seed, book, 3], spread=0.4) for book in range(books)]
    null = [collectors_found([seed, book, 4], spread=0.0) for book in range(books)]
    coverage = float(np.mean([one for one, _ in found]))
    flagged, most = sum(flag for _, flag in null), int(stats.binom.ppf(0.97, books, 0.05))
    return [
        (
            "collectors' 95 % intervals that hold the truth",
            f"{coverage:.1%}",
            "92 to 98 %",
            0.92 <= coverage <= 0.98,
        ),
        (
            "books of equals showing a difference",
            str(flagged),
            f"at most {most}",
            flagged <= most,
        ),
    ]


def _intensity(books: int, seed: int) -> list[Row]:
    found = [intensity_found([seed, book, 5]) for book in range(books)]
    ratio = np.array([one[0] for one in found])
    raw, inside = np.mean([one[1] for one in found]), float(np.mean([one[2] for one in found]))
    noise = ratio.std(ddof=1) / np.sqrt(books)
    return [
        (
            "cost of an attempt, estimate over truth",
            f"{ratio.mean():.3f} (standard error {noise:.3f}; stage not held equal {raw:.2f})",
            "0.97 to 1.03",
            bool(abs(ratio.mean() - 1) <= 0.03),
        ),
        (
            "  intervals that hold the truth",
            f"{inside:.1%}",
            "92 to 98 %",
            0.92 <= inside <= 0.98,
        ),
    ]
