"""The numbers under the charts of complaints, with names that say their unit.

Tables show what is called rate, low or high as per cent; complaint rates are per 1,000.
"""

from __future__ import annotations

import polars as pl

_RATES = {
    "rate": "per_1000",
    "low": "low_per_1000",
    "high": "high_per_1000",
    "raw_low": "own_low_per_1000",
    "raw_high": "own_high_per_1000",
    "shrunk": "shrunk_per_1000",
    "centre": "centre_per_1000",
    "observed": "observed_per_1000",
    "adjusted": "adjusted_per_1000",
}
_NOT_SHOWN = ("effect", "se", "is_run")


def rates(frame: pl.DataFrame) -> pl.DataFrame:
    """Rates per 1,000, with their intervals."""
    shown = frame.drop(_NOT_SHOWN, strict=False)
    return shown.rename({old: new for old, new in _RATES.items() if old in shown.columns})


def series(frame: pl.DataFrame) -> pl.DataFrame:
    """Signals' series: their rate is for one attempt (or case), and is shown for 1,000."""
    return rates(frame.with_columns(pl.col("rate") * 1000))


def ends(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Intervals of what is no share: `mean_low` becomes `mean_from`."""
    new = {f"{name}_low": f"{name}_from" for name in names}
    new |= {f"{name}_high": f"{name}_to" for name in names}
    return frame.rename({old: name for old, name in new.items() if old in frame.columns})


def shares_within(frame: pl.DataFrame) -> pl.DataFrame:
    """`within_7` becomes `within_7_share`."""
    return frame.rename(
        {
            name: f"{name}_share"
            for name in frame.columns
            if name.startswith("within_") and name.removeprefix("within_").isdigit()
        }
    )
