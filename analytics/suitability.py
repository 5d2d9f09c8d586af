"""Is a channel used on the cases that it suits?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from analytics.delinquency import share_of
from analytics.intervals import wilson


@dataclass(frozen=True)
class Rule:
    """What a channel suits: the requirement that says so, long or short debts, and amounts."""

    requirement: str
    is_long: bool
    amounts: tuple[str, ...]


SMALL, MIDDLE, LARGE, HUGE = AMOUNTS = ("small", "middle", "large", "huge")
RULES: Mapping[str, Rule] = {
    "call": Rule("S057", is_long=False, amounts=(SMALL,)),
    "letter": Rule("S058", is_long=True, amounts=(LARGE, HUGE)),
    "visit": Rule("S059", is_long=True, amounts=(HUGE,)),
}


def suitability(
    cells: pl.DataFrame, *, long_buckets: Sequence[str], rules: Mapping[str, Rule] = RULES
) -> pl.DataFrame:
    """Do calls go to short and small debts, letters to long and large, visits to long and huge?

    S057: the phone suits debts that are short overdue and small; S058: letters suit long and
    large ones; S059: visits suit long and huge ones.  A huge debt is large, so a letter suits
    it.  Which buckets are long, and where small, large and huge begin, are settings.

    In: rows with `channel`, `bucket`, `amount` (small, middle, large, huge) and `attempts`.
    Out: the same rows with `requirement` and `verdict`: fits, wrong_duration, wrong_amount,
    wrong_both, or no_rule for channels of which the documents say nothing; and
    `share_of_channel`, the cell's share of the channel's attempts.
    Null: the share of no attempts.  Refuses: unknown amounts, missing or negative attempts.
    Misleads: the rules are the documents' opinion, not evidence: see the adjusted effects of
    the channel by bucket and amount.
    """
    if unknown := set(cells["amount"].unique()) - set(AMOUNTS):
        raise ValueError(f"unknown amount bands: {sorted(map(str, unknown))}")
    attempts = cells["attempts"]
    if attempts.null_count() or (attempts < 0).any() or cells["bucket"].null_count():
        raise ValueError("attempts or buckets are missing, or attempts negative, in some cells")
    verdicts = [
        _verdict(rules.get(row["channel"]), row["bucket"] in long_buckets, row["amount"])
        for row in cells.iter_rows(named=True)
    ]
    columns = [pl.Series("requirement", [r for r, _ in verdicts], dtype=pl.String)]
    columns.append(pl.Series("verdict", [verdict for _, verdict in verdicts], dtype=pl.String))
    whole = pl.col("attempts").sum().over("channel")
    return cells.with_columns(*columns, share_of_channel=share_of(pl.col("attempts"), whole))


def suited_shares(table: pl.DataFrame, *, confidence: float = 0.95) -> pl.DataFrame:
    """What share of a channel's attempts went to cases that it suits?

    In: rows of `suitability`.  Out: a row per channel that has a rule with `requirement`,
    `attempts`, `fits`, `share`, `low`, `high` (Wilson).  Null: no attempts.
    """
    fits = pl.col("attempts").filter(pl.col("verdict") == "fits").sum()
    summed = (
        table.filter(pl.col("verdict") != "no_rule")
        .group_by("channel", "requirement", maintain_order=True)
        .agg(pl.col("attempts").sum(), fits=fits)
        .with_columns(share=share_of(pl.col("fits"), pl.col("attempts")))
    )
    share = summed["share"].fill_null(float("nan")).to_numpy()
    low, high = wilson(share, summed["attempts"].to_numpy(), confidence)
    return summed.hstack(pl.DataFrame({"low": low, "high": high}, nan_to_null=True))


def _verdict(rule: Rule | None, is_long: bool, amount: str) -> tuple[str | None, str]:
    if rule is None:
        return None, "no_rule"
    duration, size = rule.is_long == is_long, amount in rule.amounts
    if duration and size:
        return rule.requirement, "fits"
    if not duration and not size:
        return rule.requirement, "wrong_both"
    return rule.requirement, "wrong_amount" if duration else "wrong_duration"
