"""What every number of the Decisions page means: the functions whose docstrings say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analytics import decision_forecasts, decision_scores, decisions, trial_complaints, trials

DECISIONS = ("Decisions",)

METRICS: tuple[tuple[str, tuple[str, ...], Callable[..., Any]], ...] = (
    ("What a decision forecasts", ("Decisions", "Simulator"), decision_forecasts.forecast_of),
    ("What came of a decision", DECISIONS, decisions.actual_months),
    ("Inside or outside of a forecast", DECISIONS, decisions.score_months),
    ("Bias and verdict of a decision", DECISIONS, decision_scores.score_decisions),
    ("Coverage and Brier score", DECISIONS, decision_scores.score_all),
    ("Decisions apart", DECISIONS, decision_scores.decisions_apart),
    ("Accounts a trial needs", DECISIONS, trials.accounts_needed),
    ("Smallest difference a trial finds", DECISIONS, trials.difference_found),
    ("What a trial shows", DECISIONS, trials.trial_shows),
    ("Rise in complaints a trial notices", DECISIONS, trial_complaints.rise_noticed),
    ("When a trial stops for complaints", DECISIONS, trial_complaints.stop_limits),
    ("Weeks a trial takes", DECISIONS, trials.weeks_needed),
)
