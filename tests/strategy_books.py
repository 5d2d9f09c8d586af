"""A small book and how it was treated, made so that every figure can be worked out by hand."""

from __future__ import annotations

from datetime import date

import polars as pl

from analytics.strategy_fields import STAGES
from analytics.treated_cases import Treated
from figures.simulator_frames import months_after

BUCKETS = ("current", "1-30", "31-60", "61-90", "91-180", "181+")
STATES = (*BUCKETS, "charged_off", "sold", "paid_off")
AS_OF = date(2026, 6, 30)
MONTHS = months_after(date(2025, 6, 30), 12)[1:]
SEGMENTS = [("card", "A"), ("card", "B"), ("auto", "A"), ("auto", "B")]
LATE_STAGES = STAGES[1:]

# shares of the money in a state that goes to: better, the same, worse
SHARES = {
    "current": (0.01, 0.94, 0.05),
    "1-30": (0.60, 0.15, 0.25),
    "31-60": (0.30, 0.20, 0.50),
    "61-90": (0.20, 0.20, 0.60),
    "91-180": (0.10, 0.60, 0.30),
    "181+": (0.05, 0.85, 0.10),
}
BALANCE = {"current": 1e7, "1-30": 5e5, "31-60": 1.5e5, "61-90": 1e5, "91-180": 2e5, "181+": 3e5}


def transitions() -> pl.DataFrame:
    """Twelve months of the same moves, worse in grade B; a loan is 10,000."""
    rows = []
    for month in MONTHS:
        for place, (product, grade) in enumerate(SEGMENTS):
            worse = 1 + 0.1 * place
            for at, state in enumerate(BUCKETS):
                cure, stay, forward = SHARES[state]
                forward *= worse
                to = {
                    "paid_off" if state == "current" else BUCKETS[max(at - 1, 0)]: cure,
                    state: stay - (worse - 1) * SHARES[state][2],
                    BUCKETS[at + 1] if at < 5 else "charged_off": forward,
                }
                rows += [
                    _move(month, product, grade, state, there, share * BALANCE[state])
                    for there, share in to.items()
                ]
            rows.append(_move(month, product, grade, "new", "current", 6e5))
    return pl.DataFrame(rows)


def _move(month: date, product: str, grade: str, a: str, b: str, money: float) -> dict[str, object]:
    loans = max(round(money / 1e4), 1)
    kept = 0.0 if b == "paid_off" else money * 0.97
    return {
        "month": month, "product": product, "grade": grade, "from_state": a, "to_state": b,
        "loans": loans, "opening_cents": None if a == "new" else round(money * 100),
        "opening_squares": None if a == "new" else money * 1e4,
        "closing_cents": round((money if a == "new" else kept) * 100),
        "paid_cents": 0 if a == "new" else round((money - kept) * 100),
    }  # fmt: skip


def stocks() -> pl.DataFrame:
    return pl.DataFrame([
        {"month": AS_OF, "product": product, "grade": grade, "bucket": state,
         "loans": round(money / 1e4), "weight_cents": round(money * 100)}
        for product, grade in SEGMENTS for state, money in BALANCE.items()
    ])  # fmt: skip


def _cells(**columns: object) -> list[dict[str, object]]:
    return [
        {"product": product, "grade": grade, "stage": stage, **columns}
        for product, grade in SEGMENTS
        for stage in LATE_STAGES
    ]


