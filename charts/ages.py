"""Lines by time since a start: how placements pay down, how cases come to an end."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from charts.axes import NARROW, Spec, canvas, exactly, lookup, value_axis
from charts.format import month as month_name
from charts.palette import INK, NOISE, Shade, scale


def by_age(
    frame: pl.DataFrame,
    shades: Mapping[str, Shade],
    *,
    alt: str,
    title: str,
    labels: Mapping[str, str] | None = None,
    with_band: bool = False,
    height: int = 320,
    locale: str | None = None,
) -> Spec:
    """Series by days since a start, named at their ends; single months thin and grey behind them.

    Frame: `day`, `series`, `value`, `batch` (text; null for the named series); with a band also
    `low` and `high`.  Rows with a `batch` are drawn grey, a line for each.
    """
    labels = dict(labels or {}) or {name: name for name in shades}
    colour: Spec = {
        "field": "series",
        "type": "nominal",
        "scale": scale(dict(shades)),
        "legend": None,
    }
    return canvas(
        [
            _faint(),
            *([_band(colour)] if with_band else []),
            _line(colour),
            *_ends(colour),
            _hover(),
        ],
        alt=alt,
        height=height,
        locale=locale,
        transform=[
            lookup(labels, "series"),
            {"calculate": exactly("share", "datum.value"), "as": "value_text"},
            {"calculate": "isValid(datum.batch) ? datum.batch : datum.series_label", "as": "what"},
        ],
        encoding={
            "x": {
                "field": "day",
                "type": "quantitative",
                "title": title,
                "axis": {"grid": False, "tickCount": 7, "format": "~f"},
                "scale": {"nice": False, "zero": True},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "axis": value_axis("share"),
                "scale": {"zero": True, "nice": True},
            },
        },
    )


def with_names(points: pl.DataFrame) -> pl.DataFrame:
    """Curves by placement month as this chart takes them: a month's name is its batch."""
    months = points["placed_month"].unique().drop_nulls()
    names = {month: month_name(month) for month in months}
    return points.with_columns(
        batch=pl.col("placed_month").replace_strict(names, default=None, return_dtype=pl.String)
    ).drop("placed_month")


_BOLD: list[Spec] = [{"filter": "!isValid(datum.batch)"}]
_LAST: list[Spec] = [
    *_BOLD,
    {"joinaggregate": [{"op": "max", "field": "day", "as": "last"}], "groupby": ["series"]},
    {"filter": "datum.day === datum.last"},
]


def _faint() -> Spec:
    return {
        "transform": [{"filter": "isValid(datum.batch)"}],
        "mark": {
            "type": "line",
            "strokeWidth": 1,
            "opacity": 0.45,
            "color": NOISE.expr,
            "tooltip": None,
            "aria": False,
        },
        "encoding": {"detail": {"field": "batch", "type": "nominal"}},
    }


def _line(colour: Spec) -> Spec:
    return {
        "transform": _BOLD,
        "mark": {"type": "line", "strokeWidth": 2.5, "tooltip": None, "aria": False},
        "encoding": {"color": colour},
    }


def _band(colour: Spec) -> Spec:
    return {
        "transform": _BOLD,
        "mark": {"type": "area", "opacity": 0.14, "tooltip": None, "aria": False},
        "encoding": {"y": {"field": "low"}, "y2": {"field": "high"}, "color": colour},
    }


def _ends(colour: Spec) -> list[Spec]:
    quiet: Spec = {"tooltip": None, "aria": False}
    point: Spec = {"type": "point", "filled": True, "size": 44, "opacity": 1} | quiet
    text: Spec = {
        "type": "text",
        "align": "left",
        "baseline": "middle",
        "dx": 8,
        "clip": False,
        "fontSize": {"expr": f"{NARROW} ? 11 : 12"},
    } | quiet
    return [
        {"transform": _LAST, "mark": point, "encoding": {"color": colour}},
        {
            "transform": _LAST,
            "mark": text,
            "encoding": {"text": {"field": "series_label"}, "color": {"value": INK.expr}},
        },
    ]


def _hover() -> Spec:
    return {
        "mark": {"type": "point", "size": 120, "opacity": 0},
        "encoding": {
            "tooltip": [
                {"field": "what", "title": "Series"},
                {"field": "day", "title": "Days since", "type": "quantitative"},
                {"field": "value_text", "title": "Share"},
            ]
        },
    }
