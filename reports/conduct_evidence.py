"""The contacts behind each breach, and the marts' counts held against the facts."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from queries import conduct_report as asked
from queries.conduct import BREACH, NEAR_MISS, Rule
from queries.loan_states import BookShape
from reports.conduct_counts import Counted
from reports.parts import Section, Table
from warehouse.engines import Connection

PRINTED = 60  # rows of evidence of one rule on paper
COLUMNS = (
    "breach_id", "role", "contacted_at", "contact_id", "loan_id", "case_id", "collector_id",
    "team", "agency_id", "channel", "party", "outcome", "contact_point", "duration_seconds",
    "is_recorded", "has_consent", "product", "region",
)  # fmt: skip
NARROW = (
    "breach_id", "role", "contacted_at", "contact_id", "loan_id", "case_id", "collector_id",
    "agency_id", "channel", "party", "outcome", "has_consent",
)  # fmt: skip


def evidence_sections(
    facts: Connection,
    month: Counted,
    shape: BookShape,
    breaches: int,
    progress: Callable[[str], None],
) -> list[Section]:
    """A sheet for each rule that is judged: its latest breaches, and how many are left out."""
    sections = []
    for place, rule in enumerate(month.rules, start=1):
        progress(f"evidence of {rule.pack} {rule.id}")
        rows = asked.evidence(facts, rule, month.month, shape, breaches).select(COLUMNS)
        words = _left_out(month.count(rule), rows.filter(role="this").height, breaches)
        sections.append(
            Section(
                f"Evidence {place}",
                f"Evidence: {rule.pack}, {rule.id}",
                (rule.sentence, words),
                (Table(_title(rule), rows, PRINTED, NARROW),) if rows.height else (),
            )
        )
    return sections


def _title(rule: Rule) -> str:
    return f"Contacts behind the breaches of {rule.pack} {rule.id}"


def _left_out(counted: int, shown: int, limit: int) -> str:
    if not counted and not shown:
        return "There is no breach of this rule in the month."
    left = max(counted - shown, 0)
    words = f"{shown:,} of {counted:,} breaches are shown; {left:,} are left out."
    return words + (f" The limit is the latest {limit:,} of a rule." if left else "")


def compared(facts: Connection, month: Counted, shape: BookShape) -> pl.DataFrame:
    """Breaches and near misses in the published marts and, counted again, in the facts."""
    rows = []
    for rule in month.rules:
        now = asked.counts_now(facts, rule, month.month, shape)
        for kind in (BREACH, NEAR_MISS):
            made = month.count(rule, kind, is_early=True)
            again = now.get(kind, 0)
            rows.append((rule.pack, rule.id, kind, made, again, made == again))
    kinds = {"pack": pl.String, "rule": pl.String, "kind": pl.String, "in_the_marts": pl.Int64}
    kinds |= {"in_the_facts_now": pl.Int64, "is_equal": pl.Boolean}
    return pl.DataFrame(rows, schema=kinds, orient="row")
