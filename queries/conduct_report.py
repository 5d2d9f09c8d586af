"""Marts and facts: what an auditor's report of a month is made of, for the whole book."""

from __future__ import annotations

from datetime import date

import polars as pl
import sqlalchemy as sa

from queries.complaint_marts import as_it_stood
from queries.loan_states import BookShape, month_open
from queries.marts import Marts, as_text
from queries.rule_evidence import breach_count, rule_evidence
from warehouse import complaint_marts, conduct_marts
from warehouse.contract import agencies
from warehouse.engines import Connection
from warehouse.packs import Pack, Rule, parse_pack

MOST_ROWS = 200_000  # of the evidence of one rule: a breach and the contacts before it


def is_there(marts: Marts) -> bool:
    """Whether this version of the marts has those of conduct (older ones have not)."""
    tables = [conduct_marts.breaches, conduct_marts.rule_packs, complaint_marts.complaints]
    return all(marts.holds(table) for table in tables)


def packs(marts: Marts, subject: str) -> tuple[Pack, ...]:
    """The packs that the marts were made with."""
    rows = as_text(marts.part("rule_packs")).filter(subject=subject).sort("place")
    return tuple(
        parse_pack(subject, text, file) for text, file in rows.select("text", "file").rows()
    )


def notes(marts: Marts) -> pl.DataFrame:
    """What was refused or cannot be judged: pack, rule, note."""
    rows = as_text(marts.part("rule_notes"))
    return rows.select("pack", "rule", "note").sort("pack", "rule", "note", nulls_last=True)


def stamps(marts: Marts, month: date) -> pl.DataFrame:
    """What the month's marts were made from: part and stamp."""
    rules = as_text(marts.part("conduct_stamps")).filter(pl.col("month") == month)
    attempts = as_text(marts.part("complaint_stamps")).filter(pl.col("month") == month)
    attempts = attempts.select(pl.lit("complaints").alias("part"), "month", "stamp")
    both = pl.concat([rules.select("part", "month", "stamp"), attempts])
    return both.select("part", "stamp").sort("part", "stamp")


def complaints(marts: Marts, month: date) -> pl.DataFrame:
    """Every complaint received by the month's end, as it stood then."""
    rows = as_text(marts.part("complaints")).filter(pl.col("received_on") <= month)
    return as_it_stood(rows, month).sort("complaint_id")


def evidence(
    facts: Connection, rule: Rule, month: date, shape: BookShape, limit: int
) -> pl.DataFrame:
    """The latest breaches of a rule in force, each with the contacts that make it one."""
    keys = {"in_force": [True]}
    statement = rule_evidence(
        rule, month_open(month), month, shape, keys, limit, most_rows=MOST_ROWS
    )
    rows = facts.fetch(statement)
    whole = rows.filter(role="this")["breach_id"]  # what the last row cut is not shown
    return rows.filter(pl.col("breach_id").is_in(whole.implode()))


def counts_now(facts: Connection, rule: Rule, month: date, shape: BookShape) -> dict[str, int]:
    """Breaches and near misses of a month in the facts, by kind."""
    rows = facts.fetch(breach_count(rule, month_open(month), month, shape))
    return {kind: int(count) for kind, count in rows.select("kind", "contacts").iter_rows()}


def agency_list(facts: Connection, shape: BookShape) -> pl.DataFrame:
    """The public list of agencies: agency_id, listed_from_on, listed_to_on."""
    if "agencies" not in shape.tables:
        kinds = {"agency_id": pl.String, "listed_from_on": pl.Date, "listed_to_on": pl.Date}
        return pl.DataFrame(schema=kinds)
    columns = [agencies.c[name] for name in ("agency_id", "listed_from_on", "listed_to_on")]
    return facts.fetch(sa.select(*columns))
