"""From one figure to another in steps: what mix and what rates did."""

from __future__ import annotations

from collections.abc import Sequence

from charts.axes import ARROW, Spec, Unit, canvas, names_down, text_after, written
from charts.palette import INK, MUTED, tone

ROW = 30


def steps(
    order: Sequence[str],
    *,
    alt: str,
    unit: Unit = "share",
    step_unit: Unit = "points",
    rise_is_bad: bool = True,
    locale: str | None = None,
) -> Spec:
    """A start, steps up and down, an end, read from the top.

    Frame, in that order: `name`, `kind` (`start`, `step` or `end`), `value` (the level, or the
    size of the step).  Levels are dots, not bars: the scale need not begin at zero.  Steps are
    orange where they make it worse and blue where better, each with arrow and sign.
    """
    is_step = {"filter": "datum.kind === 'step'"}
    bars: Spec = {
        "transform": [is_step],
        "mark": {"type": "bar", "height": {"band": 0.6}},
        "encoding": {
            "x": {"field": "before", "type": "quantitative"},
            "x2": {"field": "after"},
            "color": tone("abs(datum.value) < 0.00005", rise_is_bad=rise_is_bad),
        },
    }
    levels: Spec = {
        "transform": [{"filter": "datum.kind !== 'step'"}],
        "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1, "color": INK.expr},
        "encoding": {"x": {"field": "after", "type": "quantitative"}},
    }
    return canvas(
        [_thread(), bars, levels, text_after("right", "step_text")],
        alt=alt,
        height={"step": ROW},
        autosize="fit-x",
        locale=locale,
        transform=_places(unit, step_unit),
        encoding={
            "y": names_down(order),
            "x": {
                "field": "after",
                "type": "quantitative",
                "axis": None,
                "scale": {"zero": False, "padding": 60, "nice": False},
            },
            "tooltip": [
                {"field": "name", "title": "Step"},
                {"field": "step_text", "title": "Value"},
            ],
        },
    )


def _places(unit: Unit, step_unit: Unit) -> list[Spec]:
    """Where each step begins and ends: layout, summed in the browser."""
    level, step = (
        written(unit, "datum.value", decimals=2),
        written(step_unit, "datum.value", decimals=2),
    )
    return [
        {"calculate": "datum.kind === 'end' ? 0 : datum.value", "as": "size"},
        {"window": [{"op": "sum", "field": "size", "as": "after"}], "frame": [None, 0]},
        {
            "calculate": "datum.kind === 'step' ? datum.after - datum.value : datum.after",
            "as": "before",
        },
        {"calculate": "max(datum.before, datum.after)", "as": "right"},
        {
            "calculate": f"datum.kind === 'step' ? {ARROW} + {step} : {level}",
            "as": "step_text",
        },
        {"window": [{"op": "lead", "field": "name", "as": "next_name"}]},
    ]


def _thread() -> Spec:
    """Thin lines that carry the level from one row to the next."""
    return {
        "transform": [{"filter": "isValid(datum.next_name)"}],
        "mark": {"type": "rule", "strokeWidth": 1, "tooltip": None, "aria": False},
        "encoding": {
            "x": {"field": "after", "type": "quantitative"},
            "y": {"field": "name", "type": "nominal", "bandPosition": 0.5},
            "y2": {"field": "next_name", "bandPosition": 0.5},
            "color": {"value": MUTED.expr},
        },
    }
