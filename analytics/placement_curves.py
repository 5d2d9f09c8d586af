"""What a placed balance pays by month since placement, and a sued one since filing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats

from analytics.intervals import Array

WINDOWS = 12  # months that are followed
STEPS: Mapping[str, range] = {
    "1": range(1), "2": range(1, 2), "3": range(2, 3), "4-6": range(3, 6), "7+": range(6, WINDOWS),
}  # fmt: skip
PRIOR_WINDOWS = 5.0  # like cases count as so many of the treated, where few have paid
FEWEST = 30  # windows under which a step has no estimate
LEAST_OVERLAP = 0.5
LEAST, MOST = 1e-4, 0.95  # shares of a balance paid in a month that have usable odds
AGENCY, SUIT = "agency", "suit"
SEGMENT = ["stage", "product", "grade", "since_opening"]
_SUMS = ("cases", "paying_cases", "exposed_amount", "cash_amount", "exposed_squares",
         "cash_squares", "cash_exposed")  # fmt: skip
SCHEMA = pl.Schema(
    {
        "kind": pl.String(),
        "step": pl.String(),
        "cases": pl.Int64(),
        "paying": pl.Int64(),
        **{name: pl.Float64() for name in (
            "rate", "low", "high", "like_rate", "like_low", "like_high", "theta", "se")},
        "reason": pl.String(),
    }
)  # fmt: skip


@dataclass(frozen=True)
class Curves:
    """Curves of agencies and suits, a row a kind and step; how many began; how long they last.

    `lasting` by kind: of those that began, the share still there at the start of each month.
    """

    steps: pl.DataFrame
    started: Mapping[str, int]
    lasting: Mapping[str, Array]


NOTHING = Curves(pl.DataFrame(schema=SCHEMA), {AGENCY: 0, SUIT: 0}, {})


def placement_curves(windows: pl.DataFrame, *, confidence: float = 0.95) -> Curves:
    """What does a placed (or sued) balance pay, month by month since it was placed (or sued)?

    rate(m) = cash in the m-th 30 days / balance there was, of cases open as these days began (by
    the part of the days until a transfer).  Beside it like cases in those same months: of the
    same stage, product and grade, as long after their opening, with in-house people (of a suit:
    not sued, with the same kind of owner), weighted as the treated are.  theta = logit rate - logit
    of the like cases' rate, the like cases counting as five of the treated; error by the delta
    method, a case's month being the unit (ratio estimator).  Months 4 to 6 and from 7 on are one
    step each.

    In: sums of windows by `stage`, `product`, `grade`, `owner`, `since_opening`, `since_filing`.
    Out: by `kind` (`agency`, `suit`) and `step`: `cases` (months of cases) and those `paying`,
    `rate` with `low` and `high`, `like_rate` likewise, `theta`, `se`, `reason`.
    Null: theta with fewer than 30 months of cases, or where like cases are missing for half of
    the balance.  No rows of a kind where the book has none.
    Misleads: who is sued or placed was chosen; only what is recorded is made alike.  That a
    balance that pays at so many times the odds is cured at so many times the odds is assumed;
    the simulation changes cures, not what is paid by those who stay late.
    Reference: ratio estimator, see roll rates; discrete hazards, Allison 1982.
    """
    if windows.is_empty():
        return NOTHING
    is_sued = pl.col("since_filing").is_not_null()
    is_agency = pl.col("owner") == "agency"
    parts = {
        AGENCY: (windows.filter(is_agency & ~is_sued), windows.filter(~is_agency & ~is_sued),
                 "since_opening", SEGMENT),
        SUIT: (windows.filter(is_sued), windows.filter(~is_sued), "since_filing",
               [*SEGMENT, "owner"]),
    }  # fmt: skip
    reach = float(stats.norm.ppf(0.5 + confidence / 2))
    rows, started, lasting = [], {}, {}
    for kind, (treated, like, clock, strata) in parts.items():
        started[kind] = int(treated.filter(pl.col(clock) == 0)["cases"].sum())
        if treated.is_empty():
            continue
        lasting[kind] = _lasting(treated, clock, with_transfers=kind == AGENCY)
        for step, months in STEPS.items():
            own = treated.filter(pl.col(clock).is_in(list(months)))
            rows.append({"kind": kind, "step": step} | _step(own, like, strata, reach))
    return Curves(pl.DataFrame(rows, schema=SCHEMA), started, lasting)


def _step(treated: pl.DataFrame, like: pl.DataFrame, strata: list[str], reach: float
          ) -> dict[str, object]:  # fmt: skip
    """One step of a curve beside its like cases."""
    cases = int(treated["cases"].sum())
    found: dict[str, object] = {"cases": cases, "paying": int(treated["paying_cases"].sum())}
    if cases < FEWEST or not treated["exposed_amount"].sum() > 0:
        return found | {"reason": "too_few"}
    both = _summed(treated, strata).join(
        _summed(like, strata), on=strata, how="inner", suffix="_like", nulls_equal=True
    )
    both = both.filter(pl.col("exposed_amount_like") > 0)
    covered = float(both["exposed_amount"].sum()) / float(treated["exposed_amount"].sum())
    if covered < LEAST_OVERLAP:
        rate, spread = _rate(treated)
        return found | _ends("", rate, spread, reach) | {"reason": "no_reference"}
    rate, spread = _rate(both)
    like_rate, like_spread = _like_rate(both)
    found |= _ends("", rate, spread, reach) | _ends("like_", like_rate, like_spread, reach)
    return found | _log_odds(both, like_rate, like_spread)


def _summed(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    return rows.group_by(keys).agg(pl.col(*_SUMS).sum())


def _rate(rows: pl.DataFrame) -> tuple[float, float]:
    """Cash over balance, and its error: sqrt(sum (c - r e)^2) / sum e."""
    exposed = float(rows["exposed_amount"].sum())
    rate = float(rows["cash_amount"].sum()) / exposed
    return rate, float(np.sqrt(_squares(rows, rate).sum())) / exposed


def _squares(rows: pl.DataFrame, rate: float, end: str = "") -> Array:
    cc, ce, ee = (rows[f"{name}{end}"].to_numpy()
                  for name in ("cash_squares", "cash_exposed", "exposed_squares"))  # fmt: skip
    return np.maximum(cc - 2 * rate * ce + rate**2 * ee, 0.0)


def _like_rate(both: pl.DataFrame) -> tuple[float, float]:
    """The like cases' rate, each stratum weighing as its treated do, and its error."""
    weight = both["exposed_amount"].to_numpy() / both["exposed_amount"].sum()
    exposed, cash = (both[f"{name}_like"].to_numpy() for name in ("exposed_amount", "cash_amount"))
    rate = float(weight @ (cash / exposed))
    error = weight**2 * _squares(both, rate, "_like") / exposed**2
    return rate, float(np.sqrt(error.sum()))


