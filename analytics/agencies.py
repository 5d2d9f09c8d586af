"""Agencies: do partners earn their fee on the cases that they are given?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats
from scipy.special import expit, logit

from analytics.shrinkage import Shrunk, shrink

Array = npt.NDArray[np.float64]
IN_HOUSE = "in-house"
MINIMUM_CASES = 30


def agency_results(
    money: pl.DataFrame, *, placed_cents: int, confidence: float = 0.95
) -> tuple[pl.DataFrame, Shrunk]:
    """Of the cases that agencies are given, what would each bring in, its commission paid?

    ratio = exp(effect), shrunk towards the average: money collected over what the average owner
    would have collected on the same kinds of cases.  standard = expected cash of the average
    owner on all cases that agencies hold / what was placed on them.  rate = standard x ratio;
    net = rate x (1 - commission).  In-house pays no commission; what it costs is not in it.
    earns = P(net of the agency > rate of in-house), normal on the log scale.

    In: by owner `effect`, `se`, `cases`, `average_expected` (cents), `commission_rate` (null: not
    known; 0 in-house), `is_in_house`; `placed_cents` on the agencies' cases in the choice.
    Out: the frame with `ratio`, `ratio_low`, `ratio_high`, `rate`, `rate_low`, `rate_high`, `net`,
    `net_low`, `net_high`, `p_better` (than the average owner), `p_earns`, `break_even_rate` (the
    commission at which both are equal, null if there is none), `is_small`; and what shrinking said.
    Null: ratio and rates where nobody can be compared; net without a known commission; p_earns
    without in-house cases.  Refuses: nothing placed.
    Misleads: it adjusts for what is recorded only; if agencies are given cases that nobody else
    has, the comparison rests on the model.  Interval of net: the commission is taken as fixed.
    Reference: Paule and Mandel 1982 (shrinking); see the effects in money.
    """
    if placed_cents <= 0:
        raise ValueError("nothing was placed with agencies")
    found = shrink(money, confidence=confidence)
    theirs = ~pl.col("is_in_house")
    expected = money.filter(theirs)["average_expected"].sum()
    standard = max(float(expected or 0.0), 0.0) / placed_cents
    kept = 1 - pl.col("commission_rate")
    ends = {"": "shrunk", "_low": "low", "_high": "high"}
    table = (
        found.owners.with_columns(
            **{f"ratio{end}": pl.col(name).exp() for end, name in ends.items()}
        )
        .with_columns(**{f"rate{end}": pl.col(f"ratio{end}") * standard for end in ends})
        .with_columns(**{f"net{end}": pl.col(f"rate{end}") * kept for end in ends})
        .with_columns(is_small=pl.col("cases") < MINIMUM_CASES)
    )
    reach = float(stats.norm.ppf(0.5 + confidence / 2))
    return _against_in_house(table, reach).drop("shrunk", "low", "high"), found


def _against_in_house(table: pl.DataFrame, reach: float) -> pl.DataFrame:
    house = table.filter("is_in_house", pl.col("shrunk").is_not_null())
    nothing = pl.lit(None, pl.Float64)
    if not house.height:
        return table.with_columns(p_earns=nothing, break_even_rate=nothing)
    centre = float(house["shrunk"][0])
    width = float(house["high"][0] - house["low"][0]) / (2 * reach)
    own = (table["high"] - table["low"]).to_numpy() / (2 * reach)
    with np.errstate(divide="ignore", invalid="ignore"):
        ahead = (
            table["shrunk"].to_numpy()
            + np.log1p(-table["commission_rate"].cast(pl.Float64).to_numpy())
            - centre
        )
        chance = stats.norm.cdf(ahead / np.sqrt(own**2 + width**2))
    equal = 1 - (pl.lit(centre) - pl.col("shrunk")).exp()
    return table.with_columns(
        p_earns=pl.when(~pl.col("is_in_house")).then(pl.Series(chance, nan_to_null=True)),
        break_even_rate=pl.when(~pl.col("is_in_house"), equal > 0).then(equal),
    )


def resolved_results(
    sums: pl.DataFrame, *, confidence: float = 0.95
) -> tuple[pl.DataFrame, Shrunk]:
    """Of the cases that agencies are given, what share would each resolve?

    standard = the share that the average owner would resolve of all cases that agencies hold;
    share = expit(logit(standard) + k x effect), the effect shrunk; k = mean of p(1 - p) over the
    cases / standard (1 - standard): exact at the average owner, and in its slope.

    In: by owner `effect`, `se` (log-odds), `cases`, `average_expected`, `average_variance`,
    `is_in_house`.  Out: the frame with `share`, `share_low`, `share_high`, `p_better`, and what
    shrinking said.  Null: share where nobody can be compared.
    Misleads: a case resolved by a small settlement counts as one paid in full.
    """
    found = shrink(sums, confidence=confidence)
    theirs = sums.filter(~pl.col("is_in_house"))
    cases = float(theirs["cases"].sum())
    p = float(theirs["average_expected"].sum()) / cases if cases else 0.0
    ends = {"share": "shrunk", "share_low": "low", "share_high": "high"}
    if not 0 < p < 1:
        none = {name: pl.lit(None, pl.Float64) for name in ends}
        return found.owners.with_columns(**none).drop(*ends.values()), found
    k = float(theirs["average_variance"].sum()) / cases / (p * (1 - p))
    shares = {
        name: pl.Series(
            expit(logit(p) + k * found.owners[effect].cast(pl.Float64).to_numpy()),
            nan_to_null=True,
        )
        for name, effect in ends.items()
    }
    return found.owners.with_columns(**shares).drop(*ends.values()), found


def batches(
    expected: pl.DataFrame, placed: pl.DataFrame, *, commission_rate: float | None = None
) -> pl.DataFrame:
    """What did each month's placement bring in within 90 days, beside what anybody would have?

    rate = observed / placed; expected_rate = expected of the average owner on the same kinds of
    cases / placed; net = rate x (1 - commission), its interval too (the commission is taken as
    fixed); whole batches only (every case has had its 90 days).

    In: `expected`: `placed_month`, `observed`, `average_expected` (cents), `average_variance`
    (currency squared); `placed`: `placed_month`, `cases`, `placed_cents`, `immature_cases`; the
    agency's `commission_rate`.
    Out: by month `cases`, `placed_cents`, `rate`, `low`, `high` (normal, around the rate;
    not below 0 unless the rate is), `net`, `net_low`, `net_high`, `expected_rate`.
    Null: net without a commission on record; months that are not whole are left out.
    Misleads: one batch is few cases; the interval is of the batch's own luck, not of the model.
    """
    reach = float(stats.norm.ppf(0.975))
    kept = None if commission_rate is None else 1 - commission_rate
    whole = placed.filter(pl.col("immature_cases") == 0, pl.col("placed_cents") > 0)
    error = pl.col("average_variance").sqrt() * 100 / pl.col("placed_cents")
    return (
        whole.join(expected, on="placed_month", how="inner")
        .with_columns(
            rate=pl.col("observed") / pl.col("placed_cents"),
            expected_rate=pl.col("average_expected") / pl.col("placed_cents"),
        )
        .with_columns(low=pl.col("rate") - reach * error, high=pl.col("rate") + reach * error)
        .with_columns(low=pl.max_horizontal("low", pl.min_horizontal("rate", 0.0)))
        .select(
            "placed_month",
            "cases",
            "placed_cents",
            "rate",
            "low",
            "high",
            *[(pl.col(of) * pl.lit(kept, pl.Float64)).alias(name) for name, of in _NET.items()],
            "expected_rate",
        )
        .sort("placed_month")
    )


_NET = {"net": "rate", "net_low": "low", "net_high": "high"}


def pooled_curve(curves: pl.DataFrame) -> pl.DataFrame:
    """How do all placements together pay down?

    rate(m) = sum over steps k to m of (cash in step k / placed, of the months that have reached
    step k whole): what each step adds, from all the months that know it (additive chain ladder).
    In: liquidation curves by `placed_month`.  Out: `elapsed`, `cash_cents` (in the step),
    `placed_cents`, `rate`, `months`.
    Misleads: later steps rest on the older months only, and placements change.

    >>> curve = pl.DataFrame({"placed_month": [1, 1, 2], "elapsed": [0, 1, 0],
    ...                       "cash_cents": [10, 15, 30], "placed_cents": [100, 100, 100]})
    >>> pooled_curve(curve)["rate"].to_list()
    [0.2, 0.25]
    """
    steps = curves.sort("placed_month", "elapsed").with_columns(
        cash_cents=pl.col("cash_cents") - pl.col("cash_cents").shift(1, fill_value=0)
        .over("placed_month")
    )  # fmt: skip
    return (
        steps.group_by("elapsed")
        .agg(pl.col("cash_cents", "placed_cents").sum(), months=pl.len().cast(pl.Int64))
        .sort("elapsed")
        .with_columns(rate=(pl.col("cash_cents") / pl.col("placed_cents")).cum_sum())
    )


def complete_steps(placements: pl.DataFrame, *, last_day: object, days: int = 30) -> pl.DataFrame:
    """Up to which step has every case of a placement month been followed?

    Step m is days 30 m to 30 m + 29 after a case's own opening.  It is complete for a month when
    a case opened on its last day has had all of it: month-end + 30 (m + 1) - 1 <= last day.
    In: `placed_month` (month-ends).  Out: with `complete_to` (null: none yet).

    >>> import datetime as dt
    >>> frame = pl.DataFrame({"placed_month": [dt.date(2026, 3, 31), dt.date(2026, 6, 30)]})
    >>> complete_steps(frame, last_day=dt.date(2026, 6, 30))["complete_to"].to_list()
    [2, None]
    """
    followed = (pl.lit(last_day) - pl.col("placed_month")).dt.total_days()
    step = (followed + 1).floordiv(days) - 1
    return placements.with_columns(complete_to=pl.when(step >= 0).then(step))


def commissions_due(cash: pl.DataFrame, partners: pl.DataFrame) -> pl.DataFrame:
    """What do agencies cost, by the rates agreed with them?

    commission = net cash on the agency's cases in the month x its commission rate.  What the
    lender's costs hold for agencies beyond that (or less) is shown as the difference.
    In: `cash`: `month`, `agency_id`, `cash_cents` (reversals taken off); `partners`:
    `agency_id`, `commission_rate`.  Out: `cash` with `commission_rate`, `commission_cents`.
    Null: where no rate is recorded.  A month in which more was reversed than paid gives the
    commission back (below zero).
    Misleads: a contract may pay by step, by case or not at all for some cash; only the rate is
    known here.

    >>> paid = pl.DataFrame({"month": [1], "agency_id": ["A"], "cash_cents": [10_000]})
    >>> rates = pl.DataFrame({"agency_id": ["A"], "commission_rate": [0.2]})
    >>> commissions_due(paid, rates)["commission_cents"].to_list()
    [2000]
    """
    rates = partners.select("agency_id", "commission_rate").unique("agency_id", keep="first")
    due = (pl.col("cash_cents") * pl.col("commission_rate")).round().cast(pl.Int64)
    return cash.join(rates, on="agency_id", how="left", maintain_order="left").with_columns(
        commission_cents=due
    )


def curve_points(curves: pl.DataFrame, pooled: pl.DataFrame, *, days: int = 30) -> pl.DataFrame:
    """Liquidation curves as points by day: each starts at nothing on day 0.

    Out: `day`, `series` (`all`: pooled; `month`), `placed_month` (null for all), `value`.
    """
    day = (pl.col("elapsed") + 1) * days
    every = pooled.select(
        day=day,
        series=pl.lit("all"),
        placed_month=pl.lit(None, curves.schema["placed_month"]),
        value="rate",
    )
    months = curves.select("placed_month", day=day, series=pl.lit("month"), value="rate")
    points = pl.concat([every, months.select(every.columns)])
    start = points.unique(["series", "placed_month"], maintain_order=True).with_columns(
        day=pl.lit(0, points.schema["day"]), value=pl.lit(0.0)
    )
    return pl.concat([start, points]).sort("series", "placed_month", "day", nulls_last=True)
