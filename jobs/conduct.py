"""The marts of conduct at refresh: contact rules and complaints, with the packs in use."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl
import sqlalchemy as sa

from jobs.complaint_marts import refresh_complaints
from jobs.rule_marts import refresh_rules
from jobs.rule_sources import contact_sources
from queries.loan_states import BookShape
from warehouse import settings
from warehouse.conduct_marts import rule_notes, rule_packs
from warehouse.engines import Connection
from warehouse.packs import COMPLAINTS, CONTACT, Pack, PackRefused, chosen_packs, parse_pack

DEFAULTS = {CONTACT: ("cn-cba-2026",), COMPLAINTS: ("cn",)}
Note = tuple[str | None, str | None, str]


@dataclass(frozen=True)
class ConductResult:
    """What the conduct part of a refresh did."""

    months: tuple[date, ...]  # whose contact rules were replayed
    differences: tuple[str, ...]  # sentences: where the marts do not equal the facts
    refusals: tuple[str, ...]  # sentences: rule packs that were refused
    seconds: float


def refresh_conduct(
    facts: Connection,
    target: Connection,
    shape: BookShape,
    schema: str,
    book: Mapping[date, str],
    progress: Callable[[str], None],
) -> ConductResult:
    """Bring the conduct marts up to the facts, one committed month at a time.

    A rule pack that is refused stops nothing: the packs that the marts were made with stay in
    use, and a note says why.  `book`: the portfolio's months and what they were made from.
    """
    started = time.monotonic()
    notes: list[Note] = []
    packs = {subject: _packs(target, subject, notes) for subject in DEFAULTS}
    refusals = tuple(words for _, _, words in notes)
    for sentence in refusals:
        progress(sentence)
    sources = contact_sources(facts, shape, schema)
    months, differences, unjudged = refresh_rules(
        facts, target, shape, packs[CONTACT], sources, max(book), progress
    )
    _keep_packs(target, packs, [*notes, *unjudged])
    differences += refresh_complaints(facts, target, shape, schema, book, sources.both(), progress)
    return ConductResult(months, tuple(differences), refusals, time.monotonic() - started)


def _packs(target: Connection, subject: str, notes: list[Note]) -> tuple[Pack, ...]:
    """The packs that the settings choose; where one is refused, those of the last refresh, else
    the product's own."""
    ids = settings.contact_packs() if subject == CONTACT else (settings.complaint_pack(),)
    try:
        return chosen_packs(subject, ids, settings.rule_packs())
    except PackRefused as refused:
        kept = _kept(target, subject) or chosen_packs(subject, DEFAULTS[subject])
        used = ", ".join(pack.id for pack in kept)
        notes.append((None, None, f"A rule pack was refused: {refused}. Still in use: {used}."))
        return kept


def _kept(target: Connection, subject: str) -> tuple[Pack, ...]:
    """The packs that the marts were made with."""
    table = rule_packs
    rows = target.fetch(
        sa.select(table.c.text, table.c.file).where(table.c.subject == subject).order_by("place")
    )
    try:
        return tuple(parse_pack(subject, text, file) for text, file in rows.iter_rows())
    except PackRefused:  # of a version of this product that knew other fields
        return ()


def _keep_packs(
    target: Connection, packs: Mapping[str, tuple[Pack, ...]], notes: list[Note]
) -> None:
    rows = [
        {"place": place, "subject": subject, "pack": pack.id, "file": pack.file,
         "text": pack.text, "digest": pack.digest}
        for subject, several in packs.items()
        for place, pack in enumerate(several)
    ]  # fmt: skip
    target.execute(sa.delete(rule_packs))
    target.ingest(rule_packs.name, pl.DataFrame(rows))
    target.execute(sa.delete(rule_notes))
    if notes:
        names = ("pack", "rule", "note")
        schema = {name: pl.String for name in names}
        target.ingest(rule_notes.name, pl.DataFrame(notes, schema=schema, orient="row"))
    target.commit()
