"""Prices with their uncertainty, from cents to thousands: a dot and a whisker on a log scale."""

from __future__ import annotations

from collections.abc import Sequence

from charts import intervals
from charts.axes import Spec
from charts.palette import INK

_MONEY = "format({0} / 100, abs({0}) < 1000 ? ',.2f' : abs({0}) < 10000 ? ',.1f' : ',.0f')"


def prices(order: Sequence[str], *, alt: str, locale: str | None = None) -> Spec:
    """A dot with a whisker for each name, and its price: equal distances are equal ratios.

    Frame: as `intervals.dots`, in cents and above 0, with `is_thin` (broken whisker).
    """
    spec = intervals.dots(order, alt=alt, unit="cents", locale=locale)
    spec["layer"][0]["encoding"]["strokeDash"] = {
        "condition": {"test": "datum.is_thin", "value": [3, 3]},
        "value": [1, 0],
    }
    spec["transform"] += [
        {"calculate": _MONEY.format("datum.value"), "as": "value_text"},
        {
            "calculate": f"{_MONEY.format('datum.low')} + ' to ' + {_MONEY.format('datum.high')}",
            "as": "interval_text",
        },
    ]
    power = "pow(10, floor(log(datum.value) / LN10 + 1e-9))"
    is_round = f"indexof([1, 2, 5], round(datum.value / {power})) >= 0"
    is_decade = f"round(datum.value / {power}) === 1"
    axis = {
        "labelExpr": f"{is_round} ? format(datum.value / 100, ',~f') : ''",
        "gridOpacity": {"condition": {"test": is_decade, "value": 1}, "value": 0},
        "labelOverlap": "greedy",
    }
    spec["encoding"]["x"] |= {"scale": {"type": "log", "base": 10, "padding": 40, "nice": False}}
    spec["encoding"]["x"]["axis"] |= axis
    spec["layer"].append(
        {
            "mark": {"type": "text", "align": "left", "dx": 7, "tooltip": None, "aria": False},
            "encoding": {
                "x": {"field": "high", "type": "quantitative"},
                "text": {"field": "value_text"},
                "color": {"value": INK.expr},
            },
        }
    )
    return spec
