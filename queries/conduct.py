"""Marts: breaches of contact rules, the attempts they are measured by, and how these are recorded.

The marts have no risk grade, so a choice of grades changes nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from queries.filters import Filter
from queries.marts import Marts, added, as_text, in_segments
from queries.rule_rows import BREACH, NEAR_MISS
from warehouse import conduct_marts as tables
from warehouse.pack_limits import KeptYears, ListedAgency, Recorded
from warehouse.packs import CONTACT, Pack, Rule, parse_pack

__all__ = ["BREACH", "NEAR_MISS", "KeptYears", "ListedAgency", "Pack", "Recorded", "Rule",
           "attempts", "breaches", "capacity", "coverage", "is_there", "months_kept", "notes",
           "packs", "vulnerable"]  # fmt: skip

RECORDED = ("attempts", "pointed", "cased", "collected", "complete", "consented", "refused",
            "connected", "timed", "recorded", "unrecorded")  # fmt: skip
_BY_OWNER = ("collector_id", "team")
_BY_HOUR = ("hour", "weekday")


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


def _months(chosen: Filter, first: date | None) -> tuple[date, date]:
    return (first, chosen.as_of) if first else chosen.months()


def breaches(
    marts: Marts,
    chosen: Filter,
    *,
    by: Sequence[str] = (),
    rules: Sequence[Rule] | None = None,
    kind: str = BREACH,
    is_early: bool = False,
    first: date | None = None,
) -> pl.DataFrame:
    """Contacts of the window that break a rule (or come just short), counted: `by`, `contacts`.

    `rules`: these only.  `is_early`: days before a rule was in force count too.  `first`: from
    that month-end on, instead of the window.
    """
    rows = marts.between("breaches", None, *_months(chosen, first))
    wanted = [pl.col("kind").cast(pl.String) == kind]
    if not is_early:
        wanted.append(pl.col("in_force"))
    if rules is not None:
        one = pl.concat_str(pl.col("pack", "rule").cast(pl.String), separator="\n")
        wanted.append(one.is_in([f"{rule.pack}\n{rule.id}" for rule in rules]))
    return added(_own(rows, chosen).filter(wanted), list(by), ["contacts"])


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
    name = "rule_coverage"
    if set(by) & set(_BY_OWNER):
        name = "rule_attempts"
    elif set(by) & set(_BY_HOUR):
        name = "rule_hours"
    rows = marts.between(name, None, *_months(chosen, first))
    if since is not None:
        rows = rows.filter(pl.col("since") >= since)
    return added(_own(rows, chosen), list(by), ["attempts"])


def coverage(marts: Marts, chosen: Filter, *, by: Sequence[str] = ("channel",)) -> pl.DataFrame:
    """How completely the window's attempts are recorded, counted by channel, team or agency."""
    rows = marts.between("rule_coverage", None, *chosen.months())
    return added(_own(rows, chosen), list(by), list(RECORDED))


def months_kept(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Attempts by month, from the first that the log has to the as-of month."""
    rows = marts.part("rule_coverage").filter(pl.col("month") <= chosen.as_of)
    return added(rows, ["month"], ["attempts"]).sort("month")


def capacity(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """What the rules still allow on the data's last day, by pack, rule and stage."""
    keys = ["day", "pack", "rule", "unit", "stage"]
    sums = ["units", "used", "allowed", "exhausted"]
    return added(_own(marts.part("rule_capacity"), chosen), keys, sums)


def vulnerable(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Attempts on loans in collections by stage and product, of vulnerable borrowers and others."""
    rows = marts.between("vulnerable_contacts", None, *chosen.months())
    keys = ["stage", "product", "is_vulnerable"]
    sums = ["loans", "worked_loans", "attempts", "attempt_squares"]
    return added(_own(rows, chosen), keys, sums)
