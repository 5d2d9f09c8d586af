"""The working days that the marts were made with, and that deadlines are counted in."""

from __future__ import annotations

import ui
from analytics.working_days import WorkingDays, calendar_of
from charts.calendars import calendar_sentence
from queries.holidays import holidays


def working_days(view: ui.View) -> WorkingDays:
    return calendar_of(ui.load(view, holidays).rows())


def calendar_words(view: ui.View) -> str:
    """Which days count, in a sentence."""
    calendar = working_days(view)
    return calendar_sentence(calendar.holidays, calendar.worked)
