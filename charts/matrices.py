"""A matrix of rates: from a state (rows) to a state (columns), cells that can be clicked."""

from __future__ import annotations

import json
from collections.abc import Sequence

from charts.axes import NARROW, Spec, canvas, few_characters, lookup, names, written
from charts.format import Basis, state
from charts.palette import ACCENT, BETTER, GRID, INK, MUTED, NOISE, WORSE, Shade

ROW = 36  # pixels
CELL = "cell"  # the name of the selection
DARK_CELL = 0.18  # luminance below which white is easier to read than black


def roll_matrix(
    from_states: Sequence[str],
    to_states: Sequence[str],
    *,
    alt: str,
    basis: Basis = "days",
    with_changes: bool = False,
    locale: str | None = None,
) -> Spec:
    """A roll-rate matrix: every cell is labelled with its percentage.

    Frame: `from_state`, `to_state`, `rate`, `low`, `high`, `loans`, `from_loans`, `is_small`; with
    changes also `difference`, `usual_rate`, `is_changed` and `is_worse`.  A row of few loans is
    hollow, with a thin outline.  A cell that changed has a thick outline, an arrow and the signed
    change in points: orange where it is worse, blue where it is better, and the colour of text
    where it is neither.
    A click selects a cell: selection `cell` with `from_state` and `to_state`.
    """
    labels = {code: state(code, basis=basis) for code in {*from_states, *to_states}}
    short = {code: state(code, basis=basis, short=True) for code in to_states}
    layers = [_fill(from_states[0]), _numbers(from_states[0], with_changes)]
    if with_changes:
        layers += [_outline(), _arrows(from_states[0])]
    return canvas(
        [*layers, _picked()],
        autosize="fit-x",
        alt=alt,
        height={"step": ROW},
        locale=locale,
        transform=[
            lookup(labels, "from_state"),
            lookup(labels, "to_state"),
            *_words(with_changes),
        ],
        encoding={
            "y": {
                "field": "from_state",
                "type": "nominal",
                "scale": {"domain": list(from_states), "paddingInner": 0.06},
                "axis": _axis(labels, "left", "From"),
            },
            "x": {
                "field": "to_state",
                "type": "nominal",
                "scale": {"domain": list(to_states), "paddingInner": 0.04},
                "axis": _axis(short, "top", _to_title(to_states, basis)),
            },
            "tooltip": _tooltip(with_changes),
        },
    )


def _to_title(to_states: Sequence[str], basis: Basis) -> str:
    in_buckets = any(code[0].isdigit() for code in to_states)
    unit = "days past due" if basis == "days" else "months missed"
    return f"To, a month later ({unit})" if in_buckets else "To, a month later"


def _axis(labels: dict[str, str], orient: str, title: str) -> Spec:
    axis: Spec = {
        "orient": orient,
        "title": title,
        "grid": False,
        "labelExpr": names(labels),
        "labelLimit": 120,
        "labelOverlap": False,
        "titleFontWeight": "normal",
    }
    if orient == "top":
        return axis | {
            "titleAnchor": "start",
            "labelAngle": {"expr": f"{NARROW} ? -60 : 0"},
            "labelAlign": {"expr": f"{NARROW} ? 'left' : 'center'"},
            "labelFontSize": {"expr": f"{NARROW} ? 10 : 12"},
        }
    return axis | {
        "titleAngle": 0,
        "titleAlign": "left",
        "titleAnchor": "start",
        "titleX": {"expr": f"{NARROW} ? -66 : -78"},
        "titleY": -12,
        "labelFontSize": {"expr": f"{NARROW} ? 10 : 12"},
    }


def _words(with_changes: bool) -> list[Spec]:
    """What is written in a cell and its tooltip; above 0 it is never written as 0."""
    words: list[Spec] = [
        {"calculate": few_characters("datum.rate"), "as": "written"},
        {"calculate": written("share", "datum.rate"), "as": "rate_text"},
        {
            "calculate": "isValid(datum.low) ? format(datum.low * 100, '.1f') + '–' + "
            f"{written('share', 'datum.high')} : '–'",
            "as": "interval_text",
        },
    ]
    if not with_changes:
        return words
    return [
        *words,
        {"calculate": written("points", "datum.difference"), "as": "difference_text"},
        {"calculate": written("share", "datum.usual_rate"), "as": "usual_text"},
        {
            "calculate": "!isValid(datum.is_worse) ? 'plain' : datum.is_worse ? 'worse' : 'better'",
            "as": "verdict_tone",
        },
        {
            "calculate": "(datum.difference > 0 ? '▲ ' : '▼ ') + datum.difference_text",
            "as": "arrow_text",
        },
    ]


