"""What the charts of the Channels page draw: results in their own rows and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from analytics.channels import NOBODY
from charts import channel_words as named
from charts.channel_sentences import Outcome
from charts.channel_steps import WAYS
from charts.effects import ADJUSTED, RAW
from charts.format import NOT_RECORDED, number


def pairs(rows: pl.DataFrame, labels: Mapping[str, str], outcome: Outcome) -> pl.DataFrame:
    """Raw and adjusted of each arm as rows of their own; money in cents."""
    size = 1.0 if outcome == "resolved" else 100.0
    shared = {
        "name": pl.col("arm").replace(labels),
        "arm": pl.col("arm"),
        "cases": pl.col("treated_cases"),
    }
    small_raw = pl.min_horizontal("treated_cases", "reference_cases") < 30
    thin = pl.col("overlap") == "thin"
    raw = rows.select(
        **shared,
        kind=pl.lit(RAW),
        value=pl.col("raw") * size,
        low=pl.col("raw_low") * size,
        high=pl.col("raw_high") * size,
        is_small=small_raw,
        is_thin=pl.lit(value=False),
        note=pl.lit(None, pl.String),
    )
    adjusted = rows.select(
        **shared,
        kind=pl.lit(ADJUSTED),
        value=pl.col("effect") * size,
        low=pl.col("low") * size,
        high=pl.col("high") * size,
        is_small=pl.col("is_small"),
        is_thin=thin.fill_null(value=False),
        note=pl.when(pl.col("reason").is_not_null())
        .then(pl.col("reason").replace(named.NOTES))
        .when(thin)
        .then(pl.lit("thin overlap")),
    )
    return pl.concat([raw, adjusted])


def amounts(rows: pl.DataFrame, labels: Mapping[str, str], outcome: Outcome) -> pl.DataFrame:
    """The same by level, with the reference, the first of the labels, at 0."""
    drawn = pairs(rows, labels, outcome)
    start = next(iter(labels.values()))
    cases = int(rows["reference_cases"].max() or 0)  # type: ignore[arg-type]
    zero = pl.DataFrame({"name": [start] * 2, "kind": [RAW, ADJUSTED], "value": [0.0, 0.0]})
    zero = zero.with_columns(
        cases=pl.lit(cases), is_small=pl.lit(value=False), is_thin=pl.lit(value=False)
    )
    upper = pl.col("value") == pl.col("value").max().over("name")
    return pl.concat([zero, drawn], how="diagonal_relaxed").with_columns(is_upper=upper)


def table(rows: pl.DataFrame, outcome: Outcome) -> pl.DataFrame:
    """The numbers under an effect chart, named by their unit."""
    unit = "difference" if outcome == "resolved" else "amount"
    effect = "effect" if outcome == "resolved" else "effect_amount"
    names = {
        "raw": f"raw_{unit}",
        "raw_low": f"raw_low_{unit}",
        "raw_high": f"raw_high_{unit}",
        "effect": effect,
        "low": f"low_{effect}",
        "high": f"high_{effect}",
    }
    kept = ["stage", "arm", "cases", "treated_cases", "reference_cases", *names]
    kept += ["supported_share", "overlap", "is_small", "verdict", "reason"]
    if outcome == "resolved":
        kept[-5:-5] = ["e_value", "e_value_limit", "odds_ratio"]
    return rows.select(kept).rename(names)


_UNITS = {
    "low": "low_effect",
    "high": "high_effect",
    "cash_effect": "cash_effect_amount",
    "cash_low": "cash_low_amount",
    "cash_high": "cash_high_amount",
}


def costs_table(costs: pl.DataFrame) -> pl.DataFrame:
    """The numbers under the prices, named by their unit: points, or currency."""
    ends = {
        f"cost_per_{what}_{end}": f"cost_per_{what}_{end}est"
        for what in ("resolved", "cash")
        for end in ("low", "high")
    }
    return costs.drop("is_treated", "is_small", strict=False).rename(_UNITS | ends)


def chances(histogram: pl.DataFrame) -> pl.DataFrame:
    """The share of each group in each bin of the fitted chance, the reference downwards."""
    whole = pl.col("cases").sum().over("group")
    shares = histogram.with_columns(share=pl.when(whole > 0).then(pl.col("cases") / whole))
    up, down = (
        shares.filter(pl.col("group") == group).select("low", "high", share="share")
        for group in ("treated", "reference")
    )
    joined = up.join(down, on=["low", "high"], how="full", coalesce=True)
    return joined.select("low", "high", up="share", down="share_right").sort("low")


def alike(balance: pl.DataFrame) -> pl.DataFrame:
    """For each thing adjusted for its level that is least alike, before and after."""
    sizes = balance.select(
        "covariate",
        "level",
        before=pl.col("smd_before").abs(),
        after=pl.col("smd_after").abs(),
    )
    return (
        sizes.sort("before", descending=True, nulls_last=True)
        .group_by("covariate", maintain_order=True)
        .agg(pl.col("level").first(), pl.col("before", "after").max())
        .with_columns(
            name=pl.col("covariate").map_elements(named.covariate, return_dtype=pl.String)
        )
        .sort("before", descending=True, nulls_last=True)
    )


def strip(rows: pl.DataFrame, by: str, labels: Mapping[str, str]) -> pl.DataFrame:
    """The steps that are drawn, by name."""
    return rows.filter(pl.col("step").is_in(list(named.STEPS))).select(
        "step",
        "share",
        "low",
        "high",
        "numerator",
        "denominator",
        name=pl.col(by).fill_null(NOT_RECORDED).replace(labels),
        is_small=pl.col("is_small").fill_null(value=False),
    )


def credited_within(cash: pl.DataFrame, by: str, only: str | None) -> pl.DataFrame:
    """The last step of the strip by stage or segment: of the cash of its cases, what followed a
    contact (by the channel `only`), by the last contact."""
    last = cash.filter(pl.col("rule") == "last")
    channel = pl.col("channel")
    followed = (channel != NOBODY) if only is None else (channel == only)
    sums = last.group_by(by).agg(
        cents=pl.col("cash_cents").filter(followed).sum(), whole=pl.col("cash_cents").sum()
    )
    share = pl.col("cents") / pl.col("whole")
    return sums.filter(pl.col("whole") > 0).select(
        by,
        step=pl.lit("credited"),
        share=pl.when(share.is_between(0, 1)).then(share),
        low=pl.lit(None, pl.Float64),
        high=pl.lit(None, pl.Float64),
        numerator=(pl.col("cents") / 100).round().cast(pl.Int64),
        denominator=(pl.col("whole") / 100).round().cast(pl.Int64),
        is_small=pl.lit(value=False),
    )


def credited(cash: pl.DataFrame, codes: Sequence[str]) -> pl.DataFrame:
    """The last step of the strip: each channel's share of all cash, by the last contact."""
    last = cash.filter(pl.col("rule") == "last")
    whole = last["cash_cents"].sum()
    if whole <= 0:
        last = last.clear()
    rows = pl.DataFrame({"channel": codes}, schema={"channel": pl.String})
    filled = rows.join(last, on="channel", how="left").with_columns(
        pl.col("cash_cents").fill_null(0), pl.col("share").fill_null(0.0)
    )
    return filled.head(0 if whole <= 0 else filled.height).select(
        "channel",
        step=pl.lit("credited"),
        share=pl.when(pl.col("share") >= 0).then(pl.col("share")),
        low=pl.lit(None, pl.Float64),
        high=pl.lit(None, pl.Float64),
        numerator=(pl.col("cash_cents") / 100).round().cast(pl.Int64),
        denominator=pl.lit(round(whole / 100), pl.Int64),
        is_small=pl.lit(value=False),
    )


