"""Whose score is set aside for a complaint, in words; names from the data are made plain here."""

from __future__ import annotations

from datetime import date

import polars as pl

from charts.format import day, listing, number, plain
from charts.sentences import plural

MOST_NAMED = 4


def veto_sentences(aside: pl.DataFrame, ledger: pl.DataFrame) -> list[str]:
    """Whose score is set aside, by which complaint, and until when."""
    if ledger.is_empty():
        return []
    if aside.is_empty():
        lifted = ledger.filter("is_lifted").height
        past = plural(ledger.height, "complaint")
        return [
            f"No score is set aside on the last day of the month; {past} did so at some time"
            + (f", of which an appeal lifted {number(lifted)}." if lifted else ".")
        ]
    rows = aside.sort("until_on", "collector_id")
    told = [
        f"{plain(row['collector_id'])} until {day(row['until_on'])} (complaint"
        f" {listing([plain(one) for one in row['complaint_ids'][:3]])})"
        for row in rows.head(MOST_NAMED).iter_rows(named=True)
    ]
    more = rows.height - len(told)
    if more:
        told.append(f"{number(more)} more")
    noun = "score is" if rows.height == 1 else "scores are"
    return [
        f"{number(rows.height)} {noun} set aside for an upheld complaint of grade 4 against the"
        f" collector by name: {listing(told)}."
    ]


def vetoed_sentence(collectors: int, on: date) -> str:
    """How many collectors' scores do not count on a day, and why.

    >>> vetoed_sentence(1, date(2026, 6, 30)).replace("\N{NO-BREAK SPACE}", " ")
    'The score of 1 collector is set aside on 30 June 2026 for an upheld complaint of grade 4.'
    """
    if not collectors:
        return f"Nobody’s score is set aside on {day(on)} for an upheld complaint of grade 4."
    scores = "score" if collectors == 1 else "scores"
    are = "is" if collectors == 1 else "are"
    return (
        f"The {scores} of {plural(collectors, 'collector')} {are} set aside on {day(on)} for an"
        " upheld complaint of grade 4."
    )
