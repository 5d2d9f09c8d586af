"""The calendar of working days in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from charts.format import day
from charts.sentences import plural


def calendar_sentence(holidays: Sequence[date], worked: Sequence[date]) -> str:
    """Which days count as working days, and how many holidays are known, from when to when."""
    known = sorted([*holidays, *worked])
    if not known:
        return "Working days are Monday to Friday; no holiday calendar is set."
    weekend = f" and {plural(len(worked), 'worked weekend day')}" if worked else ""
    return (
        f"Working days are Monday to Friday; the holiday calendar knows"
        f" {plural(len(holidays), 'holiday')}{weekend}, {day(known[0])} to {day(known[-1])}."
    )
