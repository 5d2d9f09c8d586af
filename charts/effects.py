"""A raw difference and an adjusted effect side by side: by channel, and by how much was done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from charts.axes import NARROW, Spec, canvas, exactly, names_down, value_axis, written
from charts.format import SPACE
from charts.palette import ACCENT, BACKGROUND, INK, MUTED, NOISE, SERIES, Shade

ROW = 38  # pixels for the two marks of one name
PICKED = "channel"  # the name of the selection
RAW, ADJUSTED = "raw", "adjusted"
KINDS = {RAW: "Raw difference", ADJUSTED: "Adjusted effect"}
_SHADES = {RAW: NOISE, ADJUSTED: SERIES}
_SHAPES = {RAW: "diamond", ADJUSTED: "circle"}

EffectUnit = Literal["points", "cents"]


def side_by_side(
    order: Sequence[str],
    *,
    alt: str,
    unit: EffectUnit = "points",
    pickable: bool = False,
    locale: str | None = None,
) -> Spec:
    """For each name what the raw comparison says, and below it what is left when adjusted.

    Frame: two rows a name, `kind` raw and adjusted, with `value`, `low`, `high`, `is_small`
    (hollow), `is_thin` (broken whisker), `cases`, and `note`, what is written instead of, or
    after, the value.  If pickable, a click selects a row: selection `channel` with `name`.
    """
    layers = [_zero(), *map(_halo, (_values(), _notes())), _whiskers("x"), _marks("x")]
    layers += [_values(), _notes()]
    if pickable:
        layers.insert(0, _rows())
    return canvas(
        layers,
        alt=alt,
        height={"step": ROW, "for": "position"},
        autosize="fit-x",
        locale=locale,
        transform=_words(unit, order[0]),
        encoding={
            "y": names_down(order),
            "x": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "axis": value_axis(unit) | {"orient": "bottom"},
                "scale": {"zero": True, "padding": 64, "nice": False},
            },
            "tooltip": _tooltip("Compared"),
        },
    )


def by_amount(
    order: Sequence[str],
    *,
    alt: str,
    title: str,
    unit: EffectUnit = "points",
    height: int = 260,
    locale: str | None = None,
) -> Spec:
    """What more of it does: raw and adjusted by level, from the reference at 0.

    Frame: as `side_by_side`, and `is_upper`, of the two kinds; `name` is the level, the first
    one the reference.
    """
    line: Spec = {
        "mark": {"type": "line", "strokeWidth": 1.5, "tooltip": None, "aria": False},
        "encoding": {
            "color": _by_kind(_SHADES),
            "strokeDash": {
                "condition": {"test": f"datum.kind === '{RAW}'", "value": [4, 3]},
                "value": [1, 0],
            },
        },
    }
    zero: Spec = {
        "mark": {"type": "rule", "tooltip": None, "aria": False},
        "encoding": {"y": {"datum": 0}, "x": None, "color": {"value": MUTED.expr}},
    }
    last = json.dumps(order[-1])
    shown = f"datum.kind === '{ADJUSTED}' || datum.name === {last}"

    def text(field: str, lift: int, test: str) -> Spec:
        dy = {"expr": f"{lift} + (datum.is_upper ? -9 : 9)"}
        style = {"align": "left", "dx": 10, "dy": dy, "tooltip": None, "aria": False}
        colour = {"test": f"datum.kind === '{RAW}'", "value": MUTED.expr}
        return {
            "transform": [
                {"filter": f"isValid(datum.value) && datum.name !== {json.dumps(order[0])}"},
                {"filter": test},
            ],
            "mark": {"type": "text", **style},
            "encoding": {
                "text": {"field": field},
                "color": {"condition": colour, "value": INK.expr},
            },
        }

    texts = [text("value_text", -8, shown), text("kind", 6, f"datum.name === {last}")]
    return canvas(
        [zero, line, _whiskers("y"), *map(_halo, texts), _marks("y"), *texts],
        alt=alt,
        height=height,
        locale=locale,
        transform=_words(unit, order[-1]),
        encoding={
            "x": {
                "field": "name",
                "type": "ordinal",
                "scale": {"type": "point", "domain": list(order), "padding": 1},
                "axis": {
                    "title": title,
                    "labelAngle": 0,
                    "grid": False,
                    "labelColor": INK.expr,
                    "titleFontWeight": "normal",
                },
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "axis": value_axis(unit),
                "scale": {"zero": True},
            },
            "tooltip": _tooltip(title),
        },
    )


def _by_kind(shades: dict[str, Shade]) -> Spec:
    return {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": list(KINDS), "range": [shades[kind].expr for kind in KINDS]},
        "legend": None,
    }


def _whiskers(along: str) -> Spec:
    thin: Spec = {"condition": {"test": "datum.is_thin", "value": [3, 3]}, "value": [1, 0]}
    ends = {along: {"field": "low", "type": "quantitative"}, f"{along}2": {"field": "high"}}
    return {
        "mark": {"type": "rule", "strokeWidth": 1.8, "tooltip": None, "aria": False}
        | _apart(along),
        "encoding": ends | {"color": _by_kind(_SHADES), "strokeDash": thin} | _beside(along),
    }


def _beside(along: str) -> Spec:
    """The two kinds one below the other, where names go down."""
    if along == "y":
        return {}
    return {"yOffset": {"field": "kind", "scale": {"domain": list(KINDS), "paddingOuter": 0.25}}}


def _apart(along: str) -> Spec:
    """The two kinds a little apart, where they stand at the same level."""
    shift: Spec = {"xOffset": {"expr": f"datum.kind === '{RAW}' ? 4 : -4"}}
    return shift if along == "y" else {}


def _marks(along: str) -> Spec:
    hollow: Spec = {
        "condition": {"test": "datum.is_small", "value": BACKGROUND.expr},
        **_by_kind(_SHADES),
    }
    return {
        "transform": [{"filter": "isValid(datum.value)"}],
        "mark": {"type": "point", "size": 75, "strokeWidth": 1.8, "opacity": 1} | _apart(along),
        "encoding": {
            "stroke": _by_kind(_SHADES),
            "fill": hollow,
            "shape": {
                "field": "kind",
                "type": "nominal",
                "scale": {"domain": list(KINDS), "range": [_SHAPES[kind] for kind in KINDS]},
                "legend": None,
            },
        }
        | _beside(along),
    }


def _rows() -> Spec:
    """A strip behind each name, to click on; the one that was clicked is shaded."""
    shaded: Spec = {"condition": {"param": PICKED, "empty": False, "value": 0.13}, "value": 0.0}
    return {
        "params": [
            {"name": PICKED, "select": {"type": "point", "fields": ["name"], "toggle": False}}
        ],
        "transform": [{"filter": f"datum.kind === '{ADJUSTED}'"}],
        "mark": {"type": "rect", "cursor": "pointer", "color": ACCENT.expr},
        "encoding": {
            "x": {"value": 0},
            "x2": {"value": {"expr": "width"}},
            "opacity": shaded,
        },
    }


def _zero() -> Spec:
    return {
        "mark": {"type": "rule", "strokeWidth": 1, "tooltip": None, "aria": False},
        "encoding": {"x": {"datum": 0}, "y": None, "color": {"value": MUTED.expr}},
    }


def _values() -> Spec:
    """The number to the right of its whisker; to its left where zero would run through it."""
    raw = f"datum.kind === '{RAW}'"
    side = {
        "align": {"expr": "datum.is_left ? 'right' : 'left'"},
        "dx": {"expr": "datum.is_left ? -7 : 7"},
    }
    return {
        "transform": [{"filter": "isValid(datum.value)"}],
        "mark": {"type": "text", **side, "tooltip": None, "aria": False},
        "encoding": {
            "x": {"field": "beside", "type": "quantitative"},
            "text": {"field": "written"},
            "color": {"condition": {"test": raw, "value": MUTED.expr}, "value": INK.expr},
        }
        | _beside("x"),
    }


def _halo(text: Spec) -> Spec:
    """The same text in the colour of the ground, broad, so that no line runs through it."""
    mark = {"stroke": BACKGROUND.expr, "strokeWidth": 5, "strokeJoin": "round"}
    return text | {"mark": text["mark"] | mark}


def _notes() -> Spec:
    """Why there is no estimate, in the estimate's place."""
    return {
        "transform": [{"filter": "!isValid(datum.value) && isValid(datum.note)"}],
        "mark": {"type": "text", "align": "left", "tooltip": None, "aria": False},
        "encoding": {
            "x": {"value": 6},
            "text": {"field": "note_text"},
            "color": {"value": MUTED.expr},
        }
        | _beside("x"),
    }


