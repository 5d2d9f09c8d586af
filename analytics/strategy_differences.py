"""Where does a strategy differ from the baseline, in as few rows as say it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from analytics.strategies import Strategy
from analytics.strategy_fields import OPERATIONS, STAGES, TREATMENTS

SAME = 1e-9
SCHEMA = pl.Schema(
    {
        "stage": pl.String(),
        "field": pl.String(),
        "unit": pl.String(),
        "kind": pl.String(),
        "who": pl.List(pl.String()),
        "segments": pl.Int64(),
        "of": pl.Int64(),
        "before": pl.Float64(),
        "after": pl.Float64(),
        "words": pl.String(),
    }
)


def differences(
    strategy: Strategy,
    baseline: Strategy,
    keys: pl.DataFrame,
    *,
    weights: Mapping[tuple[str, str], float] | None = None,
    risk: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """What would be done differently, for whom?

    In: `keys` (segment, product, grade), `weights` cases by segment and stage (all alike where
    null), `risk` classes of segments.  Out: a row a field and a group of segments that change
    alike: `stage` (null: of the whole), `field`, `kind` (`all`, `risk`, `product`, `grade`, `some`)
    with the names in `who`, its `unit`, `segments` changed of so many, mean `before` and `after`,
    `words` for what is no number.
    Null: `before` where the baseline does not record it, `after` where the strategy leaves it out
    of what the baseline had.
    """
    base = baseline.treatments.rename({name: f"{name}_0" for name in TREATMENTS})
    both = strategy.treatments.join(base, on=["segment", "stage"], how="inner",
                                    maintain_order="left")  # fmt: skip
    both = both.join(keys, on="segment", how="left", maintain_order="left").with_columns(
        risk=pl.col("segment").replace_strict(
            dict(risk or {}), default=None, return_dtype=pl.String
        ),
        weight=pl.Series([
            (weights or {}).get((segment, stage), 0.0) if weights else 1.0
            for segment, stage in both.select("segment", "stage").iter_rows()
        ], dtype=pl.Float64),
    )  # fmt: skip
    rows: list[dict[str, object]] = []
    for stage in STAGES:
        here = both.filter(pl.col("stage") == stage)
        for name in TREATMENTS:
            rows += _of_field(here, stage, name)
    for name in (*OPERATIONS, "priority"):
        before, after = getattr(baseline.operations, name), getattr(strategy.operations, name)
        if name == "priority":
            if before != after:
                rows.append({"field": name, "kind": "all", "words": str(after)})
        elif abs(after - before) > SAME:
            values = {"before": before, "after": after, "unit": OPERATIONS[name].unit}
            rows.append({"field": name, "kind": "all", **values})
    return pl.DataFrame([dict.fromkeys(SCHEMA, None) | row for row in rows], schema=SCHEMA)


def _of_field(here: pl.DataFrame, stage: str, name: str) -> list[dict[str, object]]:
    after = here[name].to_numpy()
    before = here[f"{name}_0"].to_numpy()
    gone = np.isnan(after) & ~np.isnan(before)
    moved = (np.abs(np.nan_to_num(after) - np.nan_to_num(before)) > SAME) & ~gone
    moved |= np.isnan(before) & ~np.isnan(after) & (np.nan_to_num(after) != 0)
    if not moved.any():
        return []
    idle = (after == 0) & (before == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        times = after[moved] / before[moved]
    if not np.isfinite(times).all() or np.ptp(times) > 1e-6:
        idle &= False  # only what changes in proportion leaves nothing at nothing
    changed, alike = here.filter(pl.Series(moved)), here.filter(pl.Series(moved | idle))
    found = []
    for kind, who, part in _groups(here, changed, alike):
        found.append(
            {
                "stage": stage,
                "field": name,
                "unit": TREATMENTS[name].unit,
                "kind": kind,
                "who": who,
                "segments": part.height,
                "of": here.height,
                "before": _mean(part, f"{name}_0"),
                "after": _mean(part, name),
            }
        )
    return found


def _groups(
    here: pl.DataFrame, changed: pl.DataFrame, alike: pl.DataFrame
) -> list[tuple[str, list[str], pl.DataFrame]]:
    """Everybody, or whole risk classes, products or grades, or so many segments.

    `alike`: those that changed, and those that had nothing of it and still have nothing.
    """
    if alike.height == here.height:
        return [("all", [], alike)]
    segments, moved = set(alike["segment"]), set(changed["segment"])
    for kind in ("risk", "product", "grade"):
        if kind not in here.columns or here[kind].null_count():
            continue
        parts = {
            value: set(here.filter(pl.col(kind) == value)["segment"])
            for value in here[kind].unique(maintain_order=True)
        }
        whole = [value for value, own in parts.items() if own <= segments and own & moved]
        if whole and moved <= set().union(*(parts[value] for value in whole)):
            return [(kind, [value], alike.filter(pl.col(kind) == value)) for value in whole]
    return [("some", changed["segment"].to_list(), changed)]


def _mean(part: pl.DataFrame, name: str) -> float | None:
    known = part.filter(pl.col(name).is_not_null())
    if known.is_empty():
        return None
    weights = known["weight"].to_numpy()
    values = known[name].to_numpy()
    return float(np.average(values, weights=weights) if weights.sum() > 0 else values.mean())


def grouped_value(rows: pl.DataFrame, name: str, weights: Sequence[float]) -> float | None:
    """The mean of a field over rows, weighted by cases; null where nothing is recorded."""
    return _mean(rows.with_columns(weight=pl.Series(weights, dtype=pl.Float64)), name)
