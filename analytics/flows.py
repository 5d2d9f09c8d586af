"""Where late money goes: net flow between buckets, and how much of a bucket ends in loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.cells import Weight, check_buckets, check_cells, weighed_stocks
from analytics.delinquency import months_before, share_of
from analytics.intervals import Array
from analytics.states import CHARGED_OFF, state_order

HORIZONS = (6, 12, 24)
DRAWS = 500
UNKNOWN_SHARE = 0.01


@dataclass(frozen=True)
class LossForecast:
    """Expected loss by bucket (`bucket`, `outstanding`, `factor`, `loss`) and in total."""

    by_bucket: pl.DataFrame
    outstanding: float
    loss: float | None
    loss_rate: float | None


def net_flow_rates(
    stocks: pl.DataFrame, *, buckets: Sequence[str], weight: Weight, minimum: int = 30
) -> pl.DataFrame:
    """How much stands in a bucket now for each unit that stood one bucket earlier a month ago?

    rate = balance (or loans) in bucket k at t / balance in bucket k-1 at t-1.  It compares two
    stocks, not the same loans: it is not a probability, may pass 1, and is never put in a
    matrix of roll rates.

    Out: one row per month x late bucket, in order: `from_bucket` (the one before), `bucket`,
    `rank` (1 is the first late bucket), `numerator`, `denominator` (loans or cents), `rate`,
    `from_loans` (loans in the denominator) and `is_small` (fewer than `minimum` of them).
    Null: the month before is not in the data, or that bucket was empty then.
    Misleads: loans that stayed in k are counted as if they had come from k-1; a bucket wider
    than a month (181-270 and later) gathers several months' arrivals.
    Reference: OCC, Retail Lending Examination Procedures (2004), Appendix G.
    """
    frame, amount, _ = weighed_stocks(stocks, buckets, weight)
    cells = (
        frame.select("month")
        .unique()
        .join(pl.DataFrame({"bucket": list(buckets), "rank": range(len(buckets))}), how="cross")
        .join(
            frame.select("month", "bucket", count="loans", amount=amount),
            on=["month", "bucket"],
            how="left",
        )
        .with_columns(pl.col("count", "amount").fill_null(0))
    )
    before = cells.select(
        then="month", rank=pl.col("rank") + 1, denominator="amount", from_loans="count"
    )
    ranks = list(range(len(buckets)))
    return (
        cells.filter(pl.col("rank") > 0)
        .with_columns(then=months_before(pl.lit(1)))
        .join(before, on=["then", "rank"], how="left")
        .sort("month", "rank")
        .with_columns(
            pl.col("rank").sub(1).replace_strict(ranks, list(buckets)).alias("from_bucket")
        )
        .select(
            "month",
            "from_bucket",
            "bucket",
            "rank",
            pl.col("amount").alias("numerator"),
            "denominator",
            share_of(pl.col("amount"), pl.col("denominator")).alias("rate"),
            "from_loans",
            is_small=pl.col("from_loans") < minimum,
        )
    )


def flow_to_loss_product(net_flow: pl.DataFrame, *, last: str | None = None) -> pl.DataFrame:
    """If net flow stayed as it is, how much would reach the last bucket for what is in each?

    factor of bucket k = product of the net flow rates into k+1, k+2, ... up to `last` (the
    last bucket unless named), whose own factor is 1: what gets there is lost.

    Several months are pooled, sum over sum; a month with too few loans in the denominator
    (`is_small`, where the rates say so) is left out.
    In: net flow rates.  Out: one row per bucket from current (`rank` 0) to `last`: `rate` (net
    flow into it), `factor`, `months`.
    Null: a net flow on the way is not known in any month.
    Misleads: a product of ratios of stocks, not a probability, without a horizon and able to
    pass 1; choose a `last` before the buckets wider than a month.  For a probability within a
    stated time see flow to loss.
    Reference: OCC, Retail Lending Examination Procedures (2004), Appendix G.

    >>> buckets = {"from_bucket": ["current", "1-30"], "bucket": ["1-30", "31+"], "rank": [1, 2]}
    >>> flow = pl.DataFrame(buckets | {"numerator": [10, 4], "denominator": [100, 8]})
    >>> flow_to_loss_product(flow)["factor"].to_list()
    [0.05, 0.5, 1.0]
    """
    check_cells(net_flow, ["from_bucket", "bucket", "rank", "numerator", "denominator"])
    known = pl.col("denominator") > 0
    if "is_small" in net_flow.columns:
        known &= ~pl.col("is_small")
    pooled = (
        net_flow.group_by("rank", "bucket")
        .agg(
            share_of(
                pl.col("numerator").filter(known).sum(), pl.col("denominator").filter(known).sum()
            ).alias("rate"),
            known.sum().alias("months"),
        )
        .sort("rank")
    )
    if last is not None:
        if last not in pooled["bucket"]:
            raise ValueError(f"{last!r} is not a bucket that money flows into")
        pooled = pooled.head(pooled["bucket"].to_list().index(last) + 1)
    rates = pooled["rate"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    factors = np.append(np.cumprod(rates[::-1])[::-1], [1.0] * min(rates.size, 1))
    first = net_flow.filter(pl.col("rank") == 1)["from_bucket"].head(1)
    current = pl.DataFrame({"rank": pl.zeros(first.len(), pl.Int64, eager=True), "bucket": first})
    return (
        pl.concat([current, pooled], how="diagonal_relaxed")
        .with_columns(factor=pl.Series(factors, nan_to_null=True))
        .select("bucket", "rank", "rate", "factor", "months")
    )


def loss_forecast(outstandings: pl.DataFrame, factors: pl.DataFrame) -> LossForecast:
    """How much of what is outstanding now would be lost at these loss factors?

    loss = outstanding x factor by bucket, and their sum; loss_rate = sum / all outstanding.
    In: `bucket`, `outstanding`; `bucket`, `factor`.  Null: a bucket with something outstanding
    whose factor is not known has no loss, and neither has the total.
    Refuses: an outstanding bucket that `factors` does not list, or a bucket twice.
    Reference: OCC, Retail Lending Examination Procedures (2004), Appendix G.
    """
    for frame in (outstandings, factors):
        if frame["bucket"].n_unique() != frame.height:
            raise ValueError(f"a bucket is there twice: {frame['bucket'].to_list()}")
    unlisted = set(outstandings["bucket"]) - set(factors["bucket"])
    if unlisted:
        raise ValueError(f"no loss factor is given for {sorted(unlisted)}")
    rows = outstandings.join(
        factors.select("bucket", "factor"), on="bucket", how="left", maintain_order="left"
    ).with_columns(
        loss=pl.when(pl.col("outstanding") == 0)
        .then(0.0)
        .otherwise(pl.col("outstanding") * pl.col("factor"))
    )
    whole = float(rows["outstanding"].sum())
    loss = None if rows["loss"].null_count() else float(rows["loss"].sum())
    rate = loss / whole if loss is not None and whole else None
    return LossForecast(rows, whole, loss, rate)


def flow_to_loss(
    matrix: pl.DataFrame,
    *,
    buckets: Sequence[str],
    generator: np.random.Generator,
    horizons: Sequence[int] = HORIZONS,
    draws: int = DRAWS,
    confidence: float = 0.95,
) -> pl.DataFrame:
    """If loans keep moving as they did, what share of a bucket is charged off in 6, 12, 24 months?

    The roll-rate matrix to the power of the horizon, charged off, sold and paid off being ends
    that nothing leaves.  The interval: each row of the matrix is drawn from its Dirichlet
    posterior (as many effective loans as the row has, months as the unit in a window, plus one
    loan that moves as late loans of all buckets do), and every draw goes through the same
    powers.

    In: a roll-rate matrix.  Out: one row per bucket x horizon (months): `probability`, `low`,
    `high`, `unknown` (probability of being, by then, in a bucket from which no move was seen).
    Null: `unknown` above 1 %.  Below, it widens the interval upwards by as much.
    Misleads: the interval says how well the matrix is known, not how the future may differ
    from it; rows are drawn apart, though a bad month is bad for all; with fewer than some 50
    loans in late rows a 95 % interval holds the truth only 84 to 95 times in 100; a loan's past
    beyond its bucket is forgotten (Markov), which flatters old arrears.
    Reference: Cyert, Davidson and Thompson 1962.
    """
    check_buckets(buckets)
    if not horizons or min(horizons) < 1:
        raise ValueError(f"horizons are months from 1 up, not {list(horizons)}")
    rates, sizes, prior = _rows(matrix, buckets)
    known = ~np.isnan(rates.sum(axis=1))
    point = np.where(known[:, None], rates, 0.0)
    inside = len(buckets)
    charged = state_order(buckets).index(CHARGED_OFF)
    lost = _absorbed(point[None, :, :inside], point[None, :, charged], horizons)[:, 0]
    unknown = _absorbed(point[None, :, :inside], np.where(known, 0.0, 1.0)[None], horizons)[:, 0]
    alphas = np.where(known[:, None], point * np.nan_to_num(sizes)[:, None] + prior, 0.0)
    gammas = generator.standard_gamma(alphas, size=(draws, *alphas.shape))
    sums = gammas.sum(axis=2, keepdims=True)
    drawn = np.divide(gammas, sums, out=np.zeros_like(gammas), where=sums > 0)
    many = _absorbed(drawn[:, :, :inside], drawn[:, :, charged], horizons)
    tail = (1 - confidence) / 2
    low, high = np.quantile(many, [tail, 1 - tail], axis=1)
    return _by_horizon(buckets, horizons, lost, low, high, unknown)


def _rows(matrix: pl.DataFrame, buckets: Sequence[str]) -> tuple[Array, Array, Array]:
    """Rates [bucket, state], effective loans [bucket], and the prior of each row."""
    columns = ["from_state", "to_state", "rate", "numerator", "denominator", "row_size"]
    missing = [column for column in columns if column not in matrix.columns]
    if missing:
        raise ValueError(f"a roll-rate matrix has {columns}; {missing} are not there")
    states = state_order(buckets)
    wanted = pl.DataFrame({"from_state": list(buckets)}).join(
        pl.DataFrame({"to_state": list(states)}), how="cross"
    )
    cells = wanted.join(matrix, on=["from_state", "to_state"], how="left", maintain_order="left")
    if matrix.height != cells.height or cells["denominator"].null_count():
        raise ValueError("the matrix is not one row for every bucket and state given")
    shape = (len(buckets), len(states))
    rates, sizes = (
        cells[name].fill_null(np.nan).to_numpy().reshape(shape) for name in ("rate", "row_size")
    )
    return rates, sizes[:, 0], _prior(rates, sizes[:, 0])


def _prior(rates: Array, sizes: Array) -> Array:
    """One loan for each row: in a late row spread by steps as the loans of all late rows are.

    A row's own few loans may never have been seen to move as its neighbours' do; the whole
    book's row, which serves the current one, would pull late loans towards a cure.
    """
    count = len(rates)
    moved = np.nan_to_num(rates) * np.nan_to_num(sizes)[:, None]
    late = moved[1:]
    ends = late[:, count:].sum(axis=0)
    cured = late[:, 0].sum()
    steps = np.zeros(2 * count)  # steps[count + k]: k buckets later
    for start in range(1, count):
        for end in range(1, count):
            steps[count + end - start] += moved[start, end]
    prior = np.zeros_like(moved)
    prior[0] = moved.sum(axis=0)
    for start in range(1, count):
        for place, weight in enumerate(steps):
            prior[start, min(max(start + place - count, 1), count - 1)] += weight
        prior[start, 0] = cured
        prior[start, count:] = ends
    whole = prior.sum(axis=1, keepdims=True)
    return np.divide(prior, whole, out=np.zeros_like(prior), where=whole > 0)


def _absorbed(inside: Array, ending: Array, horizons: Sequence[int]) -> Array:
    """Probability of having ended within each horizon: [horizon, draw, bucket]."""
    reached = np.zeros_like(ending)
    kept = {}
    for month in range(1, max(horizons) + 1):
        reached = ending + np.matmul(inside, reached[:, :, None])[:, :, 0]
        kept[month] = reached
    return np.stack([kept[month] for month in horizons])


def _by_horizon(
    buckets: Sequence[str],
    horizons: Sequence[int],
    lost: Array,
    low: Array,
    high: Array,
    unknown: Array,
) -> pl.DataFrame:
    known = unknown <= UNKNOWN_SHARE
    lower, upper = np.minimum(low, lost), np.maximum(high, lost) + unknown
    columns = {
        "probability": np.where(known, lost, np.nan),
        "low": np.where(known, lower, np.nan),
        "high": np.where(known, np.minimum(upper, 1.0), np.nan),
        "unknown": unknown,
    }
    return pl.DataFrame(
        {
            "bucket": np.tile(np.array(buckets), len(horizons)),
            "horizon": np.repeat(np.array(horizons), len(buckets)),
        }
        | {name: array.ravel() for name, array in columns.items()},
        nan_to_null=True,
    )