def taken(steps: pl.DataFrame) -> pl.DataFrame:
    """A row for each step of the timeline and way of taking it."""
    shares = {"on_time": "on_time_share", "late": "late_share", "skipped": "skipped_share"}
    return pl.concat(
        [
            steps.filter(pl.col("due") > 0).select(
                name=pl.col("step").replace(named.DUE_STEPS),
                way=pl.lit(way),
                share=shares[way],
                cases=way,
            )
            for way in WAYS
        ]
    )


def in_words(rows: pl.DataFrame) -> pl.DataFrame:
    """The timeline's rows with the names of steps, stages and ways in place of their codes."""
    known = {"step": named.DUE_STEPS, "stage": named.STAGES, "way": WAYS}
    return rows.with_columns(
        pl.col(name).replace(labels) for name, labels in known.items() if name in rows.columns
    )


def after_steps(rows: pl.DataFrame) -> pl.DataFrame:
    """For each step what share resolved later of those in time, and of those who skipped it."""
    return rows.select(
        "low",
        "high",
        "is_small",
        name=pl.concat_str(
            pl.col("step").replace(named.DUE_STEPS).str.split(":").list.first(),
            pl.col("way").replace({"on_time": ", in time", "skipped": ", skipped"}),
            pl.lit(" ("),
            pl.col("denominator").map_elements(number, return_dtype=pl.String),
            pl.lit(")"),
        ),
        value="share",
        loans="denominator",
    ).filter(pl.col("value").is_not_null())


def ordered(frame: pl.DataFrame, column: str, codes: Sequence[str]) -> pl.DataFrame:
    """Rows in the order of these codes."""
    return frame.sort(pl.col(column).replace_strict(codes, range(len(codes)), default=len(codes)))
