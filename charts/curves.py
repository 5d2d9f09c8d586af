"""Lines through time, labelled where they end; bands of uncertainty; sparklines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import polars as pl

from charts.axes import (
    MONTH_SHOWN,
    NARROW,
    Spec,
    Unit,
    canvas,
    exactly,
    lookup,
    months,
    value_axis,
)
from charts.palette import (
    ACCENT,
    BACKGROUND,
    BETTER,
    CATEGORIES,
    INK,
    MUTED,
    NOISE,
    SERIES,
    WORSE,
    Shade,
    scale,
)

LABEL = 15  # pixels between the labels of two lines

# How a bucket's loans fare over a month, in words and colours.
WAYS = {
    "forward": "Got worse",
    "stay": "Stayed",
    "backward": "Improved",
    "cure_payment": "Cured by payment",
    "cure_restructure": "Cured by restructure",
    "exit": "Paid off or sold",
}
WAY_SHADES = {
    "forward": WORSE,
    "stay": NOISE,
    "backward": CATEGORIES[1],
    "cure_payment": BETTER,
    "cure_restructure": CATEGORIES[2],
    "exit": CATEGORIES[6],
}


def lines(
    frame: pl.DataFrame,
    shades: Mapping[str, Shade],
    *,
    alt: str,
    unit: Unit = "share",
    labels: Mapping[str, str] | None = None,
    with_band: bool = False,
    from_zero: bool = True,
    dashed: Sequence[str] = (),
    height: int = 300,
    locale: str | None = None,
) -> Spec:
    """Series through time in the order and the colours of `shades`, named at their ends.

    Frame: `month`, `series`, `value`; with a band also `low` and `high`.  A month without a
    value breaks the line; one between two of those is a point.
    """
    labels = dict(labels or {}) or {name: name for name in shades}
    colour: Spec = {
        "field": "series",
        "type": "nominal",
        "scale": scale(dict(shades)),
        "legend": None,
    }
    band: list[Spec] = [_band(colour), _lone_band(colour)] if with_band else []
    shifts = _apart(frame, shades, height, from_zero, with_band=with_band)
    return canvas(
        [
            *band,
            _line(colour, dashes=_dashes(shades, dashed)),
            _lone_points(colour),
            *_ends(shifts, colour),
            _hover(),
        ],
        alt=alt,
        height=height,
        locale=locale,
        transform=[
            lookup(labels, "series"),
            {"calculate": exactly(unit, "datum.value"), "as": "value_text"},
        ],
        encoding={"x": months(), "y": _values(unit, from_zero)},
    )


def usual_range(
    *,
    alt: str,
    unit: Unit = "share",
    rise_is_bad: bool = True,
    from_zero: bool = False,
    height: int = 220,
    locale: str | None = None,
) -> Spec:
    """One series against its usual range; the last month says whether it is beyond it.

    Frame: `month`, `value`, `usual_low`, `usual_high`, and `is_beyond_noise` in the last month.
    The last point is orange (worse) or blue (better) beyond the range, hollow grey within.
    """
    up, down = (WORSE, BETTER) if rise_is_bad else (BETTER, WORSE)
    news = "datum.is_beyond_noise"
    tone = [
        {"test": f"{news} && datum.value > datum.usual_high", "value": up.expr},
        {"test": f"{news} && datum.value < datum.usual_low", "value": down.expr},
    ]
    shade: Spec = {
        "mark": {
            "type": "area",
            "opacity": 0.22,
            "color": NOISE.expr,
            "tooltip": None,
            "aria": False,
        },
        "encoding": {"y": {"field": "usual_low"}, "y2": {"field": "usual_high"}},
    }
    return canvas(
        [shade, _line({"value": SERIES.expr}), *_last(tone, news), _hover()],
        alt=alt,
        height=height,
        locale=locale,
        transform=[
            {"calculate": exactly(unit, "datum.value"), "as": "value_text"},
            {"calculate": "'Value'", "as": "series_label"},
        ],
        encoding={"x": months(), "y": _values(unit, from_zero)},
    )


def sparkline(*, alt: str, height: int = 36) -> Spec:
    """The course of a figure without axes: frame `month`, `value`; the last point is marked."""
    spec = canvas(
        [
            _line({"value": MUTED.expr}, width=1.5),
            {
                "transform": _only_last(),
                "mark": {
                    "type": "point",
                    "filled": True,
                    "size": 30,
                    "opacity": 1,
                    "color": ACCENT.expr,
                },
            },
        ],
        alt=alt,
        height=height,
        encoding={
            "x": {"field": "month", "type": "temporal", "axis": None},
            "y": {
                "field": "value",
                "type": "quantitative",
                "axis": None,
                "scale": {"zero": False},
            },
        },
    )
    return spec | {"padding": {"left": 2, "right": 4, "top": 4, "bottom": 4}}


def _values(unit: Unit, from_zero: bool) -> Spec:
    return {
        "field": "value",
        "type": "quantitative",
        "axis": value_axis(unit),
        "scale": {"zero": from_zero, "nice": True},
        "title": None,
    }


def _line(colour: Spec, *, width: float = 2, dashes: Spec | None = None) -> Spec:
    return {
        "mark": {
            "type": "line",
            "strokeWidth": width,
            "interpolate": "linear",
            "tooltip": None,
            "aria": False,
        },
        "encoding": {"color": colour, **({"strokeDash": dashes} if dashes else {})},
    }


def _dashes(shades: Mapping[str, Shade], dashed: Sequence[str]) -> Spec | None:
    if not dashed:
        return None
    strokes = [[5, 4] if name in dashed else [1, 0] for name in shades]
    domain = {"domain": list(shades), "range": strokes}
    return {"field": "series", "type": "nominal", "scale": domain, "legend": None}


def _band(colour: Spec) -> Spec:
    return {
        "mark": {"type": "area", "opacity": 0.12, "tooltip": None, "aria": False},
        "encoding": {"y": {"field": "low"}, "y2": {"field": "high"}, "color": colour},
    }


def _lone_band(colour: Spec) -> Spec:
    """The interval of a month whose neighbours have none: an area of one month has no width."""
    return {
        "transform": _alone("low"),
        "mark": {"type": "rule", "strokeWidth": 4, "opacity": 0.3, "tooltip": None, "aria": False},
        "encoding": {"y": {"field": "low"}, "y2": {"field": "high"}, "color": colour},
    }


def _lone_points(colour: Spec) -> Spec:
    """A month whose neighbours have no value: a line of one month has no length."""
    return {
        "transform": _alone("value"),
        "mark": {
            "type": "point",
            "filled": True,
            "size": 30,
            "opacity": 1,
            "tooltip": None,
            "aria": False,
        },
        "encoding": {"color": colour},
    }


def _alone(field: str) -> list[Spec]:
    """Only the months whose neighbours in the series lack what they have."""
    beside = [{"op": op, "field": field, "as": f"{op}_{field}"} for op in ("lag", "lead")]
    lacking = " && ".join(f"!isValid(datum.{op}_{field})" for op in ("lag", "lead"))
    return [
        {"window": beside, "groupby": ["series"], "sort": [{"field": "month"}]},
        {"filter": f"isValid(datum.{field}) && {lacking}"},
    ]


def _only_last() -> list[Spec]:
    return [
        {"filter": "isValid(datum.value)"},
        {"joinaggregate": [{"op": "max", "field": "month", "as": "last"}], "groupby": ["series"]},
        {"filter": "datum.month === datum.last || time(datum.month) === time(datum.last)"},
    ]


def _ends(shifts: Mapping[str, float], colour: Spec) -> list[Spec]:
    """A dot and the name of each line at its end, moved so that no two names overlap."""
    shift = f"({json.dumps(dict(shifts))}[datum.series] || 0)"
    text: Spec = {
        "transform": _only_last(),
        "mark": {
            "type": "text",
            "align": "left",
            "baseline": "middle",
            "dx": 8,
            "dy": {"expr": shift},
            "fontSize": {"expr": f"{NARROW} ? 11 : 12"},
            "clip": False,
            "tooltip": None,
            "aria": False,
        },
        "encoding": {"text": {"field": "series_label"}, "color": {"value": INK.expr}},
    }
    point: Spec = {
        "transform": _only_last(),
        "mark": {
            "type": "point",
            "filled": True,
            "size": 44,
            "opacity": 1,
            "tooltip": None,
            "aria": False,
        },
        "encoding": {"color": colour},
    }
    return [point, text]


def _last(tone: list[Spec], news: str) -> list[Spec]:
    point: Spec = {
        "transform": _only_last(),
        "mark": {"type": "point", "size": 70, "strokeWidth": 2, "tooltip": None, "aria": False},
        "encoding": {
            "stroke": {"condition": tone, "value": NOISE.expr},
            "fill": {"condition": tone, "value": BACKGROUND.expr},
        },
    }
    text: Spec = {
        "transform": _only_last(),
        "mark": {
            "type": "text",
            "align": "right",
            "dy": -14,
            "fontWeight": 600,
            "tooltip": None,
            "aria": False,
        },
        "encoding": {"text": {"field": "value_text"}, "color": {"value": INK.expr}},
    }
    return [point, text]


def _hover() -> Spec:
    """Invisible marks that carry the tooltip, so that a finger or a mouse finds them."""
    return {
        "mark": {"type": "point", "size": 160, "opacity": 0},
        "encoding": {
            "tooltip": [
                {"field": "series_label", "title": "Series"},
                MONTH_SHOWN,
                {"field": "value_text", "title": "Value"},
            ]
        },
    }


def _apart(
    frame: pl.DataFrame,
    names: Mapping[str, Shade],
    height: int,
    from_zero: bool,
    *,
    with_band: bool = False,
) -> dict[str, float]:
    """How far each label moves from the end of its line so that labels keep their distance."""
    known = frame.filter(pl.col("value").is_not_null())
    if known.is_empty():
        return {}
    last = known.sort("month").group_by("series", maintain_order=True).last()
    ends = {s: float(v) for s, v in last.select("series", "value").iter_rows() if s in names}
    drawn = ("value", "low", "high") if with_band else ("value",)  # the axis holds the band too
    seen = [value for name in drawn for value in (frame[name].min(), frame[name].max())]
    values = [float(value) for value in seen if value is not None]  # type: ignore[arg-type]
    low, high = min(values), max(values)
    low = min(low, 0.0) if from_zero else low
    pixels = (height - 40) / ((high - low) or 1.0)
    wanted = sorted((-(value - low) * pixels, name) for name, value in ends.items())
    places = _spread([place for place, _ in wanted])
    return {
        name: round(new - old, 1)
        for (old, name), new in zip(wanted, places, strict=True)
        if abs(new - old) > 0.5
    }


def _spread(places: Sequence[float]) -> list[float]:
    """Move sorted places as little as possible so that neighbours are LABEL pixels apart."""
    groups: list[tuple[float, int]] = []  # the middle of a group, and how many are in it
    for place in places:
        middle, count = place, 1
        while groups:
            above, many = groups[-1]
            if middle - above >= LABEL * (count + many) / 2:
                break
            groups.pop()
            middle = (middle * count + above * many) / (count + many)
            count += many
        groups.append((middle, count))
    return [
        middle + LABEL * (index - (count - 1) / 2)
        for middle, count in groups
        for index in range(count)
    ]
