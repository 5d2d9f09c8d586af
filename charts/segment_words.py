"""What classes of loans, treatments and the model's covariates are called."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from charts.channel_words import AMOUNTS
from charts.format import state

SCHEMES = {"grade": "Grade", "risk": "Risk", "rfm": "Payments (RFM)"}
CLASSES = {
    "grade": {
        "normal": "Normal (not late)",
        "light": "Light (to 30 days)",
        "medium": "Medium (31–90)",
        "heavy": "Heavy (over 90)",
    },
    "risk": {
        "current": "Not late",
        "low": "Low risk",
        "medium": "Medium risk",
        "high": "High risk",
        "unknown": "Not known",
    },
    "rfm": {
        "current": "Not late",
        "low": "Low risk",
        "medium": "Medium risk",
        "high": "High risk",
        "unknown": "No payments recorded",
    },
}
ENDS = {code: state(code) for code in ("paid_off", "charged_off", "sold")}
ACTUAL = {
    "none": "Nothing",
    "message": "Message",
    "talk": "Talk",
    "plan": "Plan",
    "agency": "Agency",
    "legal": "Legal",
}
NO_PLAN = "None recorded"
COVARIATES = {
    "bucket": "Days late",
    "product": "Product",
    "grade": "Grade",
    "amount_band": "Amount",
    "risk": "Risk class",
    "rfm": "RFM class",
    "season": "Season",
}


def planned(code: str | None) -> str:
    """A planned treatment as it is recorded, in words.

    >>> planned("legal_first"), planned(None)
    ('Legal first', 'None recorded')
    """
    return NO_PLAN if code is None else code.replace("_", " ").capitalize()


def with_names(frame: pl.DataFrame, scheme: str, *columns: str) -> pl.DataFrame:
    """A frame whose codes of classes are words."""
    labels = CLASSES[scheme] | ENDS
    return frame.with_columns(pl.col(name).replace(labels) for name in columns)


def level(covariate: str, code: str) -> str:
    """A level of a covariate of the model."""
    if covariate == "bucket":
        return state(code)
    if covariate == "amount_band":
        return AMOUNTS.get(code, code)
    if covariate in ("risk", "rfm"):
        return CLASSES[covariate].get(code, code)
    return code


def levels(frame: pl.DataFrame) -> pl.DataFrame:
    """The model's coefficients with names: `covariate` and `level` in words."""
    rows: Sequence[tuple[str, str]] = list(frame.select("covariate", "level").iter_rows())
    return frame.with_columns(
        covariate=pl.Series([COVARIATES.get(one, one) for one, _ in rows], dtype=pl.String),
        level=pl.Series([level(*row) for row in rows], dtype=pl.String),
    )
