"""Two codes crossed: of each row, what share is in each column."""

from __future__ import annotations

from collections.abc import Mapping

from charts.axes import NARROW, Spec, canvas, few_characters, lookup, names, written
from charts.palette import BACKGROUND, INK, MUTED, NOISE, SERIES

ROW = 34


def crossing(
    rows: Mapping[str, str],
    columns: Mapping[str, str],
    *,
    alt: str,
    row_title: str,
    column_title: str,
    counted: str = "Loans",
    locale: str | None = None,
) -> Spec:
    """Rows and columns by code with their words; every cell has its share, in per cent.

    Frame: `row`, `column`, `share`, `low`, `high` (may be null), `count` (named `counted` on
    hovering), `is_small`: a row of few is written in grey and not filled.
    """
    shade = {"test": "datum.is_small || !isValid(datum.share)", "value": 0}
    return canvas(
        [_fill(shade), _numbers()],
        alt=alt,
        height={"step": ROW},
        autosize="fit-x",
        locale=locale,
        transform=[
            lookup(dict(rows), "row"),
            lookup(dict(columns), "column"),
            {"calculate": few_characters("datum.share"), "as": "written"},
            {"calculate": written("share", "datum.share"), "as": "share_text"},
            {
                "calculate": "isValid(datum.low) ? format(datum.low * 100, '.1f') + '–' + "
                f"{written('share', 'datum.high')} : '–'",
                "as": "interval_text",
            },
        ],
        encoding={
            "y": {
                "field": "row",
                "type": "nominal",
                "scale": {"domain": list(rows), "paddingInner": 0.06},
                "axis": _axis(rows, row_title),
            },
            "x": {
                "field": "column",
                "type": "nominal",
                "scale": {"domain": list(columns), "paddingInner": 0.03},
                "axis": _axis(columns, column_title)
                | {
                    "orient": "top",
                    "titleAnchor": "start",
                    "labelAngle": {"expr": f"{NARROW} ? -60 : 0"},
                    "labelAlign": {"expr": f"{NARROW} ? 'left' : 'center'"},
                },
            },
            "tooltip": [
                {"field": "row_label", "title": row_title},
                {"field": "column_label", "title": column_title},
                {"field": "share_text", "title": "Share"},
                {"field": "interval_text", "title": "95 % interval"},
                {"field": "count", "title": counted, "type": "quantitative", "format": ","},
            ],
        },
    )


def _axis(labels: Mapping[str, str], title: str) -> Spec:
    return {
        "title": title,
        "grid": False,
        "labelExpr": names(dict(labels)),
        "labelColor": INK.expr,
        "labelLimit": 130,
        "labelOverlap": False,
        "titleFontWeight": "normal",
        "titleColor": MUTED.expr,
    }


def _fill(few: Spec) -> Spec:
    """The larger the share, the fuller the colour; its root, so that small ones show."""
    return {
        "mark": {"type": "rect", "cornerRadius": 1, "strokeWidth": 1},
        "encoding": {
            "color": {"value": SERIES.expr},
            "stroke": {
                "condition": {"test": few["test"], "value": NOISE.expr},
                "value": BACKGROUND.expr,
            },
            "opacity": {
                "condition": few | {"value": 0.12},
                "field": "share",
                "type": "quantitative",
                "scale": {"type": "sqrt", "domain": [0, 1], "range": [0.04, 0.62]},
                "legend": None,
            },
        },
    }


def _numbers() -> Spec:
    return {
        "mark": {
            "type": "text",
            "fontSize": {"expr": f"{NARROW} ? 10 : 12"},
            "tooltip": None,
            "aria": False,
        },
        "encoding": {
            "text": {"field": "written"},
            "color": {
                "condition": {"test": "datum.is_small", "value": MUTED.expr},
                "value": INK.expr,
            },
        },
    }
