"""Breaches by weekday and hour: a cell each, the stronger the more."""

from __future__ import annotations

from collections.abc import Sequence

from charts.axes import NARROW, Spec, canvas
from charts.palette import GRID, INK, WORSE

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ROW = 30


def by_hour(hours: Sequence[int], *, alt: str, noun: str, locale: str | None = None) -> Spec:
    """Counts by hour (across) and weekday (down); grey where attempts had none, and no cell where
    nothing was attempted.  `hours` that occur: the axis has all from the first to the last.

    Frame: `day` (Mon to Sun), `hour` (0 to 23), `contacts`, `attempts`, `per_text` (the rate with
    its interval, written).
    """
    cell: Spec = {
        "mark": {"type": "rect", "cornerRadius": 1},
        "encoding": {
            "fill": {
                "condition": {"test": "datum.contacts > 0", "value": WORSE.expr},
                "value": GRID.expr,
            },
            "fillOpacity": {
                "condition": {"test": "datum.contacts === 0", "value": 0.5},
                "field": "contacts",
                "type": "quantitative",
                "scale": {"type": "sqrt", "domainMin": 0, "range": [0.1, 0.9]},
                "legend": None,
            },
        },
    }
    count: Spec = {
        "transform": [{"filter": "datum.contacts > 0"}],
        "mark": {"type": "text", "fontSize": {"expr": f"{NARROW} ? 8 : 11"}, "tooltip": None,
                 "aria": False},
        "encoding": {
            "text": {"field": "contacts", "type": "quantitative", "format": ",.0f"},
            "color": {"value": INK.expr},
        },
    }  # fmt: skip
    return canvas(
        [cell, count],
        alt=alt,
        height={"step": _ROW},
        autosize="fit-x",
        locale=locale,
        encoding={
            "y": {
                "field": "day",
                "type": "nominal",
                "sort": list(WEEKDAYS),
                "title": None,
                "axis": {"labelPadding": 6, "grid": False},
            },
            "x": {
                "field": "hour",
                "type": "ordinal",
                "title": "Hour of the contact, as recorded",
                "scale": {"domain": list(range(min(hours), max(hours) + 1))},
                "axis": {"labelAngle": 0, "labelOverlap": "parity", "grid": False},
            },
            "tooltip": [
                {"field": "day", "title": "Weekday"},
                {"field": "hour", "title": "Hour"},
                {"field": "contacts", "title": noun, "type": "quantitative", "format": ","},
                {"field": "attempts", "title": "Attempts", "type": "quantitative", "format": ","},
                {"field": "per_text", "title": "Per 1,000 attempts"},
            ],
        },
    )
