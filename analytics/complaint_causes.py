"""What complaints are about, how they end, and how soon after a contact they come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl
from statsmodels.stats.multitest import multipletests

from analytics.complaint_rates import MINIMUM, exposed
from analytics.intervals import divide, wilson
from analytics.poisson_rates import CONFIDENCE, rate_ratios

VITAL = 0.8
QUANTILES = {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}
OUTCOMES = ("upheld", "partly_upheld", "not_upheld", "withdrawn")


def upheld_share(
    complaints: pl.DataFrame,
    *,
    by: Sequence[str] = (),
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM,
) -> pl.DataFrame:
    """Of the complaints that were resolved, how many were right, wholly or in part?

    (upheld + partly upheld) / resolved; withdrawn ones are resolved too.  Wilson interval.
    In: rows with `resolved_at`, `outcome`.  Out: by group `resolved`, the four outcomes,
    `without_outcome` (resolved, but not recorded how: left out of the share and of `resolved`),
    `share`, `low`, `high`, `is_small`.
    Null: the share where nothing was resolved.  Refuses: an unknown outcome.
    Misleads: hard cases are resolved later, so a young month's share is of easy ones; a lower
    share may mean fewer faults or a harder judge.
    Reference: Wilson 1927.
    """
    _need(complaints, {"resolved_at", "outcome", *by})
    outcome = pl.col("outcome")
    if odd := set(complaints["outcome"].drop_nulls().unique()) - set(OUTCOMES):
        raise ValueError(f"unknown outcomes: {', '.join(sorted(map(str, odd)))}")
    done = complaints.filter(pl.col("resolved_at").is_not_null())
    sums = [
        outcome.is_not_null().sum().cast(pl.Int64).alias("resolved"),
        *((outcome == one).sum().cast(pl.Int64).alias(one) for one in OUTCOMES),
        outcome.is_null().sum().cast(pl.Int64).alias("without_outcome"),
    ]
    table = done.group_by(list(by)).agg(sums) if by else done.select(sums)
    right = pl.col("upheld") + pl.col("partly_upheld")
    return _shared(table, right, "resolved", "share", confidence, by, minimum)


def root_causes(
    complaints: pl.DataFrame,
    *,
    as_of: date,
    by: str = "category",
    exposure: pl.DataFrame | None = None,
    measure: str = "attempts",
    cv: float = 0.0,
    recent_weeks: int = 13,
    before_weeks: int = 52,
    confidence: float = CONFIDENCE,
    false_discoveries: float = 0.05,
) -> pl.DataFrame:
    """Which few causes make most complaints, and which of them grows?

    A Pareto table: causes by number, the largest first, their share and the share so far; the
    `vital` ones are those needed to reach 80 %.  Trend: the rate of the last 13 weeks over the
    rate of the 52 weeks before, exact conditional interval.

    In: rows with `received_on` and the cause; all rows given make the Pareto, the trend takes
    its weeks back from `as_of`.  `exposure` by `week` (its Monday) with `measure`: the rate is per
    attempt (a week counts where its Monday is); without it per day.  `cv`: weekly variation
    (standard deviation over mean, as the signal estimates it): counts then weigh 1 / (1 + weekly
    mean x cv^2).  Out: `by`, `complaints`, `share`, `cumulative_share`, `is_vital`, `recent`,
    `before`, `ratio`, `ratio_low`, `ratio_high`, `p_value`, `is_different` (after
    Benjamini-Hochberg over the causes).
    Null: the ratio where neither stretch has a complaint or one has no exposure; its high end is
    infinite where the year before had none.
    Refuses: columns that are not there.
    Misleads: a cause is what somebody chose from a list; the trend of a year that is not all in
    the data is against less than a year.
    Reference: Przyborowski and Wilenski 1940; Benjamini and Hochberg 1995.
    """
    _need(complaints, {by, "received_on"})
    middle, first = (
        as_of - timedelta(weeks=weeks) for weeks in (recent_weeks, recent_weeks + before_weeks)
    )
    day = pl.col("received_on")
    sums = {
        "complaints": pl.len(),
        "recent": (day > middle).and_(day <= as_of).sum(),
        "before": (day > first).and_(day <= middle).sum(),
    }
    table = (
        complaints.group_by(by)
        .agg(value.cast(pl.Int64).alias(name) for name, value in sums.items())
        .sort(pl.col("complaints"), by, descending=[True, False])
    )
    spans = _spans(complaints, exposure, measure, (first, middle, as_of))
    n, m = (table[name].to_numpy().astype(float) for name in ("recent", "before"))
    spread = 1 + (n + m) / max(recent_weeks + before_weeks, 1) * cv**2
    ratio, low, high, p = rate_ratios(
        n / spread, spans[0], m / spread, spans[1], confidence=confidence
    )
    table = table.with_columns(share=pl.col("complaints") / pl.col("complaints").sum())
    so_far = pl.col("share").cum_sum()
    ends = {"ratio": ratio, "ratio_low": low, "ratio_high": high, "p_value": p}
    known, flags = np.isfinite(p), np.full(len(p), None, dtype=object)
    if known.any():
        flags[known] = multipletests(p[known], alpha=false_discoveries, method="fdr_bh")[0]
    return (
        table.with_columns(cumulative_share=so_far, is_vital=(so_far - pl.col("share")) < VITAL)
        .select(by, "complaints", "share", "cumulative_share", "is_vital", "recent", "before")
        .hstack(pl.DataFrame(ends, nan_to_null=True))
        .with_columns(pl.Series("is_different", list(flags), dtype=pl.Boolean))
    )


def _spans(
    complaints: pl.DataFrame,
    exposure: pl.DataFrame | None,
    measure: str,
    ends: tuple[date, date, date],
) -> tuple[float, float]:
    """The exposure of the recent stretch and of the one before; days without an exposure."""
    first, middle, last = ends
    if exposure is None:
        begun = complaints["received_on"].min()
        start = max(first, begun - timedelta(days=1)) if isinstance(begun, date) else first
        return float((last - middle).days), float(max((middle - start).days, 0))
    done = exposed(exposure, ["week"], measure).select(
        recent=pl.col("exposure").filter(pl.col("week") > middle, pl.col("week") <= last).sum(),
        before=pl.col("exposure").filter(pl.col("week") > first, pl.col("week") <= middle).sum(),
    )
    return float(done["recent"][0]), float(done["before"][0])


def contact_lag(
    complaints: pl.DataFrame,
    *,
    by: Sequence[str] = (),
    within: Sequence[int] = (1, 7, 30),
    confidence: float = CONFIDENCE,
) -> pl.DataFrame:
    """How soon after the contact does the complaint come?

    Days from the contact (the one it names, else the last one on the case before it) to the
    receipt, in days and parts of days: quantiles, and the share within 1, 7 and 30 days.
    In: rows with `received_at`, `contact_at`.  Out: by group `complaints`, `with_contact`,
    `before_contact` (received before the contact they name: counted, not used), `q10`, `q25`,
    `median`, `q75`, `q90`, `within_1` and so on with `_low`, `_high` (Wilson).
    Null: the figures where no complaint has a contact.  Refuses: columns that are not there.
    Misleads: where the contact is a guess (the last one), the lag is as short as it can be;
    complaints about recent contacts have not all come yet.
    Reference: Wilson 1927; quantiles by linear interpolation.
    """
    _need(complaints, {"received_at", "contact_at", *by})
    rows = complaints.with_columns(
        _lag=(pl.col("received_at") - pl.col("contact_at")).dt.total_seconds() / 86_400
    )
    lag = pl.col("_lag")
    used = lag.filter(lag >= 0)
    sums = [
        pl.len().cast(pl.Int64).alias("complaints"),
        (lag >= 0).sum().cast(pl.Int64).alias("with_contact"),
        (lag < 0).sum().cast(pl.Int64).alias("before_contact"),
        *(used.quantile(share, "linear").alias(name) for name, share in QUANTILES.items()),
        *((used <= day).sum().cast(pl.Int64).alias(f"_{day}") for day in within),
    ]
    table = rows.group_by(list(by)).agg(sums) if by else rows.select(sums)
    for day in within:
        name = f"within_{day}"
        table = _shared(table, pl.col(f"_{day}"), "with_contact", name, confidence, by)
    return table.drop([f"_{day}" for day in within])


def satisfaction(
    surveys: pl.DataFrame,
    *,
    by: Sequence[str] = (),
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM,
) -> pl.DataFrame:
    """How satisfied are those who were asked and answered?

    Mean of the answers 1 to 5 with its interval (normal, mean -+ 1.96 standard errors, within 1
    and 5), and the share of 4 and 5 (Wilson), with the number of answers.
    In: `satisfaction`, as rows or with a count `surveys`.  Out: by group `responses`, `mean`,
    `mean_low`, `mean_high`, `satisfied`, `share`, `low`, `high`, `is_small`.
    Null: mean and share without answers, the mean's interval with fewer than two.
    Refuses: answers outside 1 to 5.
    Misleads: those who answer are not those who were asked.
    Reference: Wilson 1927.
    """
    _need(surveys, {"satisfaction", *by})
    score = pl.col("satisfaction")
    answers = surveys.filter(score.is_not_null())
    if not answers["satisfaction"].is_between(1, 5).all():
        raise ValueError("satisfaction is an answer from 1 to 5")
    n = pl.col("surveys") if "surveys" in surveys.columns else score.is_not_null().cast(pl.Int64)
    sums = [
        n.sum().cast(pl.Int64).alias("responses"),
        (n * score).sum().alias("_sum"),
        (n * score * score).sum().alias("_squares"),
        n.filter(score >= 4).sum().cast(pl.Int64).alias("satisfied"),
    ]
    table = answers.group_by(list(by)).agg(sums) if by else answers.select(sums)
    count, total, squares = (
        table[name].to_numpy().astype(float) for name in ("responses", "_sum", "_squares")
    )
    mean = divide(total, count)
    spread = np.maximum(divide(squares - count * mean**2, count - 1), 0)
    reach = 1.96 * np.sqrt(divide(spread, count))
    ends = {"mean": mean, "mean_low": np.maximum(mean - reach, 1)}
    ends["mean_high"] = np.minimum(mean + reach, 5)
    table = table.hstack(pl.DataFrame(ends, nan_to_null=True)).drop("_sum", "_squares")
    found = _shared(table, pl.col("satisfied"), "responses", "share", confidence, by, minimum)
    return found.select(
        *by, "responses", "mean", "mean_low", "mean_high", "satisfied", "share", "low", "high",
        "is_small",
    )  # fmt: skip


def _shared(
    table: pl.DataFrame,
    part: pl.Expr,
    whole: str,
    name: str,
    confidence: float,
    by: Sequence[str],
    minimum: int | None = None,
) -> pl.DataFrame:
    """The share `part` / `whole` with Wilson's interval, in order of the groups."""
    n = table[whole].to_numpy().astype(float)
    share = divide(table.select(part).to_series().to_numpy(), n)
    low, high = wilson(share, n, confidence)
    ends = ("low", "high") if name == "share" else (f"{name}_low", f"{name}_high")
    values = {name: share, ends[0]: low, ends[1]: high}
    found = table.hstack(pl.DataFrame(values, nan_to_null=True))
    if minimum is not None:
        found = found.with_columns(is_small=pl.col(whole) < minimum)
    return found.sort(list(by), nulls_last=True) if by else found


def _need(frame: pl.DataFrame, columns: set[str]) -> None:
    if missing := columns - set(frame.columns):
        raise ValueError(f"the frame lacks {', '.join(sorted(missing))}")
