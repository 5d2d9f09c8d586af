"""What comes of the attempts by each channel?"""

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
    check_counts(counts, [*over, *columns], columns)
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
    rows = with_wilson(pl.concat(steps), confidence, minimum)
    money = pl.col("step").is_in(MONEY_STEPS)
    return rows.with_columns(
        pl.when(~money).then(pl.col("low", "high", "is_small")).name.keep(),
    )


def channel_cash(cash: pl.DataFrame) -> pl.DataFrame:
    """How much cash is credited to a channel, and how much is that an attempt?

    In: a row per channel (and `none`) with `attempts`, `reached` and `cash_cents` (net, credited
    by one rule).  Out: the same rows with `cash_share` of all cash, `cash_per_attempt` and
    `cash_per_reach` in currency.
    Null: nothing to divide by; `none` has no attempts.
    Misleads: the cash follows the contact, much of it would have come without: see the
    adjusted effect on cash.
    """
    check_counts(cash, ["channel", "attempts", "reached", "cash_cents"], ["attempts", "reached"])
    return cash.with_columns(
        cash_share=share_of(pl.col("cash_cents"), pl.col("cash_cents").sum()),
        cash_per_attempt=share_of(pl.col("cash_cents") / 100, pl.col("attempts")),
        cash_per_reach=share_of(pl.col("cash_cents") / 100, pl.col("reached")),
    )


def channel_concentration(attempts: pl.DataFrame, *, over: Sequence[str] = ()) -> pl.DataFrame:
    """Does everything go through one channel?

    Herfindahl index of attempts by channel: 1 through one, 1/n through n equally.
    In: rows with `over`, `channel`, `attempts`.  Out: a row per `over` with `attempts`,
    `herfindahl`, `equal_channels` = 1 / index, `largest_channel` and its `largest_share`.
    Null: no attempts.
    """
    check_counts(attempts, [*over, "channel", "attempts"], ["attempts"])
    summed = attempts.group_by(*over, "channel", maintain_order=True).agg(pl.col("attempts").sum())
    rows = []
    groups = summed.group_by(over, maintain_order=True) if over else [((), summed)]
    for key, group in groups:
        index = herfindahl(group["attempts"])
        largest = group.sort("attempts", "channel", descending=[True, False]).row(0, named=True)
        whole = int(group["attempts"].sum())
        found: tuple[object, ...] = (None,) * 4
        if index:
            found = (index, 1 / index, largest["channel"], largest["attempts"] / whole)
        rows.append((*key, whole, *found))
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
    check_counts(cash, ["rule", "channel", "cash_cents"], [])
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


def with_wilson(rows: pl.DataFrame, confidence: float, minimum: int) -> pl.DataFrame:
    """`share` of `numerator` in `denominator`, its interval, and whether it is small."""
    rows = rows.with_columns(share=share_of(pl.col("numerator"), pl.col("denominator")))
    share = rows["share"].fill_null(float("nan")).to_numpy()
    low, high = wilson(share, rows["denominator"].to_numpy(), confidence)
    ends = pl.DataFrame({"low": low, "high": high}, nan_to_null=True)
    return rows.hstack(ends).with_columns(is_small=pl.col("denominator") < minimum)


def check_counts(frame: pl.DataFrame, columns: Sequence[str], counts: Sequence[str]) -> None:
    """Refuse missing columns, missing amounts and negative counts."""
    if missing := set(columns) - set(frame.columns):
        raise ValueError(f"missing columns: {', '.join(sorted(missing))}")
    for name in [*counts, *(name for name in columns if name.endswith("_cents"))]:
        if frame[name].null_count():
            raise ValueError(f"{name} is missing in some rows")
    for name in counts:
        if (frame[name].cast(pl.Float64) < 0).any():
            raise ValueError(f"{name} is negative in some rows")