def _words(unit: EffectUnit, named: str) -> list[Spec]:
    """What is written: the kinds are named once, where `named` is."""
    kind = f"(datum.name === {json.dumps(named)} ? '{SPACE}' + datum.kind : '')"
    value = written(unit, "datum.value")
    if unit == "cents":
        small = "isValid(datum.value) && abs(datum.value) < 9995"
        value = f"({small} ? format(datum.value / 100, ',.1f') : {value})"
    sign = "(isValid(datum.value) && datum.value > 0 ? '+' : '')"
    plus = "" if unit == "points" else f"{sign} + "
    noted = f"(isValid(datum.note) && !({NARROW}) ? '{SPACE}{SPACE}' + datum.note : '')"
    return [
        {"calculate": f"{plus}{value}", "as": "value_text"},
        {"calculate": f"datum.value_text + {kind} + {noted}", "as": "written"},
        {
            "calculate": f"{NARROW} ? 'no estimate' : 'no estimate: ' + datum.note",
            "as": "note_text",
        },
        {
            "calculate": "isValid(datum.high) && datum.high < 0 && !isValid(datum.note)",
            "as": "is_left",
        },
        {
            "calculate": "datum.is_left ? datum.low"
            " : isValid(datum.high) ? datum.high : datum.value",
            "as": "beside",
        },
        {
            "calculate": f"isValid(datum.low) ? {exactly(unit, 'datum.low')} + ' to ' +"
            f" {exactly(unit, 'datum.high')} : '–'",
            "as": "interval_text",
        },
        {"calculate": f"{json.dumps(KINDS)}[datum.kind]", "as": "kind_text"},
    ]


def _tooltip(title: str) -> list[Spec]:
    return [
        {"field": "name", "title": title},
        {"field": "kind_text", "title": "Kind"},
        {"field": "value_text", "title": "Estimate"},
        {"field": "interval_text", "title": "95 % interval"},
        {"field": "cases", "title": "Cases treated", "type": "quantitative", "format": ","},
    ]
