"""Breaches, near misses and what they are measured by, for the month of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from analytics.breach_rates import breach_rates
from queries import conduct
from queries.conduct import BREACH, NEAR_MISS, KeptYears, ListedAgency, Pack, Recorded, Rule
from queries.filters import Filter
from queries.marts import Marts

NOBODY = {  # what a missing owner means
    "collector_id": "(automated queue, or not recorded)",
    "team": "No team (automated)",
    "agency_id": "(in-house)",
    "channel": "(not recorded)",
}
NOT_IN_FORCE = "It was not in force in this month."
RATES = ("breaches", "near_misses", "attempts", "rate", "low", "high")


@dataclass(frozen=True)
class Counted:
    """A month of the marts, the packs they were made with, and why some rules are not judged."""

    marts: Marts
    month: date
    packs: tuple[Pack, ...]
    unjudged: Mapping[tuple[str, str], str]

    @property
    def chosen(self) -> Filter:
        return Filter(as_of=self.month)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Those that were held against each contact."""
        every = (rule for pack in self.packs for rule in pack.rules)
        return tuple(
            rule for rule in every if rule.is_replayed and (rule.pack, rule.id) not in self.unjudged
        )

    def broken(self, rule: Rule, *, by: str = "rule", **more: Any) -> pl.DataFrame:
        """Contacts that break a rule, counted; with `kind`, those that came just short."""
        return conduct.breaches(self.marts, self.chosen, by=[by], rules=[rule], **more)

    def count(self, rule: Rule, kind: str = BREACH, *, is_early: bool = False) -> int:
        """How many: with `is_early` also those before the rule was in force."""
        return int(self.broken(rule, kind=kind, is_early=is_early)["contacts"].sum())

    def done(self, by: str = "month", since: date | None = None) -> pl.DataFrame:
        """Attempts, counted; `since` the first day of a rule."""
        return conduct.attempts(self.marts, self.chosen, by=[by], since=since)

    @property
    def all_attempts(self) -> int:
        return int(self.done()["attempts"].sum())


def counted(marts: Marts, month: date) -> Counted:
    noted = conduct.notes(marts, Filter(as_of=month)).filter(pl.col("rule").is_not_null())
    unjudged = {
        (pack, rule): note for pack, rule, note in noted.select("pack", "rule", "note").rows()
    }
    return Counted(marts, month, conduct.packs(marts), unjudged)


def by_rule(month: Counted) -> pl.DataFrame:
    """Every rule that is held against contacts, with its counts; null where it is not judged."""
    rows: list[dict[str, Any]] = []
    for rule in (rule for pack in month.packs for rule in pack.rules if rule.is_replayed):
        note = month.unjudged.get((rule.pack, rule.id))
        is_early = rule.valid_from > month.month
        row: dict[str, Any] = {"pack": rule.pack, "rule": rule.id}
        row["note"] = note or (NOT_IN_FORCE if is_early else None)
        if note is None:
            whole = pl.lit(rule.id).alias("rule")
            done = month.done(since=rule.valid_from).select(whole, "attempts")
            rate = breach_rates(month.broken(rule), done, by=["rule"])
            known = rate.row(0, named=True) if rate.height else {"breaches": 0, "attempts": 0}
            row |= {name: known.get(name) for name in RATES}
            row["near_misses"] = month.count(rule, NEAR_MISS)
            row["before"] = month.count(rule, is_early=True) - month.count(rule)
        rows.append(row)
    numbers = {name: pl.Float64 if name in ("rate", "low", "high") else pl.Int64 for name in RATES}
    texts = {"pack": pl.String, "rule": pl.String}
    return pl.DataFrame(rows, schema={**texts, **numbers, "before": pl.Int64, "note": pl.String})


def by_owner(month: Counted, owner: str) -> pl.DataFrame:
    """Breaches and near misses of each rule by a collector, team, agency or channel.

    Everyone with an attempt while the rule was in force has a row; most breaches first.
    """
    names = {"pack": pl.String, "rule": pl.String, owner: pl.String}
    parts = [pl.DataFrame(schema=names | dict.fromkeys(RATES[:2], pl.Int64))]
    for rule in month.rules:
        rates = breach_rates(
            month.broken(rule, by=owner), month.done(owner, rule.valid_from), by=[owner]
        )
        near = month.broken(rule, by=owner, kind=NEAR_MISS).rename({"contacts": "near_misses"})
        joined = rates.join(near, on=owner, how="left", nulls_equal=True)
        whose = [pl.lit(rule.pack).alias("pack"), pl.lit(rule.id).alias("rule")]
        counts = pl.col("near_misses").fill_null(0).cast(pl.Int64)
        parts.append(joined.with_columns(*whose, counts).select(*names, *RATES))
    frame = pl.concat(parts, how="diagonal").with_columns(pl.col(owner).fill_null(NOBODY[owner]))
    order = ["breaches", "near_misses", "pack", "rule", owner]
    return frame.sort(order, descending=[True, True, False, False, False])


