"""The marts of strategy: classes of loans and cases, what was done for them, and what came of it.

Money is in whole cents (BigInteger); squares and cross sums are in currency squared (Double).
A null dimension means that the warehouse does not record it.

`scheme` says how loans are classed: `grade` (normal, light, medium, heavy: days late only),
`risk` (low, medium, high: lateness, willingness, assets, score) or `rfm` (low, medium, high:
recency, frequency and amount of payments).  Loans that are not late are `current` under `risk`
and `rfm`; late ones of which nothing is known are `unknown`.  The cut points are in
`segment_settings`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, DateTime, Double, Table, Text

from warehouse.contract import CHANNELS
from warehouse.marts import marts

SCHEMES = ("grade", "risk", "rfm")
SCORE_BINS = 100


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]


def _counts(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger) for name in names]


def _squares(*names: str) -> list[Column[float]]:
    return [Column(name, Double) for name in names]


_SEGMENTS = ("product", "region", "grade")

# Which months and cohorts these marts were made from; equal stamps need no work.
segment_stamps = Table(
    "segment_stamps", marts, *_texts("part"), Column("month", Date), *_texts("stamp")
)

# One row a setting: the cut points of the classes, as they were first drawn; JSON values.
segment_settings = Table("segment_settings", marts, *_texts("name", "value"))

# What was done in a calendar month, by the stage at the opening of the case.  open_cases: open
# when the month began; agency_cases: placed with an agency in the month.  A settlement's discount
# is 1 - settled_cents / settled_base_cents (what was placed of the balance, else of the arrears).
treatment_months = Table(
    "treatment_months",
    marts,
    Column("month", Date),
    *_texts("stage", *_SEGMENTS),
    *_counts("open_cases", "open_cents", "agency_cases", "agency_cents"),
    *_counts("letters", "filings", "legal_cents"),
    *_counts("instalments", "deferrals", "rate_cuts", "term_extensions", "restructures"),
    *_counts("settlements", "settled_cents", "settled_base_cents"),
    *_counts("calls", "bot_calls"),
)

# What cases paid in each whole 30 days since they were opened (since_filing null), or since the
# suit of their spell of lateness was filed; `since_opening` counts windows of the case that is open
# as one starts.  owner: `agency` or `in_house`.  exposed: what was placed, by the part of the
# window until a transfer; left: ended otherwise in it.  Amounts are in currency.
curve_windows = Table(
    "curve_windows",
    marts,
    *_texts("stage", "product", "grade", "owner"),
    *_counts("since_opening", "since_filing"),
    *_counts("cases", "left_cases", "transferred_cases", "paying_cases"),
    *_squares("exposed_amount", "cash_amount", "exposed_squares", "cash_squares", "cash_exposed"),
)

# Open loans at each month-end by class; late ones and what was paid in the month among them.
segment_months = Table(
    "segment_months",
    marts,
    Column("month", Date),
    *_texts("scheme", "class", *_SEGMENTS),
    *_counts("loans", "weight_cents", "late_loans", "late_cents", "paid_cents"),
)

# Loans by their class a month ago and now.  `month` is the later month-end.  from_class also
# `new`; to_class also `paid_off`, `charged_off`, `sold`, `unmatched`.  Money is the opening
# balance.  forward: later than a month ago, charged off or sold; cured: not late any more, or
# paid off.
segment_moves = Table(
    "segment_moves",
    marts,
    Column("month", Date),
    *_texts("scheme", "from_class", "to_class", *_SEGMENTS),
    *_counts("loans", "opening_cents"),
    *_squares("opening_squares"),
    *_counts("forward_loans", "forward_cents"),
    *_squares("forward_squares"),
    *_counts("cured_loans", "cured_cents"),
    *_squares("cured_squares"),
)

# Cases by the class at opening: as it was known at the month-end before, with the lateness of the
# opening day.  Of each episode (spell of lateness) the first case in each stage, followed for 90
# days through the episode, whoever holds it.  opened_*: all; the rest: those 90 days old.
# gap_days / attempt_gaps: days from an attempt on the case itself to the next, while it was held.
segment_cases = Table(
    "segment_cases",
    marts,
    Column("opened_month", Date),
    *_texts("scheme", "class", "stage", *_SEGMENTS),
    *_counts("opened_cases", "opened_cents", "cases", "placed_cents"),
    *_squares("placed_squares"),
    *_counts("resolved", "cash_cents"),
    *_squares("cash_squares", "cash_placed"),
    *_counts(*[f"{channel}_attempts" for channel in CHANNELS]),
    *_counts("costed_attempts", "cost_cents", "attempt_gaps", "gap_days"),
)

# All cases that are 90 days old by what was planned (`cases.strategy`) and the gravest step that
# was taken in 90 days while the case was held: legal, agency, plan, talk (call, visit, mediation),
# message, none.  resolved: by this case itself.
segment_treatments = Table(
    "segment_treatments",
    marts,
    Column("opened_month", Date),
    *_texts("scheme", "class", "planned", "actual", *_SEGMENTS),
    *_counts("cases", "resolved"),
)

# The cases of `segment_cases` by everything that the model of resolution looks at: what it is
# fitted on; no page reads it.  mature: 90 days old; resolved: of the mature, within 90 days.
resolution_cases = Table(
    "resolution_cases",
    marts,
    Column("opened_month", Date),
    *_texts("bucket", "amount_band", "risk", "rfm", *_SEGMENTS),
    *_counts("cases", "mature", "resolved"),
)

# The same cases by their forecast, in hundredths: `bin` 0 is 0 to 1 %; mix_bin: by the forecast
# without the season, to compare months by.  expected: sum of the forecasts of the mature.
# period: `before`, `fitted` (the months it was fitted on) or `later`.
resolution_scores = Table(
    "resolution_scores",
    marts,
    Column("opened_month", Date),
    *_texts("period"),
    *_counts("bin", "mix_bin"),
    *_texts(*_SEGMENTS),
    *_counts("cases", "mature", "resolved"),
    *_squares("expected"),
)
resolution_coefficients = Table(
    "resolution_coefficients",
    marts,
    *_texts("covariate", "level"),
    *_counts("cases", "resolved"),
    *_squares("coefficient", "se"),
)
resolution_models = Table(
    "resolution_models",
    marts,
    Column("fitted_at", DateTime),
    Column("first_month", Date),
    Column("last_month", Date),
    *_counts("cases", "resolved"),
    *_squares("intercept", "deviance", "null_deviance"),
    *_texts("reason"),  # why there is no model, where there is none
)
