"""What all charts share: the canvas, the axes, and how the browser writes a number.

Charts are Vega-Lite specifications without data and without titles: the page writes the title
(the finding) and the subtitle (what is measured) as text above, where it wraps and can be read
aloud, and hands the frame over beside the specification.  Nothing in them depends on the
theme or on the frame's values, so a page may keep them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from charts.format import MISSING, SPACE, separators
from charts.palette import GRID, INK, MUTED

Spec = dict[str, Any]
Unit = Literal["share", "points", "hundredths", "count", "cents", "rate"]

NARROW = "width < 430"
ARROW = "(datum.value > 0 ? '▲ ' : datum.value < 0 ? '▼ ' : '')"


def canvas(
    layers: Sequence[Spec],
    *,
    alt: str,
    height: int | Spec,
    transform: Sequence[Spec] = (),
    encoding: Mapping[str, Any] | None = None,
    autosize: Literal["fit", "fit-x"] = "fit",
    locale: str | None = None,
) -> Spec:
    """A chart of layers drawn over each other, in the house style.

    With `autosize="fit-x"` the height is that of the steps, and the axes come on top of it.
    """
    decimal, thousands = separators(locale)
    number = {"decimal": decimal, "thousands": thousands, "grouping": [3], "currency": ["", ""]}
    axis = {
        "labelColor": MUTED.expr,
        "titleColor": MUTED.expr,
        "gridColor": GRID.expr,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelPadding": 6,
        "titlePadding": 8,
        "domain": False,
        "ticks": False,
        "labelFlush": False,
    }
    return {
        "description": alt,
        "height": height,
        "autosize": {"type": autosize, "contains": "padding"},
        "transform": list(transform),
        "encoding": dict(encoding or {}),
        "layer": list(layers),
        "config": {
            "axis": axis,
            "text": {"color": INK.expr, "fontSize": 12},
            "view": {"stroke": None},
            "locale": {"number": number},
        },
    }


def written(unit: Unit, value: str, *, decimals: int = 1) -> str:
    """A Vega expression that writes the value of an expression, unit and all."""
    nothing, smallest = f"{0:.{decimals}f}", 0.5 * 10 ** -(decimals + 2)
    signed = f"format(({value}) * 100, '+.{decimals}f')"
    rounded = {
        "share": f"format(({value}) * 100, '.{decimals}f') + '{SPACE}%'",
        "points": f"(abs({value}) < {smallest:.9f} ? '{nothing}' : {signed})",
        "hundredths": f"(abs({value}) < 5e-5 ? '0.00' : format(({value}) * 100, '+.2f'))",
        "count": f"format({value}, ',.0f')",
        "rate": f"format({value}, ',.2f')",
        "cents": _compact(f"(({value}) / 100)"),
    }[unit]
    return f"(isValid({value}) ? {rounded} : '{MISSING}')"


def few_characters(share: str) -> str:
    """A Vega expression that writes a share in per cent without its sign, as short as a cell wants
    it: without decimals where the chart is narrow; above 0 it is never written as 0."""

    def to(decimals: int) -> str:
        least = 10**-decimals
        small = f"({share}) > 0 && ({share}) < {least / 200:.9f}"
        return f"({small} ? '<{least:.{decimals}f}' : format(({share}) * 100, '.{decimals}f'))"

    known = f"({share}) === 0 ? '0' : {NARROW} ? {to(0)} : {to(1)}"
    return f"(!isValid({share}) ? '{MISSING}' : {known})"


def _compact(value: str) -> str:
    steps = "".join(
        f"abs({value}) >= {size * 0.99995} ? format({value} / {size}, '.1f') + '{SPACE}{letter}' : "
        for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k"))
    )
    return f"({steps}format({value}, ',.0f'))"


def exactly(unit: Unit, value: str) -> str:
    """The same for a tooltip: money to the cent."""
    if unit != "cents":
        return written(unit, value)
    return f"(isValid({value}) ? format(({value}) / 100, ',.2f') : '{MISSING}')"


def value_axis(unit: Unit, *, grid: bool = True, ticks: int = 5, title: str | None = None) -> Spec:
    """An axis of values; the last label carries the unit, the others only the number."""
    size = "format({}, '~s')"
    label = {
        "share": "format(datum.value * 100, ',~f') + (datum.index === 1 ? ' %' : '')",
        "hundredths": "(datum.value === 0 ? '0' : format(datum.value * 100, '+,~f'))",
        "points": "(datum.value === 0 ? '0' : format(datum.value * 100, '+,~f'))",
        "count": f"replace({size.format('datum.value')}, 'G', 'B')",
        "rate": "format(datum.value, ',~f')",
        "cents": f"replace({size.format('datum.value / 100')}, 'G', 'B')",
    }[unit]
    return {"title": title, "grid": grid, "tickCount": ticks, "labelExpr": label}


def months(*, banded: bool = False) -> Spec:
    """Months along the bottom, as bands for bars; a month-end counts as its month in any zone."""
    axis: Spec = {"title": None, "grid": False, "format": "%b %Y", "labelAngle": 0}
    x: Spec = {"field": "month", "timeUnit": "utcyearmonth", "title": None}
    if banded:
        return x | {"type": "ordinal", "axis": axis | {"labelOverlap": True}}
    return x | {
        "type": "temporal",
        "scale": {"type": "utc"},
        "axis": axis
        | {"tickCount": {"expr": f"{NARROW} ? 4 : 8"}, "labelFlush": True}
        | {"labelOverlap": "parity", "labelSeparation": 24},
    }


# On a narrow screen a long name goes on in a second line, from the last space of its first part.
_BREAK = "(length(datum.label) > 20 ? lastindexof(slice(datum.label, 0, 20), ' ') : -1)"
_IS_LONG = f"{NARROW} && {_BREAK} > 0"
_LINES = f"[slice(datum.label, 0, {_BREAK}), slice(datum.label, {_BREAK} + 1)]"
IN_TWO_LINES: Spec = {
    "labelExpr": f"{_IS_LONG} ? {_LINES} : datum.label",
    "labelLineHeight": 13,
    "labelOffset": {"condition": {"test": _IS_LONG, "value": -6}, "value": 0},
    "labelOverlap": False,
}


def names_down(order: Sequence[str]) -> Spec:
    """Names down the side, in the order given."""
    return {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": list(order)},
        "axis": {
            "title": None,
            "grid": False,
            "labelColor": INK.expr,
            "labelFontSize": 13,
            "labelLimit": {"expr": f"{NARROW} ? 140 : 220"},
        },
    }


def text_after(field: str, text: str) -> Spec:
    """A layer that writes one field to the right of where another one is."""
    return {
        "mark": {"type": "text", "align": "left", "dx": 6, "tooltip": None, "aria": False},
        "encoding": {"x": {"field": field, "type": "quantitative"}, "text": {"field": text}},
    }


MONTH_SHOWN: Spec = {
    "field": "month",
    "timeUnit": "utcyearmonth",
    "type": "temporal",
    "title": "Month",
    "format": "%b %Y",
}


def names(labels: Mapping[str, str], value: str = "datum.label") -> str:
    """A Vega expression that looks a label up; what is not listed stays as it is."""
    return f"({json.dumps(dict(labels))}[{value}] || {value})"


def lookup(labels: Mapping[str, str], field: str) -> Spec:
    """A transform that adds `<field>_label`."""
    return {"calculate": names(labels, f"datum.{field}"), "as": f"{field}_label"}
