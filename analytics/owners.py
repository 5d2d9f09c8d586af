"""Owners on the cases now chosen: effects, what they mean in points, strengths by segment."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from analytics.intervals import divide
from analytics.shrinkage import paule_mandel

Array = npt.NDArray[np.float64]
MINIMUM_CASES = 30
POOLED_CASES = 10.0  # an owner's own variation of cash counts as its cases, everybody's as ten
REACH = float(stats.norm.ppf(0.975))
HELD_BACK = ("no_net_cash",)


def choice_effects(
    sums: pl.DataFrame,
    whole: pl.DataFrame,
    effects: pl.DataFrame,
    *,
    owner: str,
    is_money: bool = False,
    minimum: int = MINIMUM_CASES,
) -> pl.DataFrame:
    """How good is each owner on the cases now chosen, against what anybody would have reached?

    The case-mix model gives each owner an effect a_j on all its cases.  On a part of them:
    a_j + (O - E) / V for the resolved share, a_j + log(O / E) for cash, E and V being those at
    the owner's own effect.  Error: that of the part (cash: from each case's distance to its
    expectation, mixed with everybody's as ten cases), and what the model does not know of the
    kinds of case that this owner has (se_j^2 - 1/V over all its cases, at least 0).

    In: `sums` by owner over the choice and `whole` over all cases (`cases`, `observed`,
    `expected`, `variance`; money in cents, variance in currency squared), `effects` (owner,
    `effect`, `se`, `reason`).  Out: `sums` with `effect`, `se`, `reason`, `is_small`.
    Null: effect and error where there is nobody, or nothing, to compare (`reason`).
    Misleads: it adjusts for what is recorded only; owners who share no kind of case with the
    others are compared by the model's assumption.
    Reference: one Newton step from the model's estimate; McCullagh and Nelder 1989, chapter 4.

    >>> part = pl.DataFrame({"who": ["A"], "cases": [40], "observed": [14.0], "expected": [10.0],
    ...                      "variance": [8.0]})
    >>> model = pl.DataFrame({"who": ["A"], "effect": [0.1], "se": [0.2], "reason": [None]})
    >>> found = choice_effects(part, part, model, owner="who")
    >>> found.select(pl.col("effect", "se").round(3)).row(0)
    (0.6, 0.354)
    """
    names = ("cases", "observed", "expected", "variance")
    table = sums.join(
        effects.select(owner, "effect", "se", pl.col("reason").cast(pl.String)),
        on=owner,
        how="left",
        maintain_order="left",
    ).join(
        whole.select(owner, **{f"whole_{name}": pl.col(name) for name in names}),
        on=owner,
        how="left",
        maintain_order="left",
    )
    columns = (*names, "effect", "se", *(f"whole_{name}" for name in names))
    n, o, e, v, a, s, *rest = _floats(table, columns)
    held = table["reason"].is_in(HELD_BACK).fill_null(value=False).to_numpy()
    moved, error = (_cash_moves if is_money else _share_moves)(n, o, e, v)
    _, whole_error = (_cash_moves if is_money else _share_moves)(*rest)
    unknown_to_the_model = np.maximum(np.nan_to_num(s**2 - whole_error), 0.0)
    effect = np.where(held, a, a + moved)
    se = np.where(held, s, np.sqrt(error + unknown_to_the_model))
    known = np.isfinite(effect) & np.isfinite(se) & (se > 0)
    estimates = pl.DataFrame(
        {"effect": np.where(known, effect, np.nan), "se": np.where(known, se, np.nan)},
        nan_to_null=True,
    )
    reason = pl.when(pl.Series(known)).then(pl.col("reason"))
    return (
        table.select(*sums.columns, "reason")
        .hstack(estimates)
        .with_columns(
            reason=reason.otherwise(pl.col("reason").fill_null("nothing_to_compare")),
            is_small=pl.col("cases") < minimum,
        )
    )


def _share_moves(n: Array, o: Array, e: Array, v: Array) -> tuple[Array, Array]:
    """(O - E) / V and its squared error."""
    return divide(o - e, v), divide(1.0, v)


def _cash_moves(n: Array, o: Array, e: Array, v: Array) -> tuple[Array, Array]:
    """log(O / E) and its squared error; without net cash, half a case's expected cash came in."""
    least = divide(0.5 * e, np.maximum(n, 1))
    known = (e > 0) & (v > 0)
    none = o <= least
    moved = np.log(divide(np.where(none, least, o), e), out=np.full(n.shape, np.nan), where=known)
    own = divide(v * n, (e / 100) ** 2)  # relative variance of one case
    usable = known & np.isfinite(own)
    pooled = float((own[usable] * n[usable]).sum() / n[usable].sum()) if usable.any() else np.nan
    mixed = (n * own + POOLED_CASES * pooled) / (n + POOLED_CASES)
    error = np.where(none, np.maximum(divide(mixed, n), 2.0), divide(mixed, n))
    return moved, np.where(known, error, np.nan)


