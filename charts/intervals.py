"""Estimates with their uncertainty: a dot and a whisker for each name."""

from __future__ import annotations

from collections.abc import Sequence

from charts.axes import IN_TWO_LINES, Spec, Unit, canvas, names_down, value_axis, written
from charts.palette import BACKGROUND, MUTED, NOISE, SERIES

ROW = 28


def dots(
    order: Sequence[str],
    *,
    alt: str,
    unit: Unit = "share",
    reference: float | None = None,
    from_zero: bool = True,
    counted: str = "Loans",
    row: int = ROW,
    locale: str | None = None,
) -> Spec:
    """A dot with a whisker for each name, in the order given; hollow where the loans are few.

    Frame: `name`, `value`, `low`, `high`, `is_small`, `loans` (named `counted` on
    hovering).  `reference` is a line to compare with, the whole book say.
    """
    names = names_down(order)
    small = {"test": "datum.is_small"}
    colour: Spec = {"condition": small | {"value": NOISE.expr}, "value": SERIES.expr}
    whisker: Spec = {
        "mark": {"type": "rule", "strokeWidth": 1.5, "tooltip": None, "aria": False},
        "encoding": {
            "x": {"field": "low", "type": "quantitative"},
            "x2": {"field": "high"},
            "color": colour,
        },
    }
    dot: Spec = {
        "mark": {"type": "point", "size": 80, "strokeWidth": 1.8, "opacity": 1},
        "encoding": {
            "stroke": colour,
            "fill": {"condition": small | {"value": BACKGROUND.expr}, "value": SERIES.expr},
        },
    }
    line: list[Spec] = []
    if reference is not None:
        line = [
            {
                "mark": {"type": "rule", "strokeDash": [4, 3], "tooltip": None, "aria": False},
                "encoding": {"x": {"datum": reference}, "y": None, "color": {"value": MUTED.expr}},
            }
        ]
    return canvas(
        [*line, whisker, dot],
        alt=alt,
        height={"step": row},
        autosize="fit-x",
        locale=locale,
        transform=[
            {"calculate": written(unit, "datum.value"), "as": "value_text"},
            {
                "calculate": " + ' to ' + ".join(
                    written(unit, f"datum.{e}") for e in ("low", "high")
                ),
                "as": "interval_text",
            },
        ],
        encoding={
            "y": names | {"axis": names["axis"] | IN_TWO_LINES},
            "x": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "axis": value_axis(unit),
                "scale": {"zero": from_zero},
            },
            "tooltip": [
                {"field": "name", "title": "Name"},
                {"field": "value_text", "title": "Estimate"},
                {"field": "interval_text", "title": "95 % interval"},
                {"field": "loans", "title": counted, "type": "quantitative", "format": ","},
            ],
        },
    )