_SHARES = {
    "complete_share": ("complete", "attempts"),
    "consent_known_share": ("consent_known", "attempts"),
    "recorded_share": ("recorded", "connected"),
}


def coverage(month: Counted, by: str | None = None) -> pl.DataFrame:
    """How completely attempts are recorded: complete records, consent, recorded calls."""
    rows = conduct.coverage(month.marts, month.chosen, by=[by or "month"])
    if by is None:
        rows = rows.select(pl.lit("all").alias("of"), pl.exclude("month"))
    else:
        rows = rows.with_columns(pl.col(by).fill_null(NOBODY[by])).sort(by)
    known = rows.with_columns(consent_known=pl.col("consented") + pl.col("refused"))
    shares = {
        name: pl.when(pl.col(of) > 0).then(pl.col(part) / pl.col(of))
        for name, (part, of) in _SHARES.items()
    }
    is_told = pl.col("recorded") + pl.col("unrecorded") > 0  # else nothing says what was recorded
    shares["recorded_share"] = pl.when(is_told).then(shares["recorded_share"])
    return known.with_columns(**shares).select(
        by or "of", pl.col("attempts").alias("all_attempts"), "complete", "complete_share",
        "consented", "refused", "consent_known_share", "connected", "recorded", "unrecorded",
        "recorded_share",
    )  # fmt: skip


def record_rules(month: Counted) -> pl.DataFrame:
    """Rules about records, and rules without a number: what the warehouse can say of them."""
    rows = [
        (rule.pack, rule.id, rule.sentence, _found(month, rule))
        for pack in month.packs
        for rule in pack.rules
        if not rule.is_replayed
    ]
    names = ["pack", "rule", "sentence", "found"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _found(month: Counted, rule: Rule) -> str:
    limit = rule.limit
    if rule.valid_from > month.month:
        return NOT_IN_FORCE
    if isinstance(limit, KeptYears):
        first = conduct.months_kept(month.marts, month.chosen)["month"][0].replace(day=1)
        years = (month.month - first).days / 365.25
        return f"The contacts of the marts go back to {first:%Y-%m}, {years:.1f} years."
    if isinstance(limit, Recorded):
        rows = conduct.coverage(month.marts, month.chosen, by=["channel"])
        if rule.channels:
            rows = rows.filter(pl.col("channel").is_in(list(rule.channels)))
        connected, recorded, unrecorded = (
            int(rows[name].sum()) for name in ("connected", "recorded", "unrecorded")
        )
        if not recorded + unrecorded:
            return "Of no connected call the warehouse says whether it was recorded."
        share = recorded / connected
        word = "kept" if share >= limit.at_least else "not kept"
        asked_for = f"at least {limit.at_least:.1%} are asked for"
        return f"{recorded:,} of {connected:,} connected calls, {share:.1%}; {asked_for}: {word}."
    return "A principle: no contact log can prove it."


def agencies(month: Counted, listed: pl.DataFrame) -> pl.DataFrame:
    """Agencies with attempts in the month: their place on the list, and attempts off it."""
    rows = month.done("agency_id").filter(pl.col("agency_id").is_not_null())
    rows = rows.rename({"attempts": "all_attempts"})
    asking = [rule for rule in month.rules if isinstance(rule.limit, ListedAgency)]
    off = pl.lit(None, pl.Int64)
    if asking:
        counts = month.broken(asking[0], by="agency_id").rename({"contacts": "off_list"})
        rows = rows.join(counts, on="agency_id", how="left")
        off = pl.col("off_list").fill_null(0)
    joined = rows.with_columns(off_list=off).join(listed, on="agency_id", how="left")
    columns = ["agency_id", "listed_from_on", "listed_to_on", "all_attempts", "off_list"]
    return joined.select(columns).sort("agency_id")
