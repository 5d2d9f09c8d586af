"""The evidence behind contact rules, and what the log keeps, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from charts import format as words
from charts.channel_words import CHANNELS
from charts.rule_sentences import rule_name
from charts.sentences import plural

OUTCOMES = {
    "no_answer": "No answer",
    "invalid": "Invalid number",
    "delivered": "Delivered",
    "opened": "Opened",
    "link_clicked": "Link clicked",
    "third_party_reached": "Third party reached",
    "right_party": "Spoke to the debtor",
    "promise": "Promise",
    "refusal": "Refusal",
    "dispute": "Dispute",
}
PARTIES = {"debtor": "Debtor", "third_party": "Third party", "unknown": "Unknown"}
_PLACES = {"early": 0, "middle": 1, "late": 2}
ALL_CAPS = "all"  # in place of a rule: what all caps of a pack leave together
UNITS = {"loan": "loan", "contact_point": "contact point"}
STAGES = {"early": "Early", "middle": "Middle", "late": "Late"}


def evidence_rows(rows: pl.DataFrame, agencies: Mapping[Any, str]) -> pl.DataFrame:
    """Contacts behind breaches, as a reader wants them; ids and codes only."""

    def flag(name: str) -> pl.Expr:
        return pl.when(pl.col(name)).then(pl.lit("yes")).when(~pl.col(name)).then(pl.lit("no"))

    return rows.select(
        pl.col("breach_id").alias("Breach"),
        pl.when(pl.col("role") == "this").then(pl.lit("This one")).otherwise(pl.lit("Before it"))
        .alias("Role"),
        pl.col("contacted_at").alias("When"),
        pl.col("contact_id").alias("Contact"),
        pl.col("loan_id").alias("Loan"),
        pl.col("case_id").alias("Case"),
        pl.col("channel").replace(CHANNELS).alias("Channel"),
        pl.col("party").replace(PARTIES).alias("Party"),
        pl.col("outcome").replace(OUTCOMES).alias("Outcome"),
        flag("has_consent").alias("Consent"),
        flag("is_recorded").alias("Recorded"),
        pl.col("contact_point").alias("Contact point"),
        pl.col("collector_id").alias("Collector"),
        pl.col("agency_id").replace(agencies).alias("Agency"),
    )  # fmt: skip


def consent_sentence(rows: pl.DataFrame) -> str:
    """What is known of consent to the contacts that break the rule."""
    own = rows.filter(pl.col("role") == "this")["has_consent"]
    yes, no, unknown = int(own.sum()), int((~own).sum()), own.null_count()
    return (
        f"Of {plural(own.len(), 'contact')} listed, {words.number(yes)} had the debtor’s consent,"
        f" {words.number(no)} had not, and of {words.number(unknown)} it is not recorded."
    )


def coverage_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """How completely attempts are recorded, by channel; a dash where nothing was to record."""

    def share(part: str, whole: str) -> pl.Expr:
        return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole) * 100)

    return rows.select(
        pl.col("channel").replace(CHANNELS).alias("Channel"),
        pl.col("attempts").alias("Attempts"),
        share("complete", "attempts").alias("Complete, %"),
        share("pointed", "attempts").alias("Contact point, %"),
        share("cased", "attempts").alias("Case, %"),
        share("collected", "attempts").alias("Collector, %"),
        share("timed", "connected").alias("Duration, %"),
        share("recorded", "connected").alias("Recorded, %"),
        pl.col("consented").alias("Consent given"),
        pl.col("refused").alias("Refused"),
    )


def capacity_parts(rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame, str]]:
    """Of each cap, all of them together first: what it is called and by what it counts, its rows
    by stage, and which loans it does not count."""
    told = rows.sort(pl.col("rule") != ALL_CAPS, "pack", "rule", _place(), maintain_order=True)
    parts = []
    for (_, rule, unit), own in told.group_by("pack", "rule", "unit", maintain_order=True):
        name = "All caps together" if rule == ALL_CAPS else rule_name(str(rule))
        by = UNITS.get(str(unit), str(unit))
        table = _capacity_rows(own, f"{by}s".capitalize())
        parts.append((f"{name}, by {by}", table, uncounted_words(own)))
    return parts


def _place() -> pl.Expr:
    return pl.col("stage").replace_strict(_PLACES, default=len(_PLACES), return_dtype=pl.Int32)


def _capacity_rows(rows: pl.DataFrame, units: str) -> pl.DataFrame:
    has_number = pl.col("rule") != "after_conversation"
    table = rows.select(
        pl.col("stage").replace(STAGES).alias("Stage"),
        pl.col("units").alias(units),
        pl.when(has_number).then("allowed").alias("Attempts left"),
        pl.col("exhausted").alias("None left on"),
        pl.when(has_number).then("used").alias("Used"),
    )
    return table if table["Used"].count() else table.drop("Used")


def uncounted_words(rows: pl.DataFrame) -> str:
    """How many loans with an open case a cap on contact points does not count, by stage.

    >>> uncounted_words(pl.DataFrame({"stage": ["early", "late"], "uncounted": [1234, 1]}))
    'Not counted are 1,235 loans with an open case (early 1,234, late 1): no contact point of\
 theirs was tried in the 90 days to that day.'
    """
    left_out = rows.filter(pl.col("uncounted") > 0)
    if left_out.is_empty():
        return ""
    stages = [
        f"{STAGES.get(stage, words.plain(stage)).lower()} {words.number(count)}"
        for stage, count in left_out.select("stage", "uncounted").iter_rows()
    ]
    count = int(left_out["uncounted"].sum())
    are, theirs = ("is", "its") if count == 1 else ("are", "theirs")
    return (
        f"Not counted {are} {plural(count, 'loan')} with an open case ({', '.join(stages)}): no"
        f" contact point of {theirs} was tried in the 90 days to that day."
    )


def fairness_rows(stages: pl.DataFrame) -> pl.DataFrame:
    """How often vulnerable borrowers are contacted, by stage, the ratio to others first."""
    return stages.sort(_place()).select(
        pl.col("stage").replace(STAGES).alias("Stage"),
        pl.col("ratio").alias("Times"),
        pl.col("low").alias("From"),
        pl.col("high").alias("To"),
        pl.col("attempts_each").alias("Theirs"),
        pl.col("others_each").alias("Others’"),
        pl.col("loans").alias("Loan-months"),
    )


def fairness_sentence(ratio: float | None, low: float | None, high: float | None) -> str:
    if ratio is None or low is None or high is None:
        return "No loan of a borrower known to be vulnerable was in collections in these months."
    told = f"{words.number(ratio, decimals=2)} times"
    told += f" ({words.number(low, decimals=2)} to {words.number(high, decimals=2)})"
    verdict = "no clear difference"
    if low > 1:
        verdict = "they are contacted more"
    elif high < 1:
        verdict = "they are contacted less"
    return (
        f"Vulnerable borrowers got {told} the attempts that others got on loans of the same stage"
        f" and product: {verdict}."
    )


def unlisted_sentence(rows: pl.DataFrame, agencies: Mapping[Any, str]) -> str:
    if rows.is_empty():
        return "Every contact by an agency was on a day on which the agency was on the list."
    parts = [
        f"{words.plain(agencies.get(agency, agency))} ({words.number(count)})"
        for agency, count in rows.select("agency_id", "contacts").iter_rows()
    ]
    return f"Contacts by agencies that were not on the list that day: {words.listing(parts)}."


def kept_sentence(first: date | None, as_of: date, years: Sequence[int], holes: int) -> str:
    """How far back the log reaches."""
    if first is None:
        return "The log has no attempts."
    months = (as_of.year - first.year) * 12 + as_of.month - first.month + 1
    reach = f"The log reaches back to {words.month(first)}, {plural(months, 'month')}"
    reach += f", {words.number(holes)} of them without an attempt" if holes else ""
    if not years:
        return f"{reach}."
    needed = max(years)
    enough = "enough for" if months >= needed * 12 else "less than"
    return f"{reach}: {enough} the {plural(needed, 'year')} asked for."


def recorded_sentence(recorded: int, connected: int, shares: Sequence[float]) -> str:
    """How many of the calls that connect are recorded, and whether that is enough.

    >>> recorded_sentence(0, 0, [1.0])
    'No call connected in these months.'
    """
    if not connected:
        return "No call connected in these months."
    share = words.percent(recorded / connected)
    told = f"Of {plural(connected, 'connected call')} {share} are recorded"
    if not shares:
        return f"{told}."
    needed = max(shares)
    enough = "as" if recorded >= needed * connected else "less than"
    return f"{told}: {enough} the {words.percent(needed)} asked for."
