"""Estimates of channels by stage, drawn together as far as they are alike."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from scipy import stats

from analytics import pooled_effects
from analytics.pooled_effects import pooled

CHANNELS = {"sms": 0.13, "push": 0.05, "email": 0.0, "bot": 0.15, "call": 0.45, "visit": 0.40}
ERRORS = np.array([0.09, 0.25, 0.35])
NAMES = [name for name in CHANNELS for _ in ERRORS]
TRUE = np.repeat(list(CHANNELS.values()), len(ERRORS))
ERROR = np.tile(ERRORS, len(CHANNELS))


def test_intervals_hold_the_planted_effects_about_as_often_as_they_say() -> None:
    """Of a strong channel too: estimates as rough as a small book's are not all taken for alike."""
    rng = np.random.default_rng(2)
    inside, middle = [], []
    for _ in range(60):
        mean, sd = pooled(TRUE + ERROR * rng.standard_normal(len(TRUE)), ERROR, NAMES)
        inside.append(np.abs(TRUE - mean) < stats.norm.ppf(0.9) * sd)
        middle.append(mean)
    assert 0.78 < np.mean(inside) < 0.92
    strong = [place for place, name in enumerate(NAMES) if name in ("call", "visit")]
    assert np.mean(np.array(inside)[:, strong]) > 0.65
    assert np.mean(middle, axis=0)[strong].min() > 0.33


def test_with_one_estimate_it_is_the_posterior_by_plain_integration() -> None:
    effect, error = 0.4, 0.2
    theta = np.linspace(-3, 3, 4001)
    posterior = np.zeros_like(theta)
    widths = np.gradient(pooled_effects.WITHIN)
    for among in pooled_effects.AMONG:
        for within, width in zip(pooled_effects.WITHIN, widths, strict=True):
            spread = np.sqrt(0.5**2 + 0.3**2 + among**2 + within**2)
            prior = np.exp(-0.5 * ((among / 0.3) ** 2 + (within / 0.1) ** 2)) * width
            posterior += prior * stats.norm.pdf(theta, 0, spread)
    posterior *= stats.norm.pdf(effect, theta, error)
    posterior /= posterior.sum()
    mean = posterior @ theta
    found, sd = pooled(np.array([effect]), np.array([error]), ["call"])
    assert found[0] == pytest.approx(mean, abs=1e-4)
    assert sd[0] == pytest.approx(np.sqrt(posterior @ (theta - mean) ** 2), abs=1e-4)


def test_well_known_effects_stay_as_they_are() -> None:
    effect = np.array([0.5, 0.1, -0.2])
    mean, sd = pooled(effect, np.full(3, 0.01), ["call", "sms", "letter"])
    assert mean == pytest.approx(effect, abs=0.01)
    assert sd == pytest.approx(np.full(3, 0.01), abs=0.002)


def test_an_estimate_without_error_is_refused() -> None:
    with pytest.raises(ValueError, match="error above 0"):
        pooled(np.array([0.5, 0.1]), np.array([0.1, 0.0]), ["call", "sms"])


def test_the_examples_in_its_words_hold() -> None:
    assert doctest.testmod(pooled_effects).failed == 0
