"""Will a spell of lateness end well within 90 days?  A model by what was known at its opening."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import expit
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.proportion import proportion_confint

COVARIATES = ("bucket", "product", "grade", "amount_band", "risk", "rfm", "season")
FEWEST_CASES = 200  # to fit anything on
FEWEST_OF_A_LEVEL = 30  # cases; a level with fewer is judged with the reference
NOT_RECORDED = "not recorded"
GROUPS = 10
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ResolutionModel:
    """A fitted model.  `levels`: covariate, level, cases, resolved, coefficient (log odds against
    the reference level, which has 0; null: too few to tell, judged as the reference), se."""

    intercept: float
    levels: pl.DataFrame
    cases: int
    resolved: int
    deviance: float
    null_deviance: float


class NoModel(ValueError):
    """Why these cases carry no model, as a sentence."""


def with_season(cells: pl.DataFrame) -> pl.DataFrame:
    """Cells with the quarter of the year in which their cases were opened."""
    quarter = pl.col("opened_month").dt.quarter().cast(pl.String)
    return cells.with_columns(season=pl.lit("Q") + quarter)


def fit_resolution_model(
    cells: pl.DataFrame, covariates: Sequence[str] = COVARIATES
) -> ResolutionModel:
    """What are the odds that an episode is cured, paid off or settled within 90 days?

    logit P(resolved) = intercept + the coefficients of its levels, fitted on counts by cell: with
    categories only, that is the fit on single cases, exactly.

    In: `cells` with the covariates, `mature` cases and `resolved` ones of them.
    Refuses fewer than 200 cases, or outcomes that are all alike (`NoModel`).  A level with fewer
    than 30 cases, or whose outcomes are all alike, is judged as the reference level (the one with
    the most cases): its coefficient is null.
    Misleads: it says who resolves, not whom treatment helps; what was not recorded is not in it.
    Reference: McCullagh and Nelder, Generalized Linear Models (1989), chapter 4.
    """
    named = _named(cells, covariates).filter(pl.col("mature") > 0)
    cases, resolved = int(named["mature"].sum()), int(named["resolved"].sum())
    if cases < FEWEST_CASES:
        raise NoModel(f"A model needs at least {FEWEST_CASES} cases to learn from; here: {cases}.")
    if resolved in (0, cases):
        raise NoModel("All cases to learn from ended alike: there is nothing to tell them apart.")
    levels = _levels(named, covariates)
    used = levels.filter(pl.col("is_used"))
    patterns = named.group_by(covariates).agg(pl.col("mature", "resolved").sum())
    columns = [
        (patterns[covariate] == level).to_numpy().astype(float)
        for covariate, level in used.select("covariate", "level").iter_rows()
    ]
    design = np.column_stack([np.ones(patterns.height), *columns])
    good = patterns["resolved"].to_numpy().astype(float)
    bad = patterns["mature"].to_numpy() - good
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = GLM(np.column_stack([good, bad]), design, family=Binomial()).fit()
    if not fit.converged:
        raise NoModel("The model did not settle: some levels tell the outcome alone.")
    found = used.select("covariate", "level").with_columns(
        coefficient=pl.Series(fit.params[1:]), se=pl.Series(fit.bse[1:])
    )
    zero = pl.when(pl.col("is_reference")).then(0.0)
    named_levels = levels.join(found, on=["covariate", "level"], how="left").with_columns(
        pl.coalesce("coefficient", zero).alias("coefficient")
    )
    return ResolutionModel(
        intercept=float(fit.params[0]),
        levels=named_levels.select("covariate", "level", "cases", "resolved", "coefficient", "se"),
        cases=cases,
        resolved=resolved,
        deviance=float(fit.deviance),
        null_deviance=float(fit.null_deviance),
    )


def _named(cells: pl.DataFrame, covariates: Sequence[str]) -> pl.DataFrame:
    return cells.with_columns(pl.col(name).fill_null(NOT_RECORDED) for name in covariates)


def _levels(named: pl.DataFrame, covariates: Sequence[str]) -> pl.DataFrame:
    """Every level with its cases, whether it is its covariate's reference, and whether it is used
    as a column of its own."""
    parts = []
    for covariate in covariates:
        level = (
            named.group_by(pl.col(covariate).alias("level"))
            .agg(pl.col("mature").sum().alias("cases"), pl.col("resolved").sum())
            .sort(["cases", "level"], descending=[True, False])
            .with_columns(covariate=pl.lit(covariate), is_reference=pl.int_range(pl.len()) == 0)
        )
        parts.append(level)
    tells = pl.col("resolved").is_between(1, pl.col("cases") - 1)
    enough = pl.col("cases") >= FEWEST_OF_A_LEVEL
    return pl.concat(parts).with_columns(is_used=~pl.col("is_reference") & tells & enough)


def forecasts(
    model: ResolutionModel, cells: pl.DataFrame, *, without: Collection[str] = ()
) -> pl.Series:
    """Each cell's probability of resolution; a level never seen counts as the reference.

    `without`: covariates of which every cell counts as the reference.
    """
    covariates = model.levels["covariate"].unique(maintain_order=True).to_list()
    named = _named(cells, covariates)
    score = np.full(cells.height, model.intercept)
    for covariate in [one for one in covariates if one not in without]:
        known = model.levels.filter(covariate=covariate).drop_nulls("coefficient")
        terms = dict(known.select("level", "coefficient").iter_rows())
        column = named[covariate].replace_strict(terms, default=0.0, return_dtype=pl.Float64)
        score = score + column.to_numpy()
    return pl.Series("forecast", expit(score))


@dataclass(frozen=True)
class Discrimination:
    """How well a score tells the resolved from the others: 0.5 and 0 are chance, 1 perfect."""

    auc: float
    auc_low: float
    auc_high: float
    ks: float
    resolved: int
    others: int


def discrimination(scores: pl.DataFrame) -> Discrimination | None:
    """Does the score rank those who resolve above those who do not?

    AUC = P(a resolved case has a higher score than one that is not) + half of ties; its interval
    is DeLong's, at 95 %.  KS = the largest gap between the two cumulative shares.

    In: `bin` (score in hundredths), `mature`, `resolved`.  Scores of one bin are ties.  None
    where one side is empty.
    Misleads: a score can rank well and be badly calibrated; AUC of a mixed book is easy.
    Reference: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988).
    """
    bins = scores.group_by("bin").agg(pl.col("mature", "resolved").sum()).sort("bin")
    good = bins["resolved"].to_numpy().astype(float)
    bad = bins["mature"].to_numpy() - good
    if good.sum() == 0 or bad.sum() == 0:
        return None
    below_bad = (np.cumsum(bad) - bad / 2) / bad.sum()  # of others with a lower score
    above_good = 1 - (np.cumsum(good) - good / 2) / good.sum()
    auc = float((good * below_bad).sum() / good.sum())
    se = float(np.sqrt(_spread(good, below_bad, auc) + _spread(bad, above_good, auc)))
    gaps = np.cumsum(good) / good.sum() - np.cumsum(bad) / bad.sum()
    return Discrimination(
        auc=auc,
        auc_low=max(0.0, auc - 1.96 * se),
        auc_high=min(1.0, auc + 1.96 * se),
        ks=float(np.abs(gaps).max()),
        resolved=int(good.sum()),
        others=int(bad.sum()),
    )


def _spread(count: Array, place: Array, auc: float) -> float:
    total = count.sum()
    return float((count * (place - auc) ** 2).sum() / max(total - 1, 1) / total)


def calibration(scores: pl.DataFrame, groups: int = GROUPS) -> pl.DataFrame:
    """Of cases forecast to resolve at 70 %, do 70 % resolve?

    Tenths of the cases in order of their forecast (a bin of scores is not split): mean forecast,
    observed share with its 95 % Wilson interval.

    In: `bin`, `mature`, `resolved`, `expected` (sum of forecasts of the mature).
    Out: group (1 lowest), cases, resolved, forecast_share, share, low, high.
    Misleads: months differ by more than chance, so in a large book groups lie off the forecast by
    little and yet beyond their intervals: look at how far.
    """
    bins = scores.group_by("bin").agg(pl.col("mature", "resolved", "expected").sum()).sort("bin")
    bins = bins.filter(pl.col("mature") > 0)
    middle = pl.col("mature").cum_sum() - pl.col("mature") / 2
    place = (middle / pl.col("mature").sum() * groups).floor().clip(0, groups - 1)
    found = (
        bins.with_columns(place=place)
        .group_by("place")
        .agg(pl.col("mature", "resolved", "expected").sum())
        .sort("place")
    )
    low, high = proportion_confint(
        found["resolved"].to_numpy(), found["mature"].to_numpy(), method="wilson"
    )
    return found.select(
        group=pl.int_range(1, pl.len() + 1),
        cases="mature",
        resolved="resolved",
        forecast_share=pl.col("expected") / pl.col("mature"),
        share=pl.col("resolved") / pl.col("mature"),
    ).with_columns(low=pl.Series(low, dtype=pl.Float64), high=pl.Series(high, dtype=pl.Float64))


def stability(fitted: pl.DataFrame, later: pl.DataFrame, groups: int = GROUPS) -> pl.DataFrame:
    """Are the cases still those that the model was fitted on?  The population stability index.

    PSI = sum over groups of (share - fitted share) x ln(share / fitted share); groups are tenths
    of the fitting period's scores, taken without the season: its coming round is no drift.  An
    empty group counts as half a case.

    In: both `bin`, `cases`; `later` also `opened_month`.  Out: opened_month, cases, psi, and
    `by_chance`: what samples of these sizes differ by where nothing changed, (groups - 1) x
    (1 / cases + 1 / fitted cases).
    Misleads: it sees the mix of scores, not whether they are still right; 0.1 and 0.25 are
    conventions, not tests.
    Reference: Yurdakul, Statistical properties of the population stability index (2018).
    """
    base = fitted.group_by("bin").agg(pl.col("cases").sum()).sort("bin")
    base = base.filter(pl.col("cases") > 0)
    if base.is_empty():
        return pl.DataFrame(schema=_STABILITY)
    ends = base["cases"].cum_sum() / base["cases"].sum()
    edges = [
        int(base["bin"][int((ends >= share - 1e-12).arg_max() or 0)])
        for share in np.arange(1, groups) / groups
    ]
    edges = sorted(set(edges) - {int(base["bin"][-1])})
    expected = _grouped(base, edges)
    rows = []
    for (month,), part in sorted(later.partition_by("opened_month", as_dict=True).items()):
        actual = _grouped(part, edges)
        if actual.sum() > 0:
            by_chance = (len(edges)) * (1 / actual.sum() + 1 / expected.sum())
            rows.append((month, int(actual.sum()), _index(expected, actual), by_chance))
    return pl.DataFrame(rows, schema=_STABILITY, orient="row")


_STABILITY = {
    "opened_month": pl.Date,
    "cases": pl.Int64,
    "psi": pl.Float64,
    "by_chance": pl.Float64,
}


def _grouped(rows: pl.DataFrame, edges: Sequence[int]) -> Array:
    """Cases by group; `edges`: the last bin of each group but the last."""
    place = np.searchsorted(np.asarray(edges), rows["bin"].to_numpy())
    return np.bincount(place, rows["cases"].to_numpy(), len(edges) + 1).astype(float)


def _index(expected: Array, actual: Array) -> float:
    base, now = (np.maximum(counts, 0.5) / counts.sum() for counts in (expected, actual))
    return float(((now - base) * np.log(now / base)).sum())
