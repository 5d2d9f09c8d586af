"""What an attempt, an earlier one or an agency does to the chance of cure, and how we know."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from analytics.monthly_odds import LEAST, MOST, MOST_MONTHS, Months, monthly_log_odds, odds_slope
from analytics.placement_curves import AGENCY, SUIT
from analytics.pooled_effects import pooled
from analytics.shrinkage import shrink
from analytics.strategy_fields import CHANNELS, STAGES

Array = npt.NDArray[np.float64]
REACH = float(stats.norm.ppf(0.975))
FIRST_DAYS = {"0-1": 0.5, "2-3": 2.5, "4-6": 5.0}
OFFERS = ("plan", "settlement", "suit")
IN_HOUSE = "in-house"
CURVED = {AGENCY: "agency_curve", SUIT: "suit_curve"}
ESTIMATED, ASSUMED, NONE = "estimated", "assumed", "none"
SCHEMA = pl.Schema(
    {
        "code": pl.String,
        "kind": pl.String,
        "channel": pl.String,
        "stage": pl.String,
        "step": pl.String,
        "mean": pl.Float64,
        "sd": pl.Float64,
        "evidence": pl.String,
        "own": pl.Float64,
        "own_sd": pl.Float64,
        "cases": pl.Int64,
        "reason": pl.String,
    }
)


def effect_table(
    influence: pl.DataFrame,
    agencies: pl.DataFrame,
    months: Months | None = None,
    curves: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """What is known of each thing that a strategy can change, as monthly log odds ratios of cure?

    A channel: attempted in the first week or not, on like cases (landmark estimate), by stage; a
    channel's stages are drawn toward each other, and channels toward their mean, as far as chance
    may explain their spread (`pooled`). First contact: on days 0 to 1 rather than 4 to 6. Agencies
    and suits: by their liquidation curves, a row a month since placement or filing, against like
    cases; beside it one figure for agencies of all months, which counts where there is no curve.
    Days between attempts, plans, settlements, and suits without a curve: nothing is estimated here,
    so they do nothing until the analyst says what they do. What he says of `agency` or `suit` takes
    the place of the curve.

    In: influence sums by `question`, `stage`, `arm` (outcome: resolved), owner effects of
    agencies, months at risk by stage, the steps of `placement_curves`.  Out: a row an effect:
    `code`, `kind`, `channel`, `stage` (null: every stage), `step` (of a curve, in months), `mean`
    and `sd` as the simulation draws them, `evidence` (`estimated` or `none`), the estimate of its
    `own` with `own_sd` before it was drawn to the mean, `cases` behind it, `reason` where there is
    none.
    Null: mean and sd are 0 where the evidence is `none`.
    Misleads: adjustment cannot remove what was not recorded; an effect seen where few got the
    treatment may not hold when everybody gets it.
    Reference: see `fit_effects`, `monthly_log_odds`, `placement_curves` and `shrink`.
    """
    by_channel = monthly_log_odds(influence.filter(pl.col("question") == "channel"), months)
    steps = [] if curves is None else list(curves.iter_rows(named=True))
    curved = {row["kind"] for row in steps if row["theta"] is not None}
    rows = [*_channels(by_channel), *_first_contacts(influence, months), _agencies(agencies)]
    if AGENCY in curved:
        rows[-1]["reason"] = "by_curve"
    rows += [_row(code=f"cadence:{stage}", kind="cadence", stage=stage, reason="assumed_only")
             for stage in STAGES[1:]]  # fmt: skip
    for kind in OFFERS:
        rows.append(_row(code=kind, kind=kind,
                         reason="by_curve" if kind in curved else "assumed_only"))  # fmt: skip
    return pl.DataFrame([*rows, *map(_of_curve, steps)], schema=SCHEMA)


def _of_curve(row: Mapping[str, object]) -> dict[str, object]:
    known = {"own": row["theta"], "own_sd": row["se"], "mean": row["theta"], "sd": row["se"]}
    return _row(code=f"{row['kind']}:{row['step']}", kind=CURVED[str(row["kind"])],
                step=row["step"], cases=row["cases"], reason=row["reason"], **known)  # fmt: skip


def goes_by_curve(effects: pl.DataFrame, kind: str) -> bool:
    """Whether agencies or suits act by their curve: where there is one, unless the analyst said
    what they do in all months alike."""
    by_code = dict(effects.select("code", "evidence").iter_rows())
    steps = effects.filter(pl.col("kind") == CURVED[kind])["evidence"]
    return by_code.get(kind) != ASSUMED and bool((steps != NONE).any())


def with_assumptions(
    effects: pl.DataFrame, assumptions: Mapping[str, tuple[float, float]]
) -> pl.DataFrame:
    """The analyst's own ranges in place of what was estimated: 95 % of the draws lie in a range.

    mean = middle of the range, sd = its width / (2 x 1.96); evidence `assumed`.  Codes that are
    not in the table are left out.
    """
    codes = list(assumptions)
    low = pl.col("code").replace_strict(
        codes, [ends[0] for ends in assumptions.values()], default=None, return_dtype=pl.Float64
    )
    high = pl.col("code").replace_strict(
        codes, [ends[1] for ends in assumptions.values()], default=None, return_dtype=pl.Float64
    )
    is_said = pl.col("code").is_in(codes)
    return effects.with_columns(
        mean=pl.when(is_said).then((low + high) / 2).otherwise("mean"),
        sd=pl.when(is_said).then((high - low) / (2 * REACH)).otherwise("sd"),
        evidence=pl.when(is_said).then(pl.lit(ASSUMED)).otherwise("evidence"),
    )


def _channels(known: pl.DataFrame) -> list[dict[str, object]]:
    by_key = {(row["stage"], row["arm"]): row for row in known.iter_rows(named=True)}
    drawn = _drawn(known.filter(pl.col("theta").is_not_null(), pl.col("se") > 0))
    rows = []
    for stage in STAGES:
        for channel in CHANNELS:
            row = by_key.get((stage, channel), {})
            own, own_sd = row.get("theta"), row.get("se")
            mean, sd = drawn.get((stage, channel), (own, own_sd))
            reason = row.get("reason") or (None if own is not None else "no_contacts")
            code = f"{channel}:{stage}"
            rows.append(
                _row(code=code, kind="channel", channel=channel, stage=stage, mean=mean, sd=sd,
                     own=own, own_sd=own_sd, cases=row.get("treated_cases"), reason=reason)
            )  # fmt: skip
    return rows


def _drawn(rows: pl.DataFrame) -> dict[tuple[str, str], tuple[float, float]]:
    """Mean and standard deviation of each effect, by stage and channel, seeing all of them."""
    if rows.is_empty():
        return {}
    drawn = pooled(rows["theta"].to_numpy(), rows["se"].to_numpy(), rows["arm"].to_list())
    keys = rows.select("stage", "arm").iter_rows()
    return dict(zip(keys, zip(*(part.tolist() for part in drawn), strict=True), strict=True))


def _first_contacts(influence: pl.DataFrame, months: Months | None) -> list[dict[str, object]]:
    known = monthly_log_odds(influence.filter(pl.col("question") == "first_day"), months)
    rows = []
    for stage in STAGES[1:]:
        own = {row["arm"]: row for row in known.iter_rows(named=True) if row["stage"] == stage}
        early, late = own.get("0-1", {}), own.get("4-6", {})
        code = f"first_contact:{stage}"
        if early.get("theta") is None or late.get("theta") is None:
            reason = early.get("reason") or late.get("reason") or "no_contacts"
            rows.append(_row(code=code, kind="first_contact", stage=stage, reason=reason))
            continue
        # both are against the same cases without: their errors overlap, so this is too wide
        sd = float(np.hypot(early["se"], late["se"]))
        mean = early["theta"] - late["theta"]
        cases = early["treated_cases"] + late["treated_cases"]
        rows.append(_row(code=code, kind="first_contact", stage=stage, mean=mean, sd=sd, own=mean,
                         own_sd=sd, cases=cases))  # fmt: skip
    return rows


def _agencies(agencies: pl.DataFrame) -> dict[str, object]:
    """Agencies together, weighted by their information, against in-house; per month."""
    known = agencies.filter(pl.col("effect").is_not_null(), pl.col("se") > 0)
    own = known.filter(pl.col("owner") == IN_HOUSE)
    others = known.filter(pl.col("owner") != IN_HOUSE)
    if own.is_empty() or others.is_empty():
        return _row(code="agency", kind="agency", reason="no_agencies")
    pooled = shrink(others) if others.height > 1 else None
    if pooled is not None and pooled.mean is not None and pooled.mean_se is not None:
        mean, spread = pooled.mean, float(np.hypot(pooled.mean_se, pooled.spread or 0.0))
    else:
        mean, spread = others["effect"][0], others["se"][0]
    sd = float(np.hypot(spread, own["se"][0]))
    share = float(others["expected"].sum()) / max(int(others["cases"].sum()), 1)
    p = np.array([np.clip(share, LEAST, MOST)])
    per_month = float(odds_slope(p, np.array([MOST_MONTHS]))[0] * share * (1 - share))
    theta = (mean - own["effect"][0]) * per_month
    return _row(code="agency", kind="agency", mean=theta, sd=sd * per_month, own=theta,
                own_sd=sd * per_month, cases=int(others["cases"].sum()))  # fmt: skip


def _row(**values: object) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(SCHEMA, None) | values
    is_known = values.get("mean") is not None and values.get("sd") is not None
    row |= {"evidence": ESTIMATED if is_known else NONE}
    if not is_known:
        row |= {"mean": 0.0, "sd": 0.0}
    return row
