"""How complaints are answered, what they are about and what goes with them, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from charts.complaint_sentences import Row, rate
from charts.complaint_words import ATTRIBUTED
from charts.format import day, listing, month, number, percent, plain
from charts.sentences import plural


def deadline_sentences(row: Row, queue: Row, *, window: int, as_of: date) -> list[str]:
    """The share of those due that were in time, and what waits."""
    lines = []
    if not row["due"]:
        lines.append("Nothing fell due in these months.")
    else:
        lines.append(_in_time(row, f"due in the {plural(window, 'month')} to {month(as_of)}"))
    if not queue["open"]:
        return [*lines, "No complaint is open."]
    lines.append(
        f"{plural(int(queue['open']), 'complaint')} {'is' if queue['open'] == 1 else 'are'} open:"
        f" {number(queue['overdue'])} overdue, {number(queue['due_soon'])} due within seven days."
    )
    return lines


def unknown_class_words(count: int) -> str:
    """Complaints whose class the pack of deadlines does not have."""
    if not count:
        return ""
    have, judged = ("has", "is judged as a normal one") if count == 1 else (
        "have", "are judged as normal ones")  # fmt: skip
    return f"{plural(count, 'complaint')} {have} no class of this pack and {judged}."


def _in_time(row: Row, due: str) -> str:
    if row["due"] == 1:
        return f"The one complaint {due} was {'' if row['share'] else 'not '}closed in time."
    return f"Of {number(row['due'])} complaints {due}, {percent(row['share'])} were closed in time."


def times_sentence(rows: Sequence[tuple[str, Row]]) -> str:
    """Median days to each step."""
    known = [
        f"{name.lower()} within {number(row['median'])} {_days(row['median'])}"
        for name, row in rows
        if row["median"] is not None
    ]
    if not known:
        return "Too few were answered for a median."
    return f"Half of all complaints are {listing(known)}."


def _days(count: float) -> str:
    return "day" if count == 1 else "days"


def excluded_words(count: int) -> str:
    """Complaints whose times run backwards."""
    if not count:
        return ""
    closed = "was closed before it was" if count == 1 else "were closed before they were"
    return f"{plural(count, 'complaint')} {closed} received: left out of times."


def upheld_sentence(row: Row) -> str:
    """How many of those resolved were found to be right."""
    if not row["resolved"]:
        return "No complaint of these months is resolved yet."
    if row["resolved"] == 1:
        was = "wholly" if row["upheld"] else "in part" if row["partly_upheld"] else None
        said = f"The one resolved complaint was {f'upheld {was}' if was else 'not upheld'}."
    else:
        said = (
            f"{percent(row['share'])} of {number(row['resolved'])} resolved complaints were upheld,"
            f" wholly ({number(row['upheld'])}) or in part ({number(row['partly_upheld'])})."
        )
    if row["without_outcome"]:
        have = "has" if row["without_outcome"] == 1 else "have"
        said += f" {number(row['without_outcome'])} {have} no outcome recorded."
    return said


def causes_sentence(causes: pl.DataFrame, label: Mapping[str, str]) -> str:
    """The few causes that make most of the complaints, and which of them rise or fall."""
    if causes.is_empty():
        return "There are no complaints in these months."
    vital = causes.filter("is_vital")
    who = [label.get(one, str(one)).lower() for one in vital["category"]]
    share = float(vital["share"].sum())
    make = "makes" if len(who) == 1 else "make"
    part = "all" if causes.height == len(who) else percent(share, decimals=0)
    said = f"{listing([plain(one) for one in who])} {make} {part} of the complaints."
    moved = causes.filter(pl.col("is_different").fill_null(value=False))
    if moved.is_empty():
        return f"{said[:1].upper()}{said[1:]} No cause has changed beyond chance lately."
    ways = [
        f"{plain(label.get(row['category'], row['category'])).lower()}"
        f" {number(row['ratio'], decimals=1)} times as often"
        for row in moved.iter_rows(named=True)
    ]
    return f"{said[:1].upper()}{said[1:]} In the last 13 weeks: {listing(ways)} as before."


def lag_sentence(row: Row) -> str:
    """How soon after a contact a complaint comes."""
    if not row["with_contact"] or row["median"] is None:
        return "No complaint has a contact before it."
    if row["with_contact"] == 1:
        said = f"The one complaint after a contact came {_span(row['median'])} after it."
    else:
        said = (
            f"Half of the complaints come within {_span(row['median'])} of the contact,"
            f" nine in ten within {_span(row['q90'])}."
        )
    if row["before_contact"]:
        said += f" {number(row['before_contact'])} came before the contact that they name."
    return said


def _span(days_: float) -> str:
    if days_ < 2:
        hours = max(round(days_ * 24), 1)
        return f"{hours} {'hour' if hours == 1 else 'hours'}"
    return f"{number(days_, decimals=1)} days"


def satisfaction_sentence(row: Row | None) -> str:
    """What those who answered said."""
    if row is None or not row["responses"]:
        return "No survey was answered in these months."
    return (
        f"{plural(int(row['responses']), 'borrower')} answered:"
        f" {number(row['mean'], decimals=2)} of 5 on average, and {percent(row['share'])} gave 4 or"
        " 5. Who answers is not who was contacted."
    )


def intensity_sentence(found: Any) -> str:
    """What one more attempt a month goes with."""
    if found.reason is not None or found.per_thousand is None:
        return "There are too few complaints or attempts to say what one more attempt does."
    more = "more" if found.per_thousand > 0 else "fewer"
    return (
        f"One more attempt on a case in a month goes with {rate(abs(found.per_thousand))} {more}"
        f" complaints per 1,000 cases ({rate(found.low)} to {rate(found.high)})."
    )


def misfit_sentence(curve: pl.DataFrame) -> str:
    """At which numbers of attempts the one curve does not fit what was counted."""
    off = curve.filter(~pl.col("is_fitted"))
    if off.is_empty():
        return ""
    times = listing([number(one) for one in off["attempts"]])
    noun = "attempt" if off["attempts"].to_list() == [1] else "attempts"
    return (
        f"At {times} {noun} the count is off the line by more than chance: it does not fit there."
    )


def overdue_words(days: int) -> str:
    """How long a complaint that is open is past its day.

    >>> overdue_words(7), overdue_words(1), overdue_words(0)
    ('7 days overdue', '1 day overdue', '')
    """
    return f"{plural(days, 'day')} overdue" if days > 0 else ""


def veto_sentence(in_force: pl.DataFrame, on: date) -> str:
    """Whose composite score is set aside on a day."""
    if in_force.is_empty():
        return f"Nobody’s score is set aside on {day(on)}."
    who = [plain(one) for one in in_force["collector_id"]]
    return f"Set aside on {day(on)}: {listing(who)}."


def attributed_words(code: str) -> str:
    """To whom a complaint belongs, and why."""
    return f"Belongs to {ATTRIBUTED.get(code, code)}."
