"""What comes of the attempts by each channel, and is the right channel used at the right time?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from analytics.delinquency import herfindahl, share_of
from analytics.intervals import wilson

CONFIDENCE = 0.95
MINIMUM = 30
NOBODY = "none"  # cash that no contact is credited with: self-cure
FUNNEL = {
    "reach": ("reached", "attempts"),
    "right_party": ("right_party", "attempts"),
    "right_party_per_case": ("right_party_cases", "worked_cases"),
    "promise": ("promises", "right_party"),
    "kept": ("kept", "matured"),
    "kept_amount": ("kept_cents", "matured_cents"),
}
MONEY_STEPS = ("kept_amount",)
STEPS = ("day_7", "day_15", "day_30", "day_60")


def channel_funnel(
    counts: pl.DataFrame,
    *,
    over: Sequence[str] = ("channel",),
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM,
) -> pl.DataFrame:
    """Of the attempts by a channel, how many reach, speak to the debtor, bring a promise, hold?

    reach = attempts that reached the debtor / attempts; right_party = right-party contacts /
    attempts; right_party_per_case = cases with one / cases worked; promise = promises /
    right-party contacts; kept = promises kept / promises matured and not cancelled, by number
    and by amount.  Several rows (months, segments) are added up, sum over sum.

    In: rows with `over` and `attempts`, `reached`, `right_party`, `worked_cases`,
    `right_party_cases`, `promises`, `matured`, `kept`, `matured_cents`, `kept_cents`.
    Out: a row per `over` and `step` with `numerator`, `denominator`, `share`, `low`, `high`
    (Wilson) and `is_small` (denominator under `minimum`).
    Null: a step with nothing to be a share of (a text message is never a conversation); the
    interval of the share by amount, whose spread is not in the sums.
    Refuses: missing or negative counts, more in a step than could be.
    Misleads: channels are chosen by case, so the funnel ranks who was contacted as much as
    through what; attempts on one case are not independent, so intervals are too narrow.
    """
    columns = list(dict.fromkeys(name for pair in FUNNEL.values() for name in pair))
    _check(counts, [*over, *columns], columns)
    summed = counts.group_by(over, maintain_order=True).agg(pl.col(columns).sum())
    for part, whole in FUNNEL.values():
        if (summed[part] > summed[whole]).any():
            raise ValueError(f"{part} is greater than {whole}")
    steps = [
        summed.select(
            *over,
            step=pl.lit(step),
            numerator=pl.col(part).cast(pl.Int64),
            denominator=pl.col(whole).cast(pl.Int64),
        )
        for step, (part, whole) in FUNNEL.items()
    ]
    rows = _with_wilson(pl.concat(steps), confidence, minimum)
    money = pl.col("step").is_in(MONEY_STEPS)
    return rows.with_columns(
        pl.when(~money).then(pl.col("low", "high", "is_small")).name.keep(),
    )


def channel_concentration(attempts: pl.DataFrame, *, over: Sequence[str] = ()) -> pl.DataFrame:
    """Does everything go through one channel?

    Herfindahl index of attempts by channel: 1 through one, 1/n through n equally.
    In: rows with `over`, `channel`, `attempts`.  Out: a row per `over` with `attempts`,
    `herfindahl`, `equal_channels` = 1 / index, `largest_channel` and its `largest_share`.
    Null: no attempts.
    """
    _check(attempts, [*over, "channel", "attempts"], ["attempts"])
    summed = attempts.group_by(*over, "channel", maintain_order=True).agg(pl.col("attempts").sum())
    rows = []
    groups = summed.group_by(over, maintain_order=True) if over else [((), summed)]
    for key, group in groups:
        index = herfindahl(group["attempts"])
        largest = group.sort("attempts", "channel", descending=[True, False]).row(0, named=True)
        whole = int(group["attempts"].sum())
        found = (index, 1 / index, largest["channel"], largest["attempts"] / whole)
        rows.append((*key, whole, *(found if index else (None,) * 4)))
    schema = {name: summed.schema[name] for name in over} | {
        "attempts": pl.Int64,
        "herfindahl": pl.Float64,
        "equal_channels": pl.Float64,
        "largest_channel": pl.String,
        "largest_share": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def attribution_totals(cash: pl.DataFrame) -> pl.DataFrame:
    """Do the rules of attribution share out the same cash?

    Last touch, first touch and equal split credit the same payments to different channels; what
    nobody is credited with is `none` (self-cure).  Their totals must be equal to the cent.

    In: rows with `rule`, `channel`, `cash_cents`.  Out: a row per rule with `cash_cents`,
    `credited_cents` (without `none`), `credited_share`, `difference_cents` from the first rule,
    and `is_equal`.
    Null: the share of no cash.  Refuses: missing amounts, fewer than two rules.
    Misleads: attribution follows cash, it does not cause it: see the adjusted effects.
    """
    _check(cash, ["rule", "channel", "cash_cents"], [])
    if cash["rule"].n_unique() < 2:
        raise ValueError("two rules of attribution are needed to compare their totals")
    credited = pl.col("cash_cents").filter(pl.col("channel") != NOBODY).sum()
    return (
        cash.group_by("rule", maintain_order=True)
        .agg(pl.col("cash_cents").sum(), credited_cents=credited)
        .with_columns(
            credited_share=share_of(pl.col("credited_cents"), pl.col("cash_cents")),
            difference_cents=pl.col("cash_cents") - pl.col("cash_cents").first(),
        )
        .with_columns(is_equal=pl.col("difference_cents") == 0)
    )


def timeline_adherence(
    counts: pl.DataFrame,
    *,
    over: Sequence[str] = (),
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM,
) -> pl.DataFrame:
    """Is each step of the timeline taken in time, and what becomes of cases that skip it?

    Steps: a text or messenger by day 7, a call by day 15, special team and legal preparation by
    day 30, a decision on suing by day 60.  on_time = taken by its day / due; late and skipped
    the same.  Due: cases still open on the step's day that are old enough to tell.

    In: rows with `over`, `step` (day_7, day_15, day_30, day_60), `due`, `on_time`, `late`,
    `resolved_on_time`, `resolved_skipped` (of those on time and of those skipped, resolved
    later).  Out: a row per `over` and step with `due`, `skipped` = due - on_time - late, shares
    `on_time_share` (with `low`, `high`, Wilson), `late_share`, `skipped_share`,
    `resolved_share_on_time`, `resolved_share_skipped`, `is_small`.
    Null: nothing due.  Refuses: unknown steps, more taken than due.
    Misleads: the two resolved shares are raw: steps are skipped on purpose where a case looks
    easy or hopeless.  What skipping causes is an adjusted effect, with skipping as the arm.
    """
    parts = ["due", "on_time", "late", "resolved_on_time", "resolved_skipped"]
    _check(counts, [*over, "step", *parts], parts)
    if unknown := set(counts["step"]) - set(STEPS):
        raise ValueError(f"unknown steps of the timeline: {sorted(unknown)}")
    order = pl.col("step").replace_strict(STEPS, range(len(STEPS)), return_dtype=pl.Int8)
    summed = (
        counts.group_by(*over, "step", maintain_order=True)
        .agg(pl.col(parts).sum())
        .with_columns(skipped=pl.col("due") - pl.col("on_time") - pl.col("late"))
        .sort(*over, order)
    )
    skipped, done = summed["resolved_skipped"] > summed["skipped"], summed["resolved_on_time"]
    if (summed["skipped"] < 0).any() or skipped.any() or (done > summed["on_time"]).any():
        raise ValueError("more cases took a step, or resolved after it, than were due")
    rows = summed.rename({"on_time": "numerator", "due": "denominator"})
    rows = _with_wilson(rows, confidence, minimum)
    return rows.rename(
        {"numerator": "on_time", "denominator": "due", "share": "on_time_share"}
    ).with_columns(
        late_share=share_of(pl.col("late"), pl.col("due")),
        skipped_share=share_of(pl.col("skipped"), pl.col("due")),
        resolved_share_on_time=share_of(pl.col("resolved_on_time"), pl.col("on_time")),
        resolved_share_skipped=share_of(pl.col("resolved_skipped"), pl.col("skipped")),
    )


def _with_wilson(rows: pl.DataFrame, confidence: float, minimum: int) -> pl.DataFrame:
    rows = rows.with_columns(share=share_of(pl.col("numerator"), pl.col("denominator")))
    share = rows["share"].fill_null(float("nan")).to_numpy()
    low, high = wilson(share, rows["denominator"].to_numpy(), confidence)
    ends = pl.DataFrame({"low": low, "high": high}, nan_to_null=True)
    return rows.hstack(ends).with_columns(is_small=pl.col("denominator") < minimum)


def _check(frame: pl.DataFrame, columns: Sequence[str], counts: Sequence[str]) -> None:
    if missing := set(columns) - set(frame.columns):
        raise ValueError(f"missing columns: {', '.join(sorted(missing))}")
    for name in [*counts, *(name for name in columns if name.endswith("_cents"))]:
        if frame[name].null_count():
            raise ValueError(f"{name} is missing in some rows")
    for name in counts:
        if (frame[name] < 0).any():
            raise ValueError(f"{name} is negative in some rows")