def above_average(owners: pl.DataFrame, curve: pl.DataFrame | None) -> pl.DataFrame:
    """How much more does an owner reach than the average one would on the same cases?

    For the resolved share in points: an owner's shrunk effect is read off the curve of what share
    of all the book's cases an owner with that effect would resolve, less the average owner's
    share.  For cash (no curve) as a share of what the average owner would have collected:
    exp(effect - average) - 1.  The average owner: mean of the shrunk effects by information.
    Interval: of the difference, so an owner who makes up most of the average is held close to it.

    In: `shrunk`, `low`, `high` (95 %), `se` by owner; `curve`: `effect`, `share`.  Out: the frame
    with `advantage`, `advantage_low`, `advantage_high`.  Null: where there is no effect.
    Misleads: points of different books do not compare: the same effect is worth more points
    where about half of the cases are resolved.
    """
    centre = average_effect(owners)
    shrunk, low, high, se = _floats(owners, ("shrunk", "low", "high", "se"))
    own = np.square((high - low) / (2 * REACH))
    share = np.nan_to_num(np.where(np.isfinite(shrunk), se, np.nan) ** -2.0)
    share = divide(share, max(share.sum(), 1e-300))
    apart = (1 - 2 * share) * own + np.nansum(share**2 * own)
    reach = REACH * np.sqrt(np.maximum(apart, 0))
    ends = {
        "advantage": shrunk,
        "advantage_low": shrunk - reach,
        "advantage_high": shrunk + reach,
    }
    return owners.with_columns(
        **{name: in_points(pl.Series(values), centre, curve) for name, values in ends.items()}
    )


def average_effect(owners: pl.DataFrame) -> float:
    """The average owner's effect: mean of the shrunk effects by information (0 without any)."""
    known = owners.filter(pl.col("shrunk").is_not_null())
    if known.is_empty():
        return 0.0
    weight, shrunk = known["se"].to_numpy() ** -2.0, known["shrunk"].to_numpy()
    return float((weight * shrunk).sum() / weight.sum())


def in_points(effects: pl.Series, centre: float, curve: pl.DataFrame | None) -> pl.Series:
    """Effects as points of resolved share above the centre; without a curve, as shares of cash."""
    values = _numbers(effects)
    if curve is None or curve.is_empty():
        return pl.Series(np.expm1(np.clip(values - centre, -5, 5)), nan_to_null=True)
    curve = curve.sort("effect")
    at, share = (curve[name].to_numpy() for name in ("effect", "share"))
    found = np.interp(values, at, share) - np.interp(centre, at, share)
    return pl.Series(np.where(np.isfinite(values), found, np.nan), nan_to_null=True)


