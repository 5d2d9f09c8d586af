"""Estimates of several channels in several stages, drawn together as far as they are alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from analytics.intervals import Array

AMONG = np.linspace(0.02, 0.8, 14)  # spread of channels around the mean of all, log-odds
WITHIN = np.array([0.01, 0.05, 0.1, 0.2, 0.35])  # of a channel's stages around its own mean
USUAL_AMONG, USUAL_WITHIN = 0.3, 0.1  # scales of the half-normal priors on them
MEAN_SPREAD = 0.5  # of the prior on the mean of all
KIND_SPREAD = 0.3  # of the means of the two kinds around it
BY_PERSON = ("call", "visit", "mediation")  # the others are sent, or speak, by themselves


def pooled(effect: Array, error: Array, group: Sequence[str]) -> tuple[Array, Array]:
    """What is each effect likely to be, seeing all of them?

    theta = m + k (its kind's: by a person, or sent) + a (its channel's) + b (its own); m normal
    (0, 0.5), k normal (0, 0.3), a and b normal around 0 with spreads that are learnt too:
    half-normal priors (0.3 among channels, 0.1 among a channel's stages) on a grid.  So a channel's
    stages lean on each other before they lean on other channels, and calls on visits before on
    texts; and where the estimates are too rough to show a spread, none is not taken for certain:
    effects are then neither all alike nor known as well as their mean.
    In: estimates, their standard errors, the channel of each.  Out: means and standard deviations.
    Refuses: errors that are not above 0.
    Misleads: a channel unlike all others is drawn to them too far while its estimate is rough.
    Reference: Gelman 2006 (priors for spreads in hierarchical models).

    >>> mean, sd = pooled(np.array([0.5, 0.1]), np.array([0.01, 0.2]), ["call", "call"])
    >>> mean.round(2).tolist(), bool(sd[1] < 0.2)
    ([0.5, 0.38], True)
    """
    if not (error > 0).all():
        raise ValueError("every estimate needs an error above 0")
    names = np.asarray(group)
    same, own = (names[:, None] == names).astype(float), np.eye(len(names))
    person = np.isin(names, BY_PERSON)
    above = MEAN_SPREAD**2 + KIND_SPREAD**2 * (person[:, None] == person)
    logs, means, variances = [], [], []
    for among in AMONG:
        for within in WITHIN:
            prior = above + among**2 * same + within**2 * own
            log, mean, variance = _known(effect, error, prior)
            logs.append(log - 0.5 * ((among / USUAL_AMONG) ** 2 + (within / USUAL_WITHIN) ** 2))
            means.append(mean)
            variances.append(variance)
    weight = np.exp(np.array(logs) - max(logs)) * np.tile(np.gradient(WITHIN), len(AMONG))
    weight /= weight.sum()
    mean = weight @ np.array(means)
    spread = weight @ (np.array(variances) + (np.array(means) - mean) ** 2)
    return mean, np.sqrt(spread)


def _known(
    effect: Array, error: Array, prior: npt.NDArray[np.float64]
) -> tuple[float, Array, Array]:
    """The likelihood's logarithm, and what is known of each effect, under one pair of spreads."""
    whole = prior + np.diag(error**2)
    gain = np.linalg.solve(whole, prior).T
    log = -0.5 * (np.linalg.slogdet(whole)[1] + effect @ np.linalg.solve(whole, effect))
    return float(log), gain @ effect, np.diag(prior - gain @ prior)
