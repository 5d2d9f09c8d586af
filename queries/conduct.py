"""Marts: breaches of contact rules, the attempts they are measured by, and how these are recorded.

The marts have no risk grade, so a choice of grades changes nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import sqlalchemy as sa

from queries.filters import Filter, whole_book
from queries.kept import Kept
from queries.marts import Marts, added, as_text, in_segments
from queries.rule_rows import BREACH, NEAR_MISS
from warehouse import conduct_marts as tables
from warehouse.pack_limits import KeptYears, ListedAgency, Recorded
from warehouse.packs import CONTACT, Pack, Rule, parse_pack

__all__ = ["BREACH", "NEAR_MISS", "KeptYears", "ListedAgency", "Pack", "Recorded", "Rule",
           "attempts", "breaches", "capacity", "coverage", "is_there", "months_kept",
           "months_with_attempts", "notes", "packs", "vulnerable"]  # fmt: skip

RECORDED = ("attempts", "pointed", "cased", "collected", "complete", "consented", "refused",
            "connected", "timed", "recorded", "unrecorded")  # fmt: skip
_SEGMENTS = ("product", "region")  # no risk grade
_OWNER = ("collector_id", "team", "agency_id")


def _kept(table: sa.Table, sums: tuple[str, ...], *keys: str, more: tuple[Any, ...] = ()) -> Kept:
    columns = tuple(table.c[key] for key in keys)
    return Kept(table, "month", sums, keys=(*columns, *more), segments=_SEGMENTS)


_pack_rule = tables.breaches.c.pack + "\n" + tables.breaches.c.rule
_breaches = _kept(
    tables.breaches,
    ("contacts",),
    *("pack", "rule", "kind", "in_force", "consent", *_OWNER, "channel", "hour", "weekday"),
    more=(_pack_rule.label("pack_rule"),),
)
# The fewer keys, the fewer rows to add up: a page mostly asks for one dimension.
_by_owner = _kept(tables.rule_attempts, ("attempts",), "since", *_OWNER)
_by_team = _kept(tables.rule_attempts, ("attempts",), "since", "team")
_by_hour = _kept(tables.rule_hours, ("attempts",), "since", "hour", "weekday")
_by_channel = _kept(tables.rule_coverage, RECORDED, "since", "channel", "agency_id")
_coverage_by_team = _kept(tables.rule_coverage, RECORDED, "team", "channel", "agency_id")
_vulnerable = _kept(
    tables.vulnerable_contacts,
    ("loans", "worked_loans", "attempts", "attempt_squares"),
    *("stage", "is_vulnerable"),
)


def is_there(marts: Marts) -> bool:
    """Whether this version of the marts has those of contact rules (older ones have not)."""
    return marts.holds(tables.breaches)


def packs(marts: Marts) -> tuple[Pack, ...]:
    """The packs of contact rules that the marts were made with, in the order of the setting."""
    rows = as_text(marts.part("rule_packs")).filter(pl.col("subject") == CONTACT).sort("place")
    return tuple(
        parse_pack(CONTACT, text, file) for text, file in rows.select("text", "file").iter_rows()
    )


def notes(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """What a reader must know: `pack`, `rule` (null: of all), `note`."""
    return as_text(marts.part("rule_notes"))


def _own(rows: pl.DataFrame, chosen: Filter) -> pl.DataFrame:
    return in_segments(rows, replace(chosen, grades=()))


def _from(chosen: Filter, first: date | None) -> Filter:
    """The choice from another month-end on."""
    if first is None:
        return chosen
    return replace(chosen, window=whole_book(first, chosen.as_of).window)


def breaches(
    marts: Marts,
    chosen: Filter,
    *,
    by: Sequence[str] = (),
    rules: Sequence[Rule] | None = None,
    kind: str | None = BREACH,
    is_early: bool = False,
    first: date | None = None,
) -> pl.DataFrame:
    """Contacts of the window that break a rule (or come just short), counted: `by`, `contacts`.

    `rules`: these only.  `kind` None: both kinds.  `is_early`: days before a rule was in force
    count too.  `first`: from that month-end on, instead of the window.
    """
    inside: dict[str, list[object]] = {} if kind is None else {"kind": [kind]}
    if not is_early:
        inside["in_force"] = [True]
    if rules is not None:
        inside["pack_rule"] = [f"{rule.pack}\n{rule.id}" for rule in rules]
    found = _breaches.total(marts, _from(chosen, first), by, where=inside)
    return found if by or found.height else found.select(pl.all().sum())


def attempts(
    marts: Marts,
    chosen: Filter,
    *,
    by: Sequence[str] = (),
    since: date | None = None,
    first: date | None = None,
) -> pl.DataFrame:
    """Attempts of the window, counted: `by`, `attempts`.

    `since`: the first day of a rule: attempts before it are left out.  By collector or team, by
    hour and weekday, or by channel and agency; not across these.
    """
    kept = _by_channel
    if set(by) & {"collector_id", "team"}:
        kept = _by_team if set(by) <= {"team", "month"} else _by_owner
    elif set(by) & {"hour", "weekday"}:
        kept = _by_hour
    keys = list(dict.fromkeys([*by, "since"]))
    found = kept.total(marts, _from(chosen, first), keys, names=["attempts"])
    if since is not None:
        found = found.filter(pl.col("since") >= since)
    return found.group_by(by, maintain_order=True).agg(pl.col("attempts").sum())


def coverage(marts: Marts, chosen: Filter, *, by: Sequence[str] = ("channel",)) -> pl.DataFrame:
    """How completely the window's attempts are recorded, counted by channel, team or agency."""
    kept = _coverage_by_team if "team" in by else _by_channel
    found = kept.total(marts, chosen, by)
    return found if by or found.height else found.select(pl.all().sum())


def months_kept(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Attempts by month, from the first that the log has to the as-of month."""
    return _months(marts).filter(pl.col("month") <= chosen.as_of)


def months_with_attempts(marts: Marts) -> list[date]:
    """Every month of the log, in order."""
    return _months(marts)["month"].to_list()


def _months(marts: Marts) -> pl.DataFrame:
    return _by_channel.total(marts, None, ("month",), names=["attempts"])


def capacity(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """What the rules still allow on the data's last day, by pack, rule and stage."""
    keys = ["day", "pack", "rule", "unit", "stage"]
    sums = ["units", "used", "allowed", "exhausted", "uncounted"]
    return added(_own(marts.part("rule_capacity"), chosen), keys, sums)


def vulnerable(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Attempts on loans in collections by stage and product, of vulnerable borrowers and others."""
    return _vulnerable.total(marts, chosen, ("stage", "product", "is_vulnerable"))