def _fill(calm: str) -> Spec:
    """Colour by rate, the square root spreads the small ones; few loans: only an outline.

    Staying in the first state, where nearly all are, is no news: it is grey.
    """
    hollow = [
        {"test": "datum.is_small || !isValid(datum.rate)", "value": "transparent"},
        {"test": _stays(calm), **_value(GRID)},
    ]
    return {
        "name": "cells",
        "params": [
            {
                "name": CELL,
                "select": {
                    "type": "point",
                    "fields": ["from_state", "to_state"],
                    "on": "click",
                    "toggle": False,
                },
            }
        ],
        "mark": {"type": "rect", "cornerRadius": 1, "cursor": "pointer", "strokeWidth": 1},
        "encoding": {
            "color": {
                "condition": hollow,
                "field": "rate",
                "type": "quantitative",
                "scale": {
                    "type": "sqrt",
                    "domain": [0, 1],
                    "range": "ramp",
                },
                "legend": None,
            },
            "stroke": {
                "condition": {"test": "datum.is_small", **_value(NOISE)},
                "value": "transparent",
            },
        },
    }


def _numbers(calm: str, with_changes: bool) -> Spec:
    """The percentage, in black or white, whichever the cell lets stand out."""
    lifted: Spec = {"expr": f"{NARROW} ? 9 : 12"}
    return {
        "mark": {
            "type": "text",
            "fontSize": lifted,
            "tooltip": None,
            "aria": False,
            "cursor": "pointer",
        }
        | ({"dy": {"expr": "datum.is_changed ? -6 : 0"}} if with_changes else {}),
        "encoding": {
            "text": {"field": "written"},
            "color": _legible(calm),
        },
    }


def _stays(calm: str) -> str:
    code = json.dumps(calm)
    return f"datum.from_state === {code} && datum.to_state === {code}"


def _legible(calm: str) -> Spec:
    """Black or white, whichever the cell lets stand out; muted where nothing moves."""
    dark_cell = f"luminance(scale('color', datum.rate)) < {DARK_CELL}"
    return {
        "condition": [
            {"test": "datum.rate < 0.0005", **_value(MUTED)},
            {"test": f"datum.is_small || ({_stays(calm)})", **_value(INK)},
            {"test": dark_cell, "value": "#ffffff"},
        ],
        "value": "#000000",
    }


def _outline() -> Spec:
    return {
        "transform": [{"filter": "datum.is_changed"}],
        "mark": {"type": "rect", "filled": False, "strokeWidth": 2, "tooltip": None, "aria": False},
        "encoding": {"stroke": _by_verdict()},
    }


def _arrows(calm: str) -> Spec:
    return {
        "transform": [{"filter": "datum.is_changed"}],
        "mark": {
            "type": "text",
            "dy": 8,
            "fontSize": {"expr": f"{NARROW} ? 7.5 : 10"},
            "tooltip": None,
            "aria": False,
        },
        "encoding": {"text": {"field": "arrow_text"}, "color": _legible(calm)},
    }


def _by_verdict() -> Spec:
    return {
        "field": "verdict_tone",
        "type": "nominal",
        "legend": None,
        "scale": {
            "domain": ["worse", "better", "plain"],
            "range": [WORSE.expr, BETTER.expr, INK.expr],
        },
    }


def _picked() -> Spec:
    """A ring around the cell that was clicked."""
    return {
        "transform": [{"filter": {"param": CELL, "empty": False}}],
        "mark": {"type": "rect", "filled": False, "strokeWidth": 3, "tooltip": None, "aria": False},
        "encoding": {"stroke": {"value": ACCENT.expr}},
    }


def _tooltip(with_changes: bool) -> list[Spec]:
    rows = [
        ("from_state_label", "From"),
        ("to_state_label", "To"),
        ("rate_text", "Rate"),
        ("interval_text", "95 % interval"),
    ]
    if with_changes:
        rows += [("usual_text", "Usually"), ("difference_text", "Change, points")]
    shown: list[Spec] = [{"field": field, "title": title} for field, title in rows]
    counts = (("loans", "Loans that moved"), ("from_loans", "Loans that could"))
    return shown + [
        {"field": f, "title": t, "format": ",", "type": "quantitative"} for f, t in counts
    ]


def _value(shade: Shade) -> Spec:
    return {"value": shade.expr}
