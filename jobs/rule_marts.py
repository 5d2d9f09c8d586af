"""The marts of contact rules at refresh: the months that changed, replayed one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import polars as pl
import sqlalchemy as sa

from jobs.months import month_of
from jobs.rule_sources import Sources, rule_stamps
from queries import rule_counts, rule_prints
from queries.loan_states import BookShape
from queries.rule_capacity import capacity_cells
from warehouse.conduct_marts import conduct_stamps
from warehouse.engines import Connection
from warehouse.marts import marts
from warehouse.pack_limits import DailyCap, ListedAgency
from warehouse.packs import Pack, Rule

PART = "rules"
BY_MONTH = ("breaches", "rule_attempts", "rule_hours", "rule_coverage", "vulnerable_contacts")
VIEWS = ("rule_attempts", "rule_hours", "rule_coverage")
Frames = dict[str, pl.DataFrame]


def refresh_rules(
    facts: Connection,
    target: Connection,
    shape: BookShape,
    packs: Sequence[Pack],
    sources: Sources,
    as_of: date,
    progress: Callable[[str], None],
) -> tuple[tuple[date, ...], list[str], list[tuple[str, str, str]]]:
    """Bring these marts up to the facts: the months made anew, sentences where the marts are not
    the facts', and notes (pack, rule, words) on rules that cannot be judged.

    `sources`: what each month of contacts is made from.
    """
    totals = _totals(facts, shape, as_of)
    rules, notes = _judgeable(facts, shape, packs)
    stamps = rule_stamps(facts, shape, packs, rules, sources)
    wanted = {month: stamps[month] for month in totals}
    stale = _stale(target, wanted)
    for number, month in enumerate(stale, start=1):
        progress(f"contact rules of {month:%Y-%m} ({number} of {len(stale)})")
        frames = month_frames(facts, month, rules, shape)
        _erase(target, month)
        _write(target, frames)
        row = {"part": [PART], "month": [month], "stamp": [wanted[month]]}
        target.ingest(conduct_stamps.name, pl.DataFrame(row))
        target.commit()
    target.execute(sa.delete(marts.tables["rule_capacity"]))
    _write(target, _capacity(facts, shape, packs, rules, as_of))
    target.commit()
    wrong = _differences(target, totals)
    for month, _ in wrong:
        _erase(target, month)
    target.commit()
    notes += _without_points(target, rules)
    return tuple(stale), [sentence for _, sentence in wrong], notes


def _totals(facts: Connection, shape: BookShape, as_of: date) -> dict[date, int]:
    if "contacts" not in shape.tables:
        return {}
    rows = facts.fetch(rule_prints.attempt_totals(as_of)).iter_rows()
    return {month_of(start): count for start, count in rows}


def _judgeable(
    facts: Connection, shape: BookShape, packs: Sequence[Pack]
) -> tuple[list[Rule], list[tuple[str, str, str]]]:
    """The rules that can be replayed here, and why the others cannot."""
    rules = [rule for pack in packs for rule in pack.rules if rule.is_replayed]
    has_list = "agencies" in shape.tables and facts.fetch(rule_prints.any_listing()).height > 0
    if has_list:
        return rules, []
    out = [rule for rule in rules if isinstance(rule.limit, ListedAgency)]
    words = "Not judged: the warehouse records no public list of agencies (listed_from_on)."
    return [rule for rule in rules if rule not in out], [(r.pack, r.id, words) for r in out]


def _without_points(target: Connection, rules: Sequence[Rule]) -> list[tuple[str, str, str]]:
    """Caps on contact points say nothing where no contact point is recorded."""
    table = marts.tables["rule_coverage"]
    sums = sa.select(sa.func.sum(table.c.attempts), sa.func.sum(table.c.pointed))
    attempts, pointed = target.fetch(sums).row(0)
    if not attempts or pointed:
        return []
    words = "Not judged: the warehouse records no contact points."
    caps = [rule for rule in rules if isinstance(rule.limit, DailyCap)]
    return [(rule.pack, rule.id, words) for rule in caps if rule.limit.per == "contact_point"]  # type: ignore[union-attr]


def _stale(target: Connection, wanted: dict[date, str]) -> list[date]:
    """Months to make anew; those that the facts no longer have are erased."""
    table = conduct_stamps
    rows = sa.select(table.c.month, table.c.stamp).where(table.c.part == PART)
    made = dict(target.fetch(rows).iter_rows())
    for month in made.keys() - wanted.keys():
        _erase(target, month)
    target.commit()
    return sorted(month for month, stamp in wanted.items() if made.get(month) != stamp)


def _erase(target: Connection, month: date) -> None:
    for name in BY_MONTH:
        table = marts.tables[name]
        target.execute(sa.delete(table).where(table.c.month == month))
    table = conduct_stamps
    target.execute(sa.delete(table).where(table.c.part == PART, table.c.month == month))


def _write(target: Connection, frames: Frames) -> None:
    for name, frame in frames.items():
        known = [column.name for column in marts.tables[name].columns]
        if frame.height:
            target.ingest(name, frame.select([one for one in known if one in frame.columns]))


def month_frames(facts: Connection, month: date, rules: Sequence[Rule], shape: BookShape) -> Frames:
    """Every mart's rows of one month."""
    valid_from = sorted({rule.valid_from for rule in rules})
    cells = facts.fetch(rule_counts.attempt_cells(valid_from, month, shape))
    frames = {name: cells.filter(pl.col("view") == place) for place, name in enumerate(VIEWS)}
    if rules:
        frames["breaches"] = facts.fetch(rule_counts.breach_cells(rules, month, shape))
    if {"cases", "customers"} <= shape.tables:
        frames["vulnerable_contacts"] = facts.fetch(rule_counts.vulnerable_cells(month, shape))
    return {name: frame.with_columns(month=pl.lit(month)) for name, frame in frames.items()}


def _capacity(
    facts: Connection, shape: BookShape, packs: Sequence[Pack], rules: Sequence[Rule], as_of: date
) -> Frames:
    frames = []
    for pack in packs:
        own = [rule for rule in rules if rule.pack == pack.id]
        statement = capacity_cells(own, as_of, shape)
        if statement is not None:
            told = {"day": pl.lit(as_of), "pack": pl.lit(pack.id)}
            frames.append(facts.fetch(statement).with_columns(**told))
    return {"rule_capacity": pl.concat(frames, how="vertical_relaxed")} if frames else {}


def _differences(target: Connection, totals: dict[date, int]) -> list[tuple[date, str]]:
    """Attempts by month in each mart beside the facts'."""
    found = []
    for name in VIEWS:
        table = marts.tables[name]
        sums = sa.select(table.c.month, sa.func.sum(table.c.attempts)).group_by(table.c.month)
        made = {month: int(count) for month, count in target.fetch(sums).iter_rows()}
        for month in sorted(totals.keys() | made.keys()):
            theirs, ours = totals.get(month, 0), made.get(month, 0)
            if theirs != ours:
                words = f"{name} {month:%Y-%m}: {theirs} attempts in the facts, {ours} in the mart"
                found.append((month, words))
    return found