def segment_strengths(
    sums: pl.DataFrame, *, owner: str, level: str, is_money: bool = False, confidence: float = 0.95
) -> pl.DataFrame:
    """Where is an owner better or worse than itself elsewhere?

    An owner's effect on the cases of one level (a stage, a product) less its effect on all the
    chosen ones, shrunk: d = (O - E)/V of the level less that of all, with variance
    1/V - 1/(sum of V); kept is tau^2 / (tau^2 + variance), tau^2 (Paule-Mandel) being how much
    all owners differ between levels beyond chance.  Cash: log(O/E) for (O - E)/V.
    In: `cases`, `observed`, `expected`, `variance` by owner and level, at each owner's own effect.
    Out: by owner and level `cases`, `interaction`, `se`, `shrunk`, `low`, `high`, `is_small`.
    Null: all estimates where an owner has no case elsewhere, or nothing can be compared.
    Misleads: a strength of few cases is mostly chance, and shrunk to near nothing for it.
    Reference: Paule and Mandel 1982; Morris 1983.
    """
    columns = ("cases", "observed", "expected", "variance")
    table = sums.group_by(owner, level, maintain_order=True).agg(pl.col(columns).sum())
    whole = table.group_by(owner, maintain_order=True).agg(pl.col(columns).sum())
    both = table.join(whole, on=owner, suffix="_all", how="left", maintain_order="left")
    move = _cash_moves if is_money else _share_moves
    here, error = move(*_floats(both, columns))
    everywhere, error_all = move(*_floats(both, [f"{name}_all" for name in columns]))
    difference, variance = here - everywhere, error - error_all
    known = np.isfinite(difference) & (variance > 1e-9 * error)
    variance = np.where(known, variance, np.nan)
    spread = paule_mandel(difference[known], variance[known]) if known.sum() >= 2 else 0.0
    keep = divide(spread, spread + variance)
    reach = stats.norm.ppf(0.5 + confidence / 2) * np.sqrt(keep * variance)
    shrunk = keep * difference
    values = {
        "interaction": difference,
        "se": np.sqrt(variance),
        "shrunk": shrunk,
        "low": shrunk - reach,
        "high": shrunk + reach,
    }
    frame = pl.DataFrame(
        {name: np.where(known, value, np.nan) for name, value in values.items()}, nan_to_null=True
    )
    return (
        table.select(owner, level, "cases")
        .hstack(frame)
        .with_columns(is_small=pl.col("cases") < MINIMUM_CASES)
    )


def _floats(table: pl.DataFrame, names: tuple[str, ...] | list[str]) -> list[Array]:
    return [_numbers(table[name]) for name in names]


def _numbers(values: pl.Series) -> Array:
    """As floats, what is missing as nan (which is how numpy gets a missing number)."""
    return values.to_numpy().astype(float)


def rank_moves(owners: pl.DataFrame, *, owner: str) -> tuple[pl.DataFrame, float | None]:
    """How far does each owner move once its cases are taken into account?

    Ranks by the raw rate and by the adjusted, shrunk effect, 1 is the highest; `moves` = raw rank
    less adjusted rank (above 0: the raw rate puts it too low).  And the rank correlation of the
    two (Spearman): 1 the same order, 0 unrelated.
    In: `raw`, `shrunk`.  Out: those with both, by `moves`, largest first.
    Null: the correlation with fewer than three owners, or where one of the two is the same for
    all.  Misleads: ranks are uncertain; neighbours swap by chance.
    """
    known = owners.filter(pl.col("raw").is_not_null(), pl.col("shrunk").is_not_null())
    ranked = known.with_columns(
        raw_rank=pl.col("raw").rank("min", descending=True).cast(pl.Int64),
        adjusted_rank=pl.col("shrunk").rank("min", descending=True).cast(pl.Int64),
    ).with_columns(moves=pl.col("raw_rank") - pl.col("adjusted_rank"))
    ordered = ranked.sort(pl.col("moves").abs(), owner, descending=[True, False])
    enough = ranked.height > 2 and min(ranked["raw"].n_unique(), ranked["shrunk"].n_unique()) > 1
    if not enough:
        return ordered, None
    return ordered, float(stats.spearmanr(ranked["raw"], ranked["shrunk"]).statistic)
