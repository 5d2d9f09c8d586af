"""How long until something is done: the share done by day; all lines end at the same height, so a
legend names them."""

from __future__ import annotations

from collections.abc import Mapping

from charts.axes import Spec, canvas, exactly, lookup, names, value_axis
from charts.palette import INK, Shade, scale

_QUIET: Spec = {"tooltip": None, "aria": False}


def done_by_day(
    shades: Mapping[str, Shade],
    labels: Mapping[str, str],
    *,
    alt: str,
    title: str,
    height: int = 280,
    locale: str | None = None,
) -> Spec:
    """Shares done by days since a start, with bands.

    Frame: `day`, `series`, `value`, `low`, `high`, `at_risk`.
    """
    colour: Spec = {
        "field": "series",
        "type": "nominal",
        "scale": scale(dict(shades)),
        "legend": {
            "orient": "top",
            "direction": "horizontal",
            "title": None,
            "labelExpr": names(labels),
            "labelColor": INK.expr,
            "labelFontSize": 12,
            "symbolType": "stroke",
            "symbolStrokeWidth": 3,
            "symbolOpacity": 1,
            "padding": 0,
            "offset": 8,
        },
    }
    band: Spec = {
        "mark": {"type": "area", "opacity": 0.16, "interpolate": "step-after"} | _QUIET,
        "encoding": {"y": {"field": "low"}, "y2": {"field": "high"}, "color": colour},
    }
    line: Spec = {
        "mark": {"type": "line", "strokeWidth": 2, "interpolate": "step-after"} | _QUIET,
        "encoding": {"color": colour},
    }
    hover: Spec = {
        "mark": {"type": "point", "size": 120, "opacity": 0},
        "encoding": {
            "tooltip": [
                {"field": "series_label", "title": "Step"},
                {"field": "day", "title": title, "type": "quantitative"},
                {"field": "value_text", "title": "Share"},
                {"field": "at_risk", "title": "Waiting then", "type": "quantitative",
                 "format": ","},
            ]
        },
    }  # fmt: skip
    return canvas(
        [band, line, hover],
        alt=alt,
        height=height,
        locale=locale,
        transform=[
            lookup(labels, "series"),
            {"calculate": exactly("share", "datum.value"), "as": "value_text"},
        ],
        encoding={
            "x": {
                "field": "day",
                "type": "quantitative",
                "title": title,
                "axis": {"grid": False, "tickCount": 7, "format": "~f"},
                "scale": {"nice": False, "zero": True},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "axis": value_axis("share"),
                "scale": {"domain": [0, 1]},
            },
        },
    )
