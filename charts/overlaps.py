"""Could the treated and the others be compared: their chances, and how alike they are."""

from __future__ import annotations

from collections.abc import Sequence

from charts.axes import NARROW, Spec, canvas, names_down, value_axis
from charts.format import SPACE
from charts.palette import BACKGROUND, INK, MUTED, NOISE, SERIES

POOR = 0.1  # a standardised difference beyond it is poor balance
_ROW = 22


def chances(treated: str, reference: str, *, alt: str, locale: str | None = None) -> Spec:
    """How likely the treatment was for those who had it (up) and for the others (down).

    Frame: `low`, `high` (the bin of the chance), `up` and `down` (shares of each group).
    """

    def bars(field: str, shade: dict[str, str], name: str) -> Spec:
        value = f"datum.{field}" if field == "up" else f"-datum.{field}"
        return {
            "transform": [{"calculate": value, "as": "height"}],
            "mark": {"type": "bar", "binSpacing": 1, "color": shade},
            "encoding": {
                "x": {
                    "field": "low",
                    "type": "quantitative",
                    "bin": {"binned": True, "step": 0.05},
                    "title": None,
                    "axis": value_axis("share") | {"title": "Fitted chance of being treated, %"},
                    "scale": {"domain": [0, 1]},
                },
                "x2": {"field": "high"},
                "y": {
                    "field": "height",
                    "type": "quantitative",
                    "title": None,
                    "axis": {
                        "labelExpr": "format(abs(datum.value) * 100, ',~f')",
                        "tickCount": 5,
                        "grid": True,
                        "title": f"{reference}, %{SPACE * 14}{treated}, %",
                        "titleFontWeight": "normal",
                    },
                },
                "tooltip": [
                    {"field": "low", "title": "Chance from", "type": "quantitative"}
                    | {"format": ".0%"},
                    {"field": field, "title": name, "type": "quantitative", "format": ".1%"},
                ],
            },
        }

    return canvas(
        [bars("up", SERIES.expr, treated), bars("down", NOISE.expr, reference)],
        alt=alt,
        height=260,
        locale=locale,
    )


def balance(order: Sequence[str], *, alt: str, locale: str | None = None) -> Spec:
    """How unlike the two groups are in each thing adjusted for, before and after weighting.

    Frame: `name`, `before`, `after` (sizes of the largest standardised difference), `level`.
    """
    thread: Spec = {
        "mark": {"type": "rule", "strokeWidth": 1.2, "tooltip": None, "aria": False},
        "encoding": {
            "x": {"field": "before", "type": "quantitative"},
            "x2": {"field": "after"},
            "color": {"value": MUTED.expr},
        },
    }
    limit: Spec = {
        "mark": {"type": "rule", "strokeDash": [4, 3], "tooltip": None, "aria": False},
        "encoding": {"x": {"datum": POOR}, "y": None, "color": {"value": MUTED.expr}},
    }

    def dot(field: str, fill: dict[str, str], stroke: dict[str, str]) -> Spec:
        return {
            "transform": [{"filter": f"isValid(datum.{field})"}],
            "mark": {"type": "point", "size": 60, "strokeWidth": 1.6, "opacity": 1},
            "encoding": {
                "x": {"field": field, "type": "quantitative"},
                "fill": {"value": fill},
                "stroke": {"value": stroke},
            },
        }

    names = names_down(order)
    names["axis"] = names["axis"] | {"labelFontSize": 12, "labelLimit": {"expr": _limit()}}
    return canvas(
        [
            limit,
            thread,
            dot("before", BACKGROUND.expr, NOISE.expr),
            dot("after", SERIES.expr, SERIES.expr),
        ],
        alt=alt,
        height={"step": _ROW},
        autosize="fit-x",
        locale=locale,
        encoding={
            "y": names,
            "x": {
                "title": None,
                "scale": {"zero": True, "nice": True},
                "axis": {
                    "tickCount": 5,
                    "format": ".2~f",
                    "title": "Standardised difference, size",
                    "titleFontWeight": "normal",
                    "labelColor": INK.expr,
                },
            },
            "tooltip": [
                {"field": "name", "title": "Adjusted for"},
                {"field": "level", "title": "Least alike in"},
                {"field": "before", "title": "Before", "type": "quantitative", "format": ".2f"},
                {"field": "after", "title": "After", "type": "quantitative", "format": ".2f"},
            ],
        },
    )


def _limit() -> str:
    return f"{NARROW} ? 110 : 160"
