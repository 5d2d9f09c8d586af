"""What every number of the Segments page means: the functions whose docstrings say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analytics import classes, resolution_model, segments

SEGMENTS = ("Segments",)

METRICS: tuple[tuple[str, tuple[str, ...], Callable[..., Any]], ...] = (
    ("Four grades of loans", SEGMENTS, classes.grade_class),
    ("Risk class", SEGMENTS, classes.risk_class),
    ("RFM class", SEGMENTS, classes.rfm_class),
    ("Willingness, recency, frequency, amount", SEGMENTS, classes.with_history),
    ("Size of a class", SEGMENTS, segments.class_sizes),
    ("Roll and cure of a class", SEGMENTS, segments.class_rolls),
    ("Migration between classes", SEGMENTS, segments.class_migration),
    ("Recovery and cost of a class", SEGMENTS, segments.class_recovery),
    ("Planned and actual treatment", SEGMENTS, segments.planned_and_actual),
    ("Model of resolution", SEGMENTS, resolution_model.fit_resolution_model),
    ("AUC and KS", SEGMENTS, resolution_model.discrimination),
    ("Calibration", SEGMENTS, resolution_model.calibration),
    ("Population stability index", SEGMENTS, resolution_model.stability),
)
