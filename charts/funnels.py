"""Funnel plots: observed over expected by size; and ranks before and after the cases count."""

from __future__ import annotations

import polars as pl

from charts.axes import Spec, canvas, value_axis
from charts.owners import HEIGHT, selection
from charts.palette import BACKGROUND, BETTER, INK, MUTED, NOISE, WORSE


def funnel_frame(points: pl.DataFrame, limits: pl.DataFrame) -> pl.DataFrame:
    """Points and limits of a funnel in one frame, as the chart takes them."""
    return pl.concat([points, limits], how="diagonal")


def funnel_plot(*, alt: str, named: bool, locale: str | None = None) -> Spec:
    """Observed over expected against precision, between limits; `named` writes who lies outside.

    Frame: of points `owner`, `precision`, `ratio`, `zone`, `observed_text`, `expected_text`,
    `is_small`; of limits `precision`, `level`, `low`, `high`.
    """
    outside = "datum.zone === 'warning' || datum.zone === 'alarm'"
    tone: Spec = {
        "condition": [
            {"test": f"({outside}) && datum.ratio > 1", "value": BETTER.expr},
            {"test": f"({outside}) && datum.ratio < 1", "value": WORSE.expr},
        ],
        "value": NOISE.expr,
    }
    limits = [
        {
            "transform": [{"filter": "isValid(datum.level)"}],
            "mark": {
                "type": "line",
                "strokeWidth": 1,
                "tooltip": None,
                "aria": False,
                "color": MUTED.expr,
            },
            "encoding": {
                "y": {"field": end},
                "detail": {"field": "level"},
                "strokeDash": {
                    "condition": {"test": "datum.level > 0.99", "value": [4, 3]},
                    "value": [1, 0],
                },
            },
        }
        for end in ("low", "high")
    ]
    point: Spec = {
        "transform": [{"filter": "isValid(datum.owner) && isValid(datum.ratio)"}],
        "params": [selection(nearest=False)],
        "mark": {
            "type": "point",
            "size": 42,
            "strokeWidth": 1.4,
            "opacity": 1,
            "cursor": "pointer",
        },
        "encoding": {
            "y": {"field": "ratio"},
            "stroke": tone,
            "fill": {
                "condition": [
                    {"test": "datum.is_small", "value": BACKGROUND.expr},
                    *tone["condition"],
                ],
                "value": NOISE.expr,
            },
            "tooltip": [
                {"field": "owner", "title": "Name"},
                {"field": "ratio", "title": "Observed over expected", "format": ".2f"},
                {"field": "observed_text", "title": "Observed"},
                {"field": "expected_text", "title": "Expected"},
            ],
        },
    }
    one: Spec = {
        "mark": {"type": "rule", "tooltip": None, "aria": False},
        "encoding": {"y": {"datum": 1}, "x": None, "color": {"value": MUTED.expr}},
    }
    name: Spec = {
        "transform": [{"filter": f"isValid(datum.owner) && isValid(datum.ratio) && ({outside})"}],
        "mark": {"type": "text", "dy": -11, "tooltip": None, "aria": False},
        "encoding": {
            "y": {"field": "ratio"},
            "text": {"field": "owner"},
            "color": {"value": INK.expr},
        },
    }
    return canvas(
        [one, *limits, point, *([name] if named else [])],
        alt=alt,
        height=HEIGHT,
        locale=locale,
        encoding={
            "x": {
                "field": "precision",
                "type": "quantitative",
                "axis": value_axis("count", grid=False, title="Precision: expected² / variance"),
                "scale": {"zero": True, "nice": True},
            },
            "y": {
                "field": "ratio",
                "type": "quantitative",
                "title": None,
                "axis": {"title": None, "tickCount": 6, "format": ".1f"},
                "scale": {"zero": False, "nice": True},
            },
        },
    )


def slopes(*, alt: str, locale: str | None = None) -> Spec:
    """From an owner's rank by the raw rate to its rank on the same cases.

    Frame: a row for each end of each owner: `owner`, `side` (0 raw, 1 adjusted), `rank`, `moves`.
    """
    tone: Spec = {
        "condition": [
            {"test": "datum.moves > 0", "value": BETTER.expr},
            {"test": "datum.moves < 0", "value": WORSE.expr},
        ],
        "value": NOISE.expr,
    }
    labels = [
        {
            "transform": [{"filter": f"datum.side === {side}"}],
            "mark": {"type": "text", "align": align, "dx": shift, "tooltip": None, "aria": False},
            "encoding": {"text": {"field": "label"}, "color": {"value": INK.expr}},
        }
        for side, align, shift in ((0, "right", -10), (1, "left", 10))
    ]
    return canvas(
        [
            {
                "mark": {"type": "line", "strokeWidth": 1.8, "tooltip": None, "aria": False},
                "encoding": {"detail": {"field": "owner"}, "color": tone},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 40, "opacity": 1},
                "encoding": {
                    "color": tone,
                    "tooltip": [
                        {"field": "owner", "title": "Name"},
                        {"field": "side_label", "title": "Rank by"},
                        {"field": "rank", "title": "Rank"},
                    ],
                },
            },
            *labels,
        ],
        alt=alt,
        height=360,
        locale=locale,
        transform=[
            {"calculate": "datum.side === 0 ? 'Raw rate' : 'Same cases'", "as": "side_label"},
            {
                "calculate": "datum.rank + '. ' + datum.owner",
                "as": "label",
            },
        ],
        encoding={
            "x": {
                "field": "side_label",
                "type": "nominal",
                "scale": {"domain": ["Raw rate", "Same cases"], "type": "point", "padding": 0.6},
                "axis": {
                    "title": None,
                    "orient": "top",
                    "labelAngle": 0,
                    "labelFontSize": 13,
                    "labelColor": INK.expr,
                },
            },
            "y": {
                "field": "rank",
                "type": "quantitative",
                "scale": {"reverse": True, "zero": False, "nice": False, "padding": 10},
                "axis": None,
            },
        },
    )
