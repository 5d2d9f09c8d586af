"""How good forecasts of single cases are: calibration, and the drift of their mix."""

from __future__ import annotations

from charts.axes import MONTH_SHOWN, Spec, canvas, months, value_axis, written
from charts.palette import BACKGROUND, MUTED, NOISE, SERIES

# Lines that a stability index is usually read by; conventions, not tests.
LOOK, ACT = 0.1, 0.25
CHANCE = 3  # times the index that chance brings on average: seldom more by chance alone


def calibration(*, alt: str, height: int = 300, locale: str | None = None) -> Spec:
    """What happened by what was forecast, with intervals; on the line both are equal.

    Frame: `forecast_share`, `share`, `low`, `high`, `cases`, `is_off` (the interval leaves out
    the forecast; else hollow).
    """
    off = {"test": "datum.is_off"}
    line: Spec = {
        "data": {"values": [{"at": 0}, {"at": 1}]},
        "mark": {
            "type": "line",
            "color": MUTED.expr,
            "strokeDash": [4, 3],
            "strokeWidth": 1,
            "tooltip": None,
            "aria": False,
        },
        "encoding": {
            "x": {"field": "at", "type": "quantitative"},
            "y": {"field": "at", "type": "quantitative"},
            "tooltip": None,
        },
    }
    whisker: Spec = {
        "mark": {"type": "rule", "strokeWidth": 1.5, "color": SERIES.expr, "tooltip": None},
        "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
    }
    dot: Spec = {
        "mark": {"type": "point", "size": 70, "strokeWidth": 1.8, "opacity": 1},
        "encoding": {
            "stroke": {"value": SERIES.expr},
            "fill": {"condition": off | {"value": SERIES.expr}, "value": BACKGROUND.expr},
        },
    }
    return canvas(
        [line, whisker, dot],
        alt=alt,
        height=height,
        locale=locale,
        transform=[
            {"calculate": written("share", f"datum.{name}"), "as": f"{name}_text"}
            for name in ("forecast_share", "share")
        ]
        + [
            {
                "calculate": f"{written('share', 'datum.low')} + ' to ' + "
                f"{written('share', 'datum.high')}",
                "as": "interval_text",
            }
        ],
        encoding={
            "x": {
                "field": "forecast_share",
                "type": "quantitative",
                "scale": {"domain": [0, 1]},
                "axis": value_axis("share", title="Forecast"),
            },
            "y": {
                "field": "share",
                "type": "quantitative",
                "scale": {"domain": [0, 1]},
                "axis": value_axis("share", title="Resolved"),
            },
            "tooltip": [
                {"field": "forecast_share_text", "title": "Forecast"},
                {"field": "share_text", "title": "Resolved"},
                {"field": "interval_text", "title": "95 % interval"},
                {"field": "cases", "title": "Cases", "type": "quantitative", "format": ","},
            ],
        },
    )


def stability(*, alt: str, height: int = 300, locale: str | None = None) -> Spec:
    """The stability index by month, the most that chance alone makes of it, and the usual lines.

    Frame: `month`, `psi`, `by_chance`, `cases`, `is_later`: hollow in the months of the fit.
    """
    at = {"data": {"values": [{"at": value, "text": f"{value:g}"} for value in (LOOK, ACT)]}}
    silent = {"tooltip": None, "aria": False}
    rule: Spec = at | {
        "mark": {"type": "rule", "strokeDash": [4, 3], "color": MUTED.expr, **silent},
        "encoding": {
            "x": None,
            "y": {"field": "at", "type": "quantitative"},
            "tooltip": None,
        },
    }
    said: Spec = at | {
        "mark": {"type": "text", "align": "left", "dy": -7, "dx": 2, **silent},
        "encoding": {
            "x": {"value": 0},
            "y": {"field": "at", "type": "quantitative"},
            "text": {"field": "text"},
            "color": {"value": MUTED.expr},
            "tooltip": None,
        },
    }
    chance: Spec = {
        "mark": {"type": "line", "color": NOISE.expr, "strokeWidth": 1.5, "tooltip": None},
        "encoding": {"y": {"field": "most", "type": "quantitative"}},
    }
    later = {"test": "datum.is_later"}
    dots: Spec = {
        "mark": {"type": "point", "size": 70, "strokeWidth": 1.8, "opacity": 1},
        "encoding": {
            "y": {"field": "psi", "type": "quantitative"},
            "stroke": {"value": SERIES.expr},
            "fill": {"condition": later | {"value": SERIES.expr}, "value": BACKGROUND.expr},
        },
    }
    return canvas(
        [rule, said, chance, dots],
        alt=alt,
        height=height,
        locale=locale,
        transform=[
            {"calculate": "format(datum.psi, '.3f')", "as": "psi_text"},
            {"calculate": f"{CHANCE} * datum.by_chance", "as": "most"},
            {"calculate": "format(datum.most, '.3f')", "as": "chance_text"},
        ],
        encoding={
            "x": months(),
            "y": {
                "type": "quantitative",
                "title": None,
                "axis": value_axis("rate"),
                "scale": {"zero": True},
            },
            "tooltip": [
                MONTH_SHOWN,
                {"field": "psi_text", "title": "Stability index"},
                {"field": "chance_text", "title": "At most by chance"},
                {"field": "cases", "title": "Cases", "type": "quantitative", "format": ","},
            ],
        },
    )
