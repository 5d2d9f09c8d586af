"""What every number of the conduct pages means: the functions whose docstrings say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analytics import (
    breach_rates,
    complaint_causes,
    complaint_deadlines,
    complaint_rates,
    complaint_times,
    contact_fairness,
    cusum,
    cusum_limits,
    gamma_poisson,
    intensity,
    laney,
    poisson_rates,
    vetoes,
    working_days,
)

COMPLAINTS = ("Complaints",)
RULES = ("Contact rules",)

METRICS: tuple[tuple[str, tuple[str, ...], Callable[..., Any]], ...] = (
    ("Complaint rate", COMPLAINTS, complaint_rates.complaint_rates),
    ("Exact Poisson interval", COMPLAINTS, poisson_rates.poisson_interval),
    ("Ratio of two rates", COMPLAINTS, poisson_rates.rate_ratios),
    ("Complaints by week (Laney's u' chart)", COMPLAINTS, laney.laney_chart),
    ("Signal of a rise (CUSUM)", COMPLAINTS, cusum.complaint_signal),
    ("Weeks to find a doubling", COMPLAINTS, cusum_limits.weeks_to_find),
    ("Complaint rate by collector, shrunk", COMPLAINTS, gamma_poisson.shrink_rates),
    ("Time to acknowledge, respond, resolve", COMPLAINTS, complaint_times.complaint_times),
    ("Due day of a complaint", COMPLAINTS, complaint_deadlines.due_dates),
    ("Within the deadline", COMPLAINTS, complaint_deadlines.within_deadline),
    ("Open queue", COMPLAINTS, complaint_deadlines.open_queue),
    ("Working day", COMPLAINTS, working_days.after_working_days),
    ("Upheld share", COMPLAINTS, complaint_causes.upheld_share),
    ("Root causes", COMPLAINTS, complaint_causes.root_causes),
    ("Lag from contact to complaint", COMPLAINTS, complaint_causes.contact_lag),
    ("Satisfaction", COMPLAINTS, complaint_causes.satisfaction),
    ("Veto", ("Complaints", "Collectors"), vetoes.veto_ledger),
    ("Intensity against complaints", COMPLAINTS, intensity.intensity_cost),
    ("Breach rate", RULES, breach_rates.breach_rates),
    ("Breaches by month", RULES, breach_rates.breach_trend),
    ("Contacts of vulnerable borrowers beside others'", RULES, contact_fairness.contact_fairness),
)