def _log_odds(both: pl.DataFrame, like_rate: float, like_spread: float) -> dict[str, object]:
    """theta and its error, the like cases standing for a few of the treated."""
    exposed, cases = float(both["exposed_amount"].sum()), float(both["cases"].sum())
    more = PRIOR_WINDOWS * exposed / cases
    rate = (float(both["cash_amount"].sum()) + more * like_rate) / (exposed + more)
    usual = _squares(both, like_rate, "_like").sum() / both["exposed_squares_like"].sum()
    spread2 = _squares(both, rate).sum() + usual * PRIOR_WINDOWS * (exposed / cases) ** 2
    p, q = (float(np.clip(value, LEAST, MOST)) for value in (rate, like_rate))
    variance = spread2 / (exposed + more) ** 2 / (p * (1 - p)) ** 2
    variance += like_spread**2 / (q * (1 - q)) ** 2
    theta = np.log(p / (1 - p)) - np.log(q / (1 - q))
    return {"theta": float(theta), "se": float(np.sqrt(variance))}


def _ends(prefix: str, rate: float, spread: float, reach: float) -> dict[str, object]:
    low = max(rate - reach * spread, min(rate, 0.0))
    names = (f"{prefix}rate", f"{prefix}low", f"{prefix}high")
    return dict(zip(names, (rate, low, rate + reach * spread), strict=True))


def _lasting(treated: pl.DataFrame, clock: str, *, with_transfers: bool) -> Array:
    """The share still there at the start of each month; a suit goes on through a transfer.

    A month that nobody was seen in loses what the one before it lost.
    """
    by = treated.group_by(clock).agg(pl.col("cases", "left_cases", "transferred_cases").sum())
    seen = {row[clock]: row for row in by.iter_rows(named=True)}
    share, lost = np.ones(WINDOWS), 0.0
    for month in range(WINDOWS - 1):
        if (row := seen.get(month)) is not None and row["cases"] > 0:
            gone = row["left_cases"] + (row["transferred_cases"] if with_transfers else 0)
            lost = gone / row["cases"]
        share[month + 1] = share[month] * (1 - lost)
    return share