def treated() -> Treated:
    """In each segment and stage: 120 case-months, 240 calls at 2.00, 120 texts at 0.05, a quarter
    of the late cases with an agency at 20 %, 12 suits at 400, 6 plans, 6 settlements at 30 %."""
    work = [
        row
        for channel, attempts, cents in (("call", 240, 200), ("sms", 120, 5))
        for row in _cells(channel=channel, attempts=attempts, costed_attempts=attempts,
                          cost_cents=attempts * cents)
    ]  # fmt: skip
    placed = [
        row
        for agency, cases in ((None, 75), ("A1", 25))
        for row in _cells(agency_id=agency, cases=cases)
        if agency is None or row["stage"] == "late"
    ]
    spending = [("labour", False, 12_000_000), ("system", False, 1_200_000)]
    return Treated(
        months=(MONTHS[0], MONTHS[-1]),
        count=12,
        work=pl.DataFrame(work),
        cases=pl.DataFrame(_cells(open_cases=120)),
        first_days=pl.DataFrame([
            {"product": product, "stage": stage, "working_day": day, "contacted": 30}
            for product in ("card", "auto") for stage in LATE_STAGES for day in (1, 3)
        ]),
        placed=pl.DataFrame(placed, schema_overrides={"agency_id": pl.String}),
        partners=pl.DataFrame({"agency_id": ["A1"], "commission_rate": [0.2]}),
        people=pl.DataFrame({
            "collector_id": ["K1", "K2"], "hours_per_month": [160.0, 160.0],
            "monthly_cost_cents": [400_000, 600_000],
        }),
        spending=pl.DataFrame(spending, schema=["kind", "is_one_off", "amount_cents"],
                              orient="row"),
        complaint_counts=pl.DataFrame({
            "channel": ["call", "sms"], "complaints": [30, 3], "attempts": [2_880, 1_440],
        }),
        complaints=pl.DataFrame(schema={"worked_month": pl.Date, "case_attempts": pl.Int64,
                                        "product": pl.String, "stage": pl.String}),
        intensity=pl.DataFrame(schema={"month": pl.Date, "product": pl.String,
                                       "stage": pl.String, "case_attempts": pl.Int64,
                                       "cases": pl.Int64, "attempts": pl.Int64}),
        offers=pl.DataFrame(_cells(
            open_cases=120, plans=6, settlements=6, settled_cents=70_000,
            settled_base_cents=100_000, filings=12, legal_cents=480_000,
        )),
    )  # fmt: skip


def influence_of(effect: float, alone: float, *, n: int = 4_000) -> pl.DataFrame:
    """Influence sums of an effect on n cases, the spread about that of two halves."""
    spread, other = 4 * alone * (1 - alone), 2 * alone * (1 - alone)
    return pl.DataFrame([{
        "supported_cases": n, "treated_cases": n // 2,
        "effect_sum": n * effect, "effect_squares": n * (effect**2 + spread),
        "alone_sum": n * alone, "alone_squares": n * (alone**2 + other),
        "cross_sum": n * (effect * alone - other), "reason": None,
    }], schema_overrides={"reason": pl.String})  # fmt: skip


def influence_rows() -> pl.DataFrame:
    """Calls, texts and the bot known in every stage, visits not; the first week's doses, days."""
    known = {"early": 0.55, "middle": 0.35, "late": 0.12}
    rows = []
    for stage, alone in known.items():
        size = {"call": 0.10, "sms": 0.03, "voice_bot": 0.06}
        for channel, effect in size.items():
            rows.append(_named(influence_of(effect * alone * 2, alone), "channel", stage, channel))
        rows.append(_named(influence_of(0.0, alone).with_columns(reason=pl.lit("too_few")),
                           "channel", stage, "visit"))  # fmt: skip
        for arm, effect in (("1", 0.06), ("2-3", 0.09), ("4+", 0.11)):
            rows.append(_named(influence_of(effect * alone * 2, alone), "dose", stage, arm))
    for arm, effect in (("0-1", 0.10), ("2-3", 0.07), ("4-6", 0.03)):
        rows.append(_named(influence_of(effect, 0.55), "first_day", "early", arm))
    return pl.concat(rows)


def _named(row: pl.DataFrame, question: str, stage: str, arm: str) -> pl.DataFrame:
    return row.with_columns(question=pl.lit(question), stage=pl.lit(stage), arm=pl.lit(arm))


AGENCIES = pl.DataFrame({
    "owner": ["A1", "in-house"], "cases": [300, 4_000], "expected": [60.0, 1_200.0],
    "effect": [-0.3, 0.01], "se": [0.1, 0.01],
})  # fmt: skip
