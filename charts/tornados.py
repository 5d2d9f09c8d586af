"""What an answer hangs on: a bar from one end of each input to the other."""

from __future__ import annotations

from collections.abc import Sequence

from charts.axes import Spec, Unit, canvas, names_down, value_axis, written
from charts.palette import BACKGROUND, INK, MUTED, NOISE, SERIES

ROW = 30


def tornado(
    order: Sequence[str], *, alt: str, unit: Unit = "cents", locale: str | None = None
) -> Spec:
    """A bar for each name, in the order given, from `low` to `high`; a line at `middle` and at 0.

    Frame: `name`, `low`, `high` (the answer at the input's low and high value), `middle`,
    `is_known` (evidence, not assumption; else hollow), `note`, what is written on hovering.
    """
    x = {"type": "quantitative", "axis": value_axis(unit), "scale": {"zero": False, "nice": True}}
    bar: Spec = {
        "mark": {"type": "bar", "height": {"band": 0.55}, "strokeWidth": 1.5},
        "encoding": {
            "x": {"field": "low", **x},
            "x2": {"field": "high"},
            "fill": {
                "condition": {"test": "datum.is_known", "value": SERIES.expr},
                "value": BACKGROUND.expr,
            },
            "stroke": {
                "condition": {"test": "datum.is_known", "value": SERIES.expr},
                "value": NOISE.expr,
            },
        },
    }
    line: Spec = {
        "mark": {"type": "rule", "strokeWidth": 1.5, "tooltip": None, "aria": False},
        "encoding": {
            "x": {"field": "middle", "type": "quantitative"},
            "y": None,
            "color": {"value": INK.expr},
        },
    }
    zero: Spec = {
        "mark": {"type": "rule", "strokeDash": [3, 3], "tooltip": None, "aria": False},
        "encoding": {"x": {"datum": 0}, "y": None, "color": {"value": MUTED.expr}},
    }
    return canvas(
        [zero, bar, line],
        alt=alt,
        height={"step": ROW},
        autosize="fit-x",
        locale=locale,
        transform=[
            {"calculate": written(unit, "datum.low"), "as": "low_text"},
            {"calculate": written(unit, "datum.high"), "as": "high_text"},
        ],
        encoding={
            "y": names_down(order),
            "tooltip": [
                {"field": "name", "title": "Input"},
                {"field": "low_text", "title": "At its low end"},
                {"field": "high_text", "title": "At its high end"},
                {"field": "note", "title": "Evidence"},
            ],
        },
    )
