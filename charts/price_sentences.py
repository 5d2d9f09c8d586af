"""At what price, and who gets the credit, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from charts import channel_words as named
from charts.channel_sentences import cash, ends
from charts.format import listing, money, number, percent


def cost_sentence(costs: pl.DataFrame, stage: str) -> str:
    """Through which channel one more resolved case is cheapest in a stage, and is that sure?"""
    here = costs.filter(pl.col("cost_per_resolved").is_not_null(), pl.col("stage") == stage)
    known = here.sort("cost_per_resolved")
    where = named.stage(stage)
    if known.is_empty():
        return f"No cost of one more resolved case can be stated {where}; the table says why."
    row = known.row(0, named=True)
    if known.height == 1:
        return (
            f"One more resolved case can be priced through one channel only {where}:"
            f" {named.channels(row['arm'])}, {_price(row)}."
        )
    others = known.slice(1)
    near = others.filter(pl.col("cost_per_resolved_low") <= row["cost_per_resolved_high"])
    last = known.row(-1, named=True)
    most = f"most through {named.channels(last['arm'])}, {_price(last)}"
    if near.is_empty():
        return (
            f"One more resolved case costs least through {named.channels(row['arm'])} {where}:"
            f" {_price(row)}; {most}."
        )
    alike = listing([named.channels(arm) for arm in near["arm"]])
    return (
        f"Which channel is cheapest {where} is not sure. One more resolved case seems to cost least"
        f" through {named.channels(row['arm'])}, {_price(row)}, and {most}; the"
        f" {'interval' if near.height == 1 else 'intervals'} of {alike}"
        f" {'overlaps' if near.height == 1 else 'overlap'} that of {named.channels(row['arm'])}."
    )


def _price(row: Mapping[str, Any]) -> str:
    """14.5 (95 % interval 9.1 to 30.2, few like cases without)."""
    low, high = (cash(row[f"cost_per_resolved_{end}"]) for end in ("low", "high"))
    thin = ", few like cases without" if row["overlap"] == "thin" else ""
    return f"{cash(row['cost_per_resolved'])} (95 % interval {low} to {high}{thin})"


def self_cure_sentences(
    share: float | None, alone: pl.DataFrame, *, stages: Sequence[str] = ()
) -> list[str]:
    """How much comes without anybody: cash that followed no contact, cases left alone.

    `stages`: those in which cases were still open; of those without an estimate it is said why.
    """
    lines = []
    if share is not None:
        lines.append(
            f"{percent(share)} of the cash followed no contact that reached the debtor in the 14"
            " days before."
        )
    rates = alone.filter(pl.col("outcome") == "resolved", pl.col("alone").is_not_null())
    parts = [
        f"{percent(row['alone'])}"
        f" ({ends(row['low'], row['high'], 'resolved')})"
        f" {named.stage(row['stage'])}"
        for row in rates.iter_rows(named=True)
    ]
    if parts:
        lines.append(
            f"With no attempt in the first week an estimated {listing(parts)} of the cases still"
            " open then would resolve (95 % intervals)."
        )
    unknown = [named.stage(stage) for stage in stages if stage not in set(rates["stage"])]
    if unknown:
        lines.append(
            f"How many would resolve with no attempt {listing(unknown)} is not known: too few like"
            " cases were left alone."
        )
    return lines


def totals_sentence(totals: pl.DataFrame) -> str:
    """Whether the three rules share out the same cash."""
    if totals.is_empty():
        return "No cash came in on cases in these months, so there is nothing to credit."
    first = totals.row(0, named=True)
    if totals["is_equal"].all():
        line = f"The total is the same under every rule: {money(first['cash_cents'])}"
        if first["cash_cents"] < 0:
            line += " (more was reversed than paid)"
        return line + "."
    gap = money(int(totals["difference_cents"].abs().max()), exact=True)  # type: ignore[arg-type]
    return f"The rules do not share out the same total: they differ by {gap}. This is an error."


def concentration_sentence(months: pl.DataFrame) -> str:
    """How many channels the attempts are spread over, in effect, now and at first."""
    known = months.filter(pl.col("herfindahl").is_not_null())
    if known.is_empty():
        return ""
    last = known.row(-1, named=True)
    line = (
        f"In the last month it was {number(last['equal_channels'], decimals=1)} channels;"
        f" {named.channels(last['largest_channel'])} are {percent(last['largest_share'])} of the"
        " attempts"
    )
    if known.height < 2:
        return line + "."
    first = known.row(0, named=True)
    was = number(first["equal_channels"], decimals=1)
    return f"{line}. In the first month it was {was}."
