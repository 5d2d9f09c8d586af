"""Two values of each name, before and after a deduction, the second with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from charts.axes import Spec, canvas, names_down, value_axis, written
from charts.palette import BACKGROUND, INK, MUTED, NOISE, SERIES

ROW = 44


def before_and_after(
    order: Sequence[str],
    *,
    alt: str,
    before: str,
    after: str,
    reference: float | None = None,
    reference_ends: tuple[float, float] | None = None,
    reference_label: str = "",
    locale: str | None = None,
) -> Spec:
    """A small tick before, a dot with a whisker after; hollow where the cases are few.

    Frame: `name`, `before`, `after`, `low`, `high`, `is_small`, `cases`.  `reference` is a line
    to compare with, `reference_ends` the interval around it.
    """
    small = {"test": "datum.is_small"}
    colour: Spec = {"condition": small | {"value": NOISE.expr}, "value": SERIES.expr}
    quiet: Spec = {"tooltip": None, "aria": False}
    whisker: Spec = {
        "mark": {"type": "rule", "strokeWidth": 2, **quiet},
        "encoding": {"x": _x("low"), "x2": {"field": "high"}, "color": colour},
    }
    tick: Spec = {
        "mark": {"type": "tick", "thickness": 2.5, "size": 18, "color": MUTED.expr, **quiet},
        "encoding": {"x": _x("before")},
    }
    dot: Spec = {
        "mark": {"type": "point", "size": 110, "strokeWidth": 2, "opacity": 1},
        "encoding": {
            "x": _x("after"),
            "stroke": colour,
            "fill": {"condition": small | {"value": BACKGROUND.expr}, "value": SERIES.expr},
        },
    }
    text: Spec = {
        "mark": {"type": "text", "dy": -15, "fontWeight": 600, "fontSize": 13, **quiet},
        "encoding": {
            "x": _x("after"),
            "text": {"field": "after_text"},
            "color": {"value": INK.expr},
        },
    }
    line: list[Spec] = []
    if reference_ends is not None:
        low, high = ({"datum": end, "type": "quantitative"} for end in reference_ends)
        line.append(
            {
                "transform": [{"aggregate": [{"op": "count", "as": "rows"}]}],  # once, not by row
                "mark": {"type": "rect", "opacity": 0.12, "color": MUTED.expr, **quiet},
                "encoding": {"x": low, "x2": high, "y": None},
            }
        )
    if reference is not None:
        x: Spec = {"datum": reference, "type": "quantitative"}
        line += [
            {
                "mark": {"type": "rule", "strokeDash": [4, 3], **quiet},
                "encoding": {"x": x, "y": None, "color": {"value": MUTED.expr}},
            },
            {
                "transform": [{"aggregate": [{"op": "count", "as": "rows"}]}],
                "mark": {"type": "text", "baseline": "bottom", "dy": -4, "fontSize": 12, **quiet},
                "encoding": {
                    "x": x,
                    "y": {"value": 0},
                    "text": {"value": reference_label},
                    "color": {"value": MUTED.expr},
                },
            },
        ]
    ends = " + ' to ' + ".join(written("share", f"datum.{end}") for end in ("low", "high"))
    return canvas(
        [*line, whisker, tick, dot, text],
        alt=alt,
        height={"step": ROW},
        autosize="fit-x",
        locale=locale,
        transform=[
            {"calculate": written("share", "datum.before"), "as": "before_text"},
            {"calculate": written("share", "datum.after"), "as": "after_text"},
            {"calculate": ends, "as": "interval_text"},
        ],
        encoding={
            "y": names_down(order),
            "tooltip": [
                {"field": "name", "title": "Name"},
                {"field": "before_text", "title": before},
                {"field": "after_text", "title": after},
                {"field": "interval_text", "title": "95 % interval"},
                {"field": "cases", "title": "Cases", "type": "quantitative", "format": ","},
            ],
        },
    )


def _x(field: str) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "title": None,
        "axis": value_axis("share"),
        "scale": {"zero": True},
    }
