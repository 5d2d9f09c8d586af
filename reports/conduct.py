"""The auditor's report: what the contact log of a month shows, held against the rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from queries import conduct_report as asked
from queries.conduct import months_with_attempts
from queries.marts import Book, Marts
from reports import conduct_counts
from reports import conduct_sections as sheets
from reports.conduct_counts import NOBODY, Counted
from reports.conduct_evidence import compared, evidence_sections
from reports.conduct_words import FINGERPRINT, METHOD, NO_ADVICE
from reports.parts import (
    Report,
    ReportRefused,
    Section,
    Table,
    digests_of,
    fingerprint_of,
)
from warehouse.engines import Connection
from warehouse.packs import Pack

BREACHES = 1_000  # of each rule shown as evidence


def conduct_report(
    marts: Marts,
    book: Book,
    version: str,
    facts: Connection,
    month: date,
    *,
    breaches: int = BREACHES,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """The report of a month (its last day), for the whole book.

    Counts are those of the published marts (`version`: its file), evidence is read from the
    facts.  `breaches`: how many of each rule are shown as evidence, the latest first.
    Refuses a month that the marts do not have, or that has no contacts.
    """
    _refuse_unknown(marts, book, month)
    counts = conduct_counts.counted(marts, month)
    progress("counting the breaches again in the facts")
    held = compared(facts, counts, book.shape)
    sections = [
        sheets.rules(counts),
        sheets.breaches(counts, held),
        *[sheets.owners(counts, owner) for owner in NOBODY],
        sheets.coverage(counts, facts, book),
        sheets.complaints(counts, book),
        *evidence_sections(facts, counts, book.shape, breaches, progress),
    ]
    complaint_packs = asked.packs(marts, "complaints")
    packs = (*counts.packs, *complaint_packs)
    sections.append(sheets.texts(packs))
    digests = digests_of(sections)
    mark = fingerprint_of(digests, f"{month}", *[pack.digest for pack in packs])
    by_rule = Table("Breaches and near misses by rule", conduct_counts.by_rule(counts))
    words = _summary(counts, book, held, mark)
    summary = Section("Report", _title(month), words, (by_rule,))
    method = Section("Method", "Method", METHOD)
    proof = _proof(digests, mark, version, book, asked.stamps(marts, month), packs)
    return Report(
        f"conduct-{month:%Y-%m}",
        _title(month),
        book.refreshed_at,
        mark,
        (summary, method, *sections, proof),
    )


def _title(month: date) -> str:
    return f"Contact rules and complaints, {month:%Y-%m}"


def _refuse_unknown(marts: Marts, book: Book, month: date) -> None:
    if not asked.is_there(marts):
        raise ReportRefused(
            "the published marts have no contact rules; run `python -m warehouse refresh`."
        )
    if month not in book.months:
        first, last = book.months[0], book.months[-1]
        raise ReportRefused(
            f"there is no month {month:%Y-%m} in the published marts, which have"
            f" {first:%Y-%m} to {last:%Y-%m}."
        )
    known = months_with_attempts(marts)
    if month not in known:
        others = "the warehouse has none at all"
        if known:
            others = f"there are some of {known[0]:%Y-%m} to {known[-1]:%Y-%m}"
        raise ReportRefused(
            f"there are no outbound contacts in {month:%Y-%m} to report on; {others}."
        )


def _summary(month: Counted, book: Book, held: pl.DataFrame, mark: str) -> tuple[str, ...]:
    by_rule = conduct_counts.by_rule(month)
    found, near = (int(by_rule[name].sum()) for name in ("breaches", "near_misses"))
    in_force = by_rule.filter(pl.col("attempts") > 0).height
    broken = by_rule.filter(pl.col("breaches") > 0).height
    whole = conduct_counts.coverage(month).row(0, named=True)
    calls = f"Of {whole['connected']:,} connected calls none is known to be recorded or not;"
    if whole["recorded_share"] is not None:
        calls = (
            f"{whole['recorded']:,} of {whole['connected']:,} connected calls"
            f" ({whole['recorded_share']:.1%}) are recorded;"
        )
    agree = "The counts of the published marts equal those of the facts when this report was made."
    if changed := held.filter(~pl.col("is_equal")).height:
        agree = (
            f"ATTENTION: {_count(changed, 'count', 'counts')} of the published marts differ from"
            " the facts, which were loaded since. Run `python -m warehouse refresh` and make the"
            " report again."
        )
    made_up = ("The book is synthetic: made by a program, about nobody.",) * book.is_synthetic
    return (
        f"Period: {month.month.replace(day=1)} to {month.month}. Whole book. Rule packs:"
        f" {', '.join(pack.id for pack in month.packs)}.",
        *made_up,
        f"{_count(in_force, 'rule', 'rules')} in force, held against"
        f" {_count(month.all_attempts, 'attempt', 'attempts')} of the month. Found:"
        f" {_count(found, 'breach', 'breaches')}, of {_count(broken, 'rule', 'rules')}, and"
        f" {_count(near, 'near miss', 'near misses')}.",
        f"{calls} {whole['complete_share']:.1%} of the attempts are completely recorded; consent is"
        f" recorded, as given or refused, for {whole['consent_known_share']:.1%}.",
        agree,
        NO_ADVICE,
        f"Data fingerprint (SHA-256): {mark}",
    )


def _count(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def _proof(
    digests: pl.DataFrame,
    mark: str,
    version: str,
    book: Book,
    stamps: pl.DataFrame,
    packs: tuple[Pack, ...],
) -> Section:
    facts = {
        "Data fingerprint": mark,
        "Published marts": version,
        "Version of the book": book.version,
        "Refreshed at (UTC)": str(book.refreshed_at),
        "Data to": str(book.as_of),
        **{f"Pack {pack.subject}/{pack.id}, sha256": pack.digest for pack in packs},
        **{f"Stamp of the month, {part}": stamp for part, stamp in stamps.iter_rows()},
    }
    rows = pl.DataFrame({"what": list(facts), "value": list(facts.values())})
    tables = (Table("What the report was made from", rows), Table("Digests", digests))
    return Section("Fingerprint", "Data fingerprint", FINGERPRINT, tables)
