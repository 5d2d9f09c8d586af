"""How much of one thing each step of another allows: an efficient frontier."""

from __future__ import annotations

from charts.axes import Spec, Unit, canvas, value_axis, written
from charts.palette import ACCENT, BACKGROUND, INK, SERIES

HEIGHT = 300


def frontier(
    *, alt: str, across: str, unit: Unit = "cents", height: int = HEIGHT, locale: str | None = None
) -> Spec:
    """A line of the best that is possible, with the points that were chosen named on it.

    Frame: `x`, `value`, `name` (null: a point of the line), `low` and `high` of named points.
    `across`: what x counts, with its unit.
    """
    at: Spec = {
        "field": "x",
        "type": "quantitative",
        "scale": {"zero": False, "padding": 20},
        "axis": value_axis("rate", title=across),
    }
    y: Spec = {
        "field": "value",
        "type": "quantitative",
        "axis": value_axis(unit),
        "scale": {"zero": False, "nice": True},
        "title": None,
    }
    on_line = {"filter": "!isValid(datum.name)"}
    named = {"filter": "isValid(datum.name)"}
    tooltip = [
        {"field": "name", "title": "Strategy"},
        {"field": "x_text", "title": across},
        {"field": "value_text", "title": "Net benefit"},
    ]
    return canvas(
        [
            {
                "transform": [on_line],
                "mark": {"type": "line", "strokeWidth": 2, "tooltip": None, "aria": False},
                "encoding": {"color": {"value": SERIES.expr}},
            },
            {
                "transform": [on_line],
                "mark": {"type": "point", "filled": True, "size": 40, "opacity": 1},
                "encoding": {"color": {"value": SERIES.expr}, "tooltip": tooltip[1:]},
            },
            {
                "transform": [named, {"filter": "isValid(datum.low)"}],
                "mark": {"type": "rule", "strokeWidth": 1.5, "tooltip": None, "aria": False},
                "encoding": {
                    "y": y | {"field": "low"},
                    "y2": {"field": "high"},
                    "color": {"value": INK.expr},
                },
            },
            {
                "transform": [named],
                "mark": {"type": "point", "size": 110, "strokeWidth": 2, "opacity": 1},
                "encoding": {
                    "stroke": {"value": ACCENT.expr},
                    "fill": {"value": BACKGROUND.expr},
                    "tooltip": tooltip,
                },
            },
            {
                "transform": [named],
                "mark": {
                    "type": "text",
                    "align": "left",
                    "dx": 10,
                    "dy": -8,
                    "tooltip": None,
                    "aria": False,
                },
                "encoding": {"text": {"field": "name"}, "color": {"value": INK.expr}},
            },
        ],
        alt=alt,
        height=height,
        locale=locale,
        transform=[
            {"calculate": written("rate", "datum.x"), "as": "x_text"},
            {"calculate": written(unit, "datum.value"), "as": "value_text"},
        ],
        encoding={"x": at, "y": y},
    )
