"""Do collectors get better with time, and after a training?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy import stats

from analytics.intervals import divide

# Whole months between hiring and the opening of the case: from, and the band's name.
BANDS = ((0, "under 3 months"), (3, "3–5 months"), (6, "6–11 months"), (12, "1–2 years"))
LAST_BAND = (24, "2 years and more")
FEWEST = 5  # collectors below which a band is drawn hollow
TRAINING_MONTHS = 6  # looked at before and after a training
_SUMS = ("cases", "observed", "average_expected", "average_variance")


def tenure_effects(
    sums: pl.DataFrame, hired: pl.DataFrame, *, owner: str, is_money: bool = False
) -> pl.DataFrame:
    """Do collectors reach more on the same cases the longer they are here?

    Effect of a band of tenure = (O - E) / V over all its cases, E and V being what the average
    collector would have had (cash: (O - E) / E).  Tenure: whole months from hiring to the
    opening of the case.  Error: the collector is the unit (their sums differ by more than their
    cases' chance): sum over collectors of (O_j - E_j - effect x V_j)^2 / V^2 x m / (m - 1).
    In: `cases`, `observed`, `average_expected`, `average_variance` by owner and `opened_month`;
    `hired`: owner, `hired_on`.  Out: by `band`: `collectors`, `cases`, `effect`, `se`, `low`,
    `high`, `is_small` (fewer than five collectors).
    Null: error and interval of a band of one collector.  Owners without a day of hiring are left
    out, and so are cases opened before it.
    Misleads: those who stay are not those who left; a band holds other people, not the same ones
    later.  Reference: Liang and Zeger 1986 (errors by cluster).
    """
    known = hired.filter(pl.col("hired_on").is_not_null())
    months = _months("opened_month") - _months("hired_on")
    cells = sums.join(known.select(owner, "hired_on"), on=owner).with_columns(tenure=months)
    labels = [name for _, name in (*BANDS, LAST_BAND)]
    band = pl.coalesce(
        pl.when(pl.col("tenure") >= start).then(pl.lit(name))
        for start, name in reversed((*BANDS, LAST_BAND))
    )
    banded = cells.filter(pl.col("tenure") >= 0).with_columns(band=band)
    order = pl.DataFrame({"band": labels}, schema={"band": pl.String})
    found = _pooled(banded, owner, ["band"], is_money=is_money)
    return order.join(found, on="band", how="inner", maintain_order="left")


def training_effect(
    sums: pl.DataFrame,
    trainings: pl.DataFrame,
    *,
    owner: str,
    is_money: bool = False,
    months: int = TRAINING_MONTHS,
) -> dict[str, float | int | None]:
    """Do trained collectors reach more on the same cases afterwards than before?

    For each collector trained: effect on cases opened in the six months after the month of
    training less that in the six months before it, against the average collector both times (so
    what changed for everybody is out); mean over collectors by information, its error by the
    collector.
    In: sums as for tenure; `trainings`: owner, `occurred_on` (each collector's latest counts).
    Out: `collectors` with cases on both sides, `difference`, `low`, `high`.
    Null: estimates with fewer than two such collectors.
    Misleads: who is sent to training was not drawn by lot: those with a bad half-year get better
    anyway.
    """
    latest = trainings.group_by(owner).agg(pl.col("occurred_on").max())
    gap = _months("opened_month") - _months("occurred_on")
    sides = (
        sums.join(latest, on=owner)
        .with_columns(gap=gap)
        .filter(pl.col("gap").abs().is_between(1, months))
        .with_columns(side=pl.when(pl.col("gap") > 0).then(1).otherwise(0))
        .group_by(owner, "side")
        .agg(pl.col(_SUMS).sum())
    )
    after, before = (sides.filter(pl.col("side") == side).drop("side") for side in (1, 0))
    both = after.join(before, on=owner, suffix="_before")
    weight = "average_expected" if is_money else "average_variance"
    both = both.filter(pl.col(weight) > 0, pl.col(f"{weight}_before") > 0)
    nothing: dict[str, float | int | None] = {"difference": None, "low": None, "high": None}
    if both.height < 2:
        return {"collectors": both.height, **nothing}
    effects = [
        (both[f"observed{end}"] - both[f"average_expected{end}"]) / both[f"{weight}{end}"]
        for end in ("", "_before")
    ]
    change = (effects[0] - effects[1]).to_numpy()
    weights = 1 / (1 / both[weight] + 1 / both[f"{weight}_before"]).to_numpy()
    mean = float((weights * change).sum() / weights.sum())
    squares = (weights**2 * (change - mean) ** 2).sum() / weights.sum() ** 2
    se = float(np.sqrt(squares * both.height / (both.height - 1)))
    reach = float(stats.t.ppf(0.975, both.height - 1)) * se
    found = {"difference": mean, "low": mean - reach, "high": mean + reach}
    return {"collectors": both.height, **found}


def _months(name: str) -> pl.Expr:
    return pl.col(name).dt.year() * 12 + pl.col(name).dt.month()


def _pooled(cells: pl.DataFrame, owner: str, by: Sequence[str], *, is_money: bool) -> pl.DataFrame:
    """Effects of groups of cells against the average owner, the owner being the unit."""
    weight = "average_expected" if is_money else "average_variance"
    each = cells.group_by(owner, *by, maintain_order=True).agg(pl.col(_SUMS).sum())
    each = each.filter(pl.col(weight) > 0)
    left = pl.col("observed") - pl.col("average_expected")
    total = each.group_by(*by, maintain_order=True).agg(
        collectors=pl.len(), cases=pl.col("cases").sum(), effect=left.sum() / pl.col(weight).sum()
    )
    joined = each.join(total.select(*by, "effect"), on=list(by))
    errors = joined.group_by(*by).agg(
        squares=(left - pl.col("effect") * pl.col(weight)).pow(2).sum()
        / pl.col(weight).sum().pow(2)
    )
    found = total.join(errors, on=list(by), how="left", maintain_order="left")
    count = found["collectors"].to_numpy().astype(float)
    se = np.sqrt(found["squares"].to_numpy() * divide(count, count - 1))
    reach = stats.t.ppf(0.975, np.maximum(count - 1, 1)) * se
    effect = found["effect"].to_numpy()
    ends = pl.DataFrame({"se": se, "low": effect - reach, "high": effect + reach}, nan_to_null=True)
    return found.drop("squares").hstack(ends).with_columns(is_small=pl.col("collectors") < FEWEST)
