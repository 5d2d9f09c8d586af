"""What waits, by its age: overdue, due soon, or later."""

from __future__ import annotations

from collections.abc import Sequence

from charts.axes import Spec, canvas, names, names_down, value_axis
from charts.palette import CATEGORIES, INK, NOISE, WORSE, scale

ROW = 34
STATES = {"overdue": "Overdue", "due_soon": "Due within 7 days", "later": "Due later"}
_SHADES = {"overdue": WORSE, "due_soon": CATEGORIES[1], "later": NOISE}


def by_age(order: Sequence[str], *, alt: str, locale: str | None = None) -> Spec:
    """A bar for each band of age, in the order given, in parts by when it is due.

    Frame: `name` (the band), `state` (overdue, due_soon, later), `value`.
    """
    return canvas(
        [
            {
                "mark": {"type": "bar", "height": {"band": 0.62}},
                "encoding": {
                    "color": {
                        "field": "state",
                        "type": "nominal",
                        "scale": scale(dict(_SHADES)),
                        "legend": {
                            "orient": "top",
                            "direction": "horizontal",
                            "title": None,
                            "labelExpr": names(STATES),
                            "labelColor": INK.expr,
                            "labelFontSize": 12,
                            "symbolType": "square",
                            "symbolStrokeWidth": 0,
                            "padding": 0,
                            "offset": 8,
                        },
                    },
                    "order": {"field": "place", "type": "quantitative"},
                    "tooltip": [
                        {"field": "name", "title": "Age"},
                        {"field": "state_label", "title": "Due"},
                        {"field": "value", "title": "Complaints", "type": "quantitative",
                         "format": ","},
                    ],
                },
            }
        ],
        alt=alt,
        height={"step": ROW},
        autosize="fit-x",
        locale=locale,
        transform=[
            {"calculate": names(STATES, "datum.state"), "as": "state_label"},
            {"calculate": f"indexof({list(STATES)}, datum.state)", "as": "place"},
        ],
        encoding={
            "y": names_down(order),
            "x": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "stack": "zero",
                "axis": value_axis("count") | {"tickMinStep": 1, "format": "d"},
            },
        },
    )  # fmt: skip
