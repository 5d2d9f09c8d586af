"""The sheets of the auditor's report: rules, breaches, owners, coverage, complaints, texts."""

from __future__ import annotations

from typing import Any

import polars as pl

from analytics.working_days import calendar_of
from queries import conduct_report as asked
from queries.holidays import holidays
from queries.marts import Book
from reports import conduct_complaints, conduct_counts
from reports.conduct_counts import Counted
from reports.parts import Section, Table
from warehouse.engines import Connection
from warehouse.packs import Pack

PRINTED = 40  # rows of a table by collector on paper


def rules(month: Counted) -> Section:
    packs = [
        (pack.id, pack.jurisdiction, pack.title, pack.source, pack.valid_from, pack.file)
        for pack in month.packs
    ]
    rows = [
        (rule.pack, rule.id, rule.sentence, rule.source, rule.valid_from)
        for pack in month.packs
        for rule in pack.rules
    ]
    names = ["pack", "jurisdiction", "title", "source", "valid_from", "file"]
    tables = [
        Table("Rule packs", _frame(names, packs)),
        Table("Rules", _frame(["pack", "rule", "sentence", "source", "valid_from"], rows)),
    ]
    notes = asked.notes(month.marts)
    if notes.height:
        tables.append(Table("What was refused or cannot be judged", notes))
    words = "The packs that the published marts were made with; their whole text is in the sheet"
    return Section("Rules", "Rules", (f"{words} Pack texts.",), tuple(tables))


def _frame(names: list[str], rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    kinds = {name: pl.Date if name == "valid_from" else pl.String for name in names}
    return pl.DataFrame(rows, schema=kinds, orient="row")


def breaches(month: Counted, held: pl.DataFrame) -> Section:
    tables = [Table("By rule", conduct_counts.by_rule(month))]
    tables.append(Table("The marts held against the facts", held))
    return Section("Breaches", "Breaches and near misses by rule", (), tuple(tables))


def owners(month: Counted, owner: str) -> Section:
    name = owner.removesuffix("_id")
    rows = conduct_counts.by_owner(month, owner)
    some = rows.filter(pl.sum_horizontal("breaches", "near_misses") > 0).height
    words = (
        f"Every {name} with an attempt while the rule was in force; most breaches first. On paper"
        " only those with a breach or a near miss.",
    )
    table = Table(f"By {name}", rows, min(some, PRINTED))
    return Section(f"By {name}", f"Breaches and near misses by {name}", words, (table,))


def coverage(month: Counted, facts: Connection, book: Book) -> Section:
    listed = asked.agency_list(facts, book.shape)
    tables = [
        Table("All attempts", conduct_counts.coverage(month)),
        Table("By channel", conduct_counts.coverage(month, "channel")),
        Table("By agency", conduct_counts.coverage(month, "agency_id")),
        Table("Agencies and the public list", conduct_counts.agencies(month, listed)),
    ]
    records = conduct_counts.record_rules(month)
    if records.height:
        tables.append(Table("Rules about records, and principles", records))
    words = "Recording, completeness and consent of the month's attempts; agencies off the list."
    return Section("Coverage", "Coverage", (words,), tuple(tables))


def complaints(month: Counted, book: Book) -> Section:
    if not book.table_rows.get("complaints"):
        return Section("Complaints", "Complaints", ("The warehouse records no complaints.",))
    every = asked.complaints(month.marts, month.month)
    graded = conduct_complaints.by_grade(every, month.month, month.all_attempts)
    tables = [Table("By grade", graded)]
    calendar = calendar_of(holidays(month.marts).rows())
    for pack in asked.packs(month.marts, "complaints"):
        met = conduct_complaints.kept_deadlines(every, month.month, pack, calendar)
        tables.append(Table(f"Deadlines of {pack.id}: of those due in the month", met))
        tables.append(Table(f"Words of {pack.id}", conduct_complaints.limits(pack)))
    words = (
        "Received and resolved in the month, and open at its end; rates are of those received, per"
        " 1,000 attempts of the month."
        f" Holidays known: {len(calendar.holidays)}; worked weekend days: {len(calendar.worked)}."
    )
    return Section("Complaints", "Complaints", (words,), tuple(tables))


def texts(packs: tuple[Pack, ...]) -> Section:
    lines: list[str] = []
    for pack in packs:
        lines += [f"# {pack.subject}/{pack.file}", *pack.text.splitlines(), ""]
    return Section("Pack texts", "Pack texts", ("The packs' files as they were read.",), (),
                   tuple(lines))  # fmt: skip
