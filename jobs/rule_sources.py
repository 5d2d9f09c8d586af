"""What each month of contact rules was, or would be, made from; equal stamps need no work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from jobs.months import month_of
from queries import case_prints, rule_prints
from queries.loan_states import BookShape
from warehouse.contract import load_recovery, loads
from warehouse.engines import Connection
from warehouse.packs import Pack, Rule
from warehouse.touched_conduct import CONDUCT

MONTH = "month"  # the recovery marts' part: cases, and what loans and borrowers are
WHOLE = date.min  # in place of a month: what all months are made from


@dataclass(frozen=True)
class Sources:
    """By month: what its contacts are made from, and what all else is that is shown of them."""

    contacts: dict[date, str]
    others: dict[date, str]

    def both(self) -> dict[date, str]:
        return {month: f"{text}|{self.others[month]}" for month, text in self.contacts.items()}


def contact_sources(facts: Connection, shape: BookShape, schema: str) -> Sources:
    """What every month of contacts is made from, as far as a load touched it or it prints."""
    if "contacts" not in shape.tables:
        return Sources({}, {})
    months = facts.fetch(case_prints.contact_months())["month_start"].drop_nulls().dt.month_end()
    whole = f"{schema}|{sorted(shape.tables)}"
    if loads.name in facts.tables():
        contacts, others = _touched(facts, CONDUCT), _touched(facts, MONTH)
    else:
        contacts, others = _digests(_prints(facts, shape)), {}
        whole += contacts.get(WHOLE, "")
    there = sorted(months)
    return Sources(
        {month: contacts.get(month, "") for month in there},
        {month: f"{whole}|{others.get(month, '')}" for month in there},
    )


def _touched(facts: Connection, part: str) -> dict[date, str]:
    """The last load that touched each month in such a part."""
    if load_recovery.name not in facts.tables():
        return {}
    rows = facts.fetch(case_prints.touching_loads()).filter(part=part)
    return {month: str(load_id) for _, month, load_id in rows.iter_rows()}


def _prints(facts: Connection, shape: BookShape) -> dict[date, list[str]]:
    """Contacts by month, and all that their cells are made of, for warehouses others load."""
    contacts, *others = rule_prints.prints(shape)
    cases = case_prints.prints(shape.tables & {"cases"})
    lines = {WHOLE: [repr(row) for one in [*others, *cases] for row in facts.fetch(one).rows()]}
    rows = facts.fetch(contacts).with_columns(pl.col("month_start").dt.month_end())
    for row in rows.iter_rows():
        lines.setdefault(row[0], []).append(repr(row))
    return lines


def _digests(lines: Mapping[date, list[str]]) -> dict[date, str]:
    return {
        month: hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()
        for month, found in lines.items()
    }


def rule_stamps(
    facts: Connection,
    shape: BookShape,
    packs: Iterable[Pack],
    rules: Sequence[Rule],
    sources: Sources,
) -> dict[date, str]:
    """A stamp for each month: of its own contacts and of those that its rules look back to."""
    back = max((rule.limit.look_back_days for rule in rules), default=0)
    listings: list[str] = []
    if "agencies" in shape.tables:
        listings = sorted(map(repr, facts.fetch(rule_prints.listings()).iter_rows()))
    used = [(pack.id, pack.digest) for pack in packs]
    found = {}
    for month, others in sources.others.items():
        first = month_of(month.replace(day=1) - timedelta(days=back))
        own = sorted(item for item in sources.contacts.items() if first <= item[0] <= month)
        text = f"{used}|{listings}|{own}|{others}"
        found[month] = hashlib.sha256(text.encode()).hexdigest()
    return found
