"""The marts of recovery: what was placed, worked and paid, as sums by cell.

Money is in whole cents (BigInteger); squares and cross sums are in currency
squared (Double).  A null dimension means that the warehouse does not record it;
a null `collector_id` is an automated queue, a null `agency_id` is in-house.

`opened_month` is the month-end of a cohort: cases opened in that month.  A
horizon is mature for a case when opening day + horizon is not after the data's
last day; younger cases are `immature`.  `bucket` and `stage` are those at the
opening (by days): early is up to 30 days, middle up to 90, late beyond.
`amount_band` is small, middle, large or huge by the placed amount; the bounds
are in `recovery_settings`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Double, Table, Text

from warehouse.marts import marts

# Parts of the stratified estimate: see analytics.stratified.
STRATA = ("strata_weight", "strata_gained", "strata_lost", "strata_spread")


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]


def _counts(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger) for name in names]


def _squares(*names: str) -> list[Column[float]]:
    return [Column(name, Double) for name in names]


_SEGMENTS = ("product", "region", "grade")


def _cash(prefix: str = "") -> list[Column[int] | Column[float]]:
    """Sums of the mature cases of a horizon, and what is still to mature."""
    found: list[Column[int] | Column[float]] = [
        *_counts(f"{prefix}cases", f"{prefix}placed_cents"),
        *_squares(f"{prefix}placed_squares"),
    ]
    for cash in ("cash", "clipped"):  # clipped: at most what was placed, case by case
        found += _counts(f"{prefix}{cash}_cents")
        found += _squares(f"{prefix}{cash}_squares", f"{prefix}{cash}_placed")
    found += _counts(f"{prefix}immature_cases", f"{prefix}immature_cents")
    return [*found, *_squares(f"{prefix}immature_squares")]


# Which months and cohorts these marts were made from; equal stamps need no work.
recovery_stamps = Table(
    "recovery_stamps", marts, *_texts("part"), Column("month", Date), *_texts("stamp")
)

# One row a setting: the bounds of amount bands, days of landmark and horizon, JSON values.
recovery_settings = Table("recovery_settings", marts, *_texts("name", "value"))

# Episodes (spells of lateness: opening placement, cash to any owner), by horizon 30/60/90/180.
cohorts = Table(
    "cohorts",
    marts,
    Column("horizon", BigInteger),
    Column("opened_month", Date),
    *_texts(*_SEGMENTS, "bucket", "stage"),
    *_cash(),
    *_counts("resolved"),  # of the mature: cured, paid off or settled within the horizon
)

# Cases by owner: a transfer ends a case.  Sums without prefix are at 90 days; those with
# `target_` at the horizon of the stage's target: 30 days early, 180 late, null for middle.
owner_cases = Table(
    "owner_cases",
    marts,
    Column("opened_month", Date),
    *_texts("collector_id", "team", "agency_id", *_SEGMENTS, "bucket", "stage", "amount_band"),
    *_counts("opened_cases", "opened_cents"),  # all, mature or not
    *_cash(),
    *_counts("resolved", "transferred"),  # of the mature, within 90 days
    *_cash("target_"),
)

# Episodes by the day they ended, 0 to 180 after opening; whatever is open then is censored on 181.
resolution_days = Table(
    "resolution_days",
    marts,
    Column("opened_month", Date),
    *_texts(*_SEGMENTS, "bucket", "stage"),
    Column("day", BigInteger),
    *_counts("resolved", "competing", "censored"),
)

# Cash by placement month and 30-day steps since each case's own opening.
# unit: `episode` (agency_id null) or `case` (by agency; null: in-house or automated).
# `paid_month`: the calendar month of the cash, by which a refresh replaces it; pages add it up.
liquidation_cash = Table(
    "liquidation_cash",
    marts,
    Column("paid_month", Date),
    *_texts("unit"),
    Column("placed_month", Date),
    Column("elapsed", BigInteger),
    *_texts("agency_id", *_SEGMENTS, "stage"),
    *_counts("cash_cents"),
)

# What was placed in each month; `complete_to` follows from the month and the data's last day.
placements = Table(
    "placements",
    marts,
    *_texts("unit"),
    Column("placed_month", Date),
    *_texts("agency_id", *_SEGMENTS, "stage"),
    *_counts("cases", "placed_cents"),
)

# Collections by calendar month: open at its start, and cash by whose it is.
collections_months = Table(
    "collections_months",
    marts,
    Column("month", Date),
    *_texts(*_SEGMENTS, "stage"),
    *_counts("open_cases", "open_cents", "owner_cents", "nobody_cents"),
)

# Working days from opening to the first attempt, and to the first right-party contact.
# kind: `attempt` or `right_party`; working_day 0 to 30; without one
# by then the case is `open` on 31.  Not by region or grade.
first_contacts = Table(
    "first_contacts",
    marts,
    Column("opened_month", Date),
    *_texts("kind", "collector_id", "team", "agency_id", "product", "stage"),
    Column("working_day", BigInteger),
    *_counts("contacted", "closed", "open"),  # closed, still open: without such a contact
)

# What owners did in a month.  Cash and promises are those of the owner's cases.
owner_work = Table(
    "owner_work",
    marts,
    Column("month", Date),
    *_texts("collector_id", "team", "agency_id", *_SEGMENTS),
    *_counts("open_cases", "worked_cases", "attempts", "reached", "right_party", "promises"),
    *_counts("matured", "kept", "matured_cents", "kept_cents", "cash_cents"),
)

# What came of the attempts by a channel in a month.  stage `reminder`: no case yet.
channel_work = Table(
    "channel_work",
    marts,
    Column("month", Date),
    *_texts("channel", "stage", *_SEGMENTS),
    *_counts("attempts", "delivered", "invalid", "opened", "clicked"),
    *_counts("reached", "right_party", "promises", "worked_cases", "right_party_cases"),
    *_counts("matured", "kept", "matured_cents", "kept_cents"),
    *_counts("costed_attempts", "cost_cents"),
    *_counts("preference_known", "preferred"),  # attempts: debtor's preference known; met
)

# Attempts by channel, lateness and amount, for the rules of suitability.
channel_fit = Table(
    "channel_fit",
    marts,
    Column("month", Date),
    *_texts("channel", "bucket", "amount_band", *_SEGMENTS),
    *_counts("attempts"),
)

# Cash of cases by channel under the rules `last`, `first`, `equal`; channel `none`: self-cure.
channel_cash = Table(
    "channel_cash",
    marts,
    Column("month", Date),
    *_texts("rule", "channel", "stage", *_SEGMENTS),
    *_counts("cash_cents"),
)

# Steps of the 7/15/30/60-day timeline, by cohort of episodes.
timeline = Table(
    "timeline",
    marts,
    Column("opened_month", Date),
    *_texts("step", "stage", *_SEGMENTS),
    *_counts("due", "on_time", "late", "resolved_on_time", "resolved_skipped"),
)

# Cases still open on the landmark day, with what was attempted by then: what the channel models
# are fitted on; no page reads it.  `first_grade`: the loan's when it was granted; `amount_step`:
# the placed amount in median ones, by doublings.  `attempts`: by channel in order, how many and
# the day of the first, as `call:2-3:0-1 sms:1:4-6`.
landmarks = Table(
    "landmarks",
    marts,
    Column("opened_month", Date),
    *_texts(*_SEGMENTS, "first_grade", "bucket", "stage", "amount_step", "is_owned", "attempts"),
    *_texts("dose", "first_day"),
    *_counts("cases", "resolved", "cash_cents"),
    *_squares("cash_squares"),
    *_counts("cost_cents"),
    *_squares("cost_squares"),
    *_counts("early_resolved"),  # opened and resolved before the landmark day (then cases is 0)
)

# What the landmark cases' attempts by a channel cost by the landmark day: cases all of whose
# attempts by it have a cost.  No page reads it.
landmark_costs = Table(
    "landmark_costs",
    marts,
    Column("opened_month", Date),
    *_texts("stage", "channel", *_SEGMENTS),
    *_counts("treated_cases", "treated_cost_cents"),
    *_squares("treated_cost_squares"),
)

# What the channel models left behind.  question: `channel` (an arm is a channel, the reference
# `without`), `dose` (0, 1, 2-3, 4+ attempts) or `first_day`, all channels together, or one
# channel's own, as `dose:call` and `first_day:call`; outcome: `resolved` or `cash` (a channel's
# own doses and days: `resolved`).
_LABELS = ("question", "outcome", "stage", "arm")
effect_influence = Table(
    "effect_influence",
    marts,
    *_texts(*_LABELS, *_SEGMENTS),
    *_counts("cases", "supported_cases", "outside_cases", "treated_cases", "reference_cases"),
    *_squares("treated_sum", "treated_squares", "reference_sum", "reference_squares"),
    *_squares("effect_sum", "effect_squares", "alone_sum", "alone_squares", "cross_sum"),
    *_squares("treated_weight", "treated_weight_squares"),
    *_squares("reference_weight", "reference_weight_squares"),
    *_squares(*STRATA),
    *_texts("reason"),
)
effect_histogram = Table(
    "effect_histogram",
    marts,
    *_texts(*_LABELS, "group"),
    *_squares("low", "high"),
    *_counts("cases"),
)
effect_balance = Table(
    "effect_balance",
    marts,
    *_texts(*_LABELS, "covariate", "level"),
    *_squares("treated_share", "reference_share", "smd_before", "smd_after"),
)
effect_models = Table(
    "effect_models",
    marts,
    *_texts(*_LABELS, "model"),
    *_counts("cases", "coefficients"),
    *_squares("discrimination"),
)
effect_coefficients = Table(
    "effect_coefficients",
    marts,
    *_texts(*_LABELS, "model", "covariate", "level"),
    *_squares("coefficient"),
)
# The cost of treated landmark cases' attempts by the arm's channel, by the landmark day.
effect_costs = Table(
    "effect_costs",
    marts,
    *_texts("stage", "arm", *_SEGMENTS),
    *_counts("treated_cases", "treated_cost_cents"),
    *_squares("treated_cost_squares"),
)

# Case mix: each owner against the others, at 90 days.  owner_kind: `collector`, `team` or
# `agency` (where `in-house` is one of them); outcome: `resolved`, `cash` or `clipped`.
_OWNER = ("owner_kind", "outcome")
owner_effects = Table(
    "owner_effects",
    marts,
    *_texts(*_OWNER, "owner"),
    *_counts("cases"),
    *_squares("observed", "expected", "ratio", "effect", "se"),  # money in cents
    *_texts("reason"),
)
# What pages add up: effect of a choice = own effect + (observed - expected) / variance.
owner_expected = Table(
    "owner_expected",
    marts,
    *_texts(*_OWNER, "owner"),
    Column("opened_month", Date),
    *_texts(*_SEGMENTS, "stage"),
    *_counts("cases"),
    # money: observed and expected in cents, variances are squared errors in currency squared
    *_squares("observed", "expected", "variance", "average_expected", "average_variance"),
)
owner_coefficients = Table(
    "owner_coefficients",
    marts,
    *_texts(*_OWNER, "term", "level"),
    *_counts("cases"),
    *_squares("coefficient", "se"),
    *_texts("reason"),
)
owner_models = Table(
    "owner_models",
    marts,
    *_texts(*_OWNER),
    Column("fitted_at", DateTime),
    Column("first_month", Date),
    Column("last_month", Date),
    *_counts("cases", "owners"),
    Column("converged", Boolean),
    *_squares("intercept", "deviance", "null_deviance"),
    *_texts("reason"),  # why there is no model, where there is none
)
# What share of all the book's cases an owner with an effect would resolve.
standard_curves = Table(
    "standard_curves", marts, *_texts("owner_kind"), *_squares("effect", "share")
)

# People and partners, as the contract has them.
owners = Table(
    "owners",
    marts,
    *_texts("collector_id", "team", "agency_id"),
    Column("hired_on", Date),
    *_counts("monthly_cost_cents"),
    *_squares("hours_per_month"),
)
partners = Table(
    "partners",
    marts,
    *_texts("agency_id", "name"),
    *_squares("commission_rate"),
    *[
        Column(name, Date)
        for name in ("contract_from_on", "contract_to_on", "listed_from_on", "listed_to_on")
    ],
)
people_events = Table(
    "people_events",
    marts,
    Column("occurred_on", Date),
    *_texts("kind", "collector_id", "agency_id"),
    Column("is_passed", Boolean),
)
spending = Table(
    "spending",
    marts,
    Column("month", Date),
    *_texts("kind", "team", "channel"),
    Column("is_one_off", Boolean),
    *_counts("amount_cents"),
)
