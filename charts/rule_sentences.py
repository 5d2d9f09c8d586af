"""What the page of contact rules says in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from charts import format as words
from charts.channel_words import CHANNELS
from charts.sentences import plural

LEGAL = (
    "Not legal advice: these packs are a reading of the sources that they name, to be checked and"
    " changed by the lender’s own lawyers."
)
NEAR = (
    "A near miss was permitted, but one step from a breach: it used a cap’s last place, came on"
    " the first day after a conversation’s days, within 15 minutes of the quiet hours, or reached a"
    " third party after just as many failures as are asked for."
)
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


def rule_name(rule: str) -> str:
    """A rule's id as a name.

    >>> rule_name("unconnected_calls_a_day")
    'Unconnected calls a day'
    """
    text = rule.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def rule_labels(ids: Sequence[tuple[str, str]]) -> list[str]:
    """Names of rules given as (pack, rule), each its own.

    >>> rule_labels([("a", "night"), ("a", "third_party")])
    ['Night', 'Third party']
    >>> rule_labels([("a", "night"), ("b", "night")])
    ['a: Night', 'b: Night']
    >>> rule_labels([("a", "a b"), ("a", "a_b")])
    ['a: a b', 'a: a_b']
    """
    names = [rule_name(rule) for _, rule in ids]
    if len({pack for pack, _ in ids}) > 1:
        names = [f"{pack}: {name}" for (pack, _), name in zip(ids, names, strict=True)]
    if len(set(names)) < len(names):
        names = [f"{pack}: {rule}" for pack, rule in ids]
    return names


def rule_in_words(rule: Any) -> str:
    """A rule of a pack: what it says, since when, where from, and whether the log can tell."""
    checked = "checked in the log" if rule.is_replayed else "checked as records, or not at all"
    return (
        f"**{words.plain(rule_name(rule.id))}**: {words.plain(rule.sentence)} In force since"
        f" {words.day(rule.valid_from)}; {checked}. {words.plain(rule.source)}"
    )


def noun(kind: str, count: int) -> str:
    """`12 breaches`, `1 near miss`."""
    one, many = ("breach", "breaches") if kind == "breach" else ("near miss", "near misses")
    return f"{words.number(count)} {one if count == 1 else many}"


def rate_words(row: Mapping[str, Any]) -> str:
    """`1.43 per 1,000 (0.74 to 2.50)`."""
    if row["rate"] is None:
        return "no attempts to measure by"
    rate, low, high = (words.number(row[name], decimals=2) for name in ("rate", "low", "high"))
    return f"{rate} per 1,000 ({low} to {high})"


def answer(whole: Mapping[str, Any], rules: pl.DataFrame, *, kind: str) -> list[str]:
    """How many there are, and by which rule most."""
    if not whole["attempts"]:
        return ["No attempt was made in these months on a day on which these rules were in force."]
    if not whole["breaches"]:
        count = words.number(whole["attempts"])
        none = "breaks" if kind == "breach" else "comes just short of breaking"
        high = words.number(whole["high"], decimals=2)
        return [f"None of {count} attempts {none} these rules: at most {high} per 1,000."]
    found = [f"{noun(kind, whole['breaches'])} in {words.number(whole['attempts'])} attempts:"
             f" {rate_words(whole)}."]  # fmt: skip
    if most := most_words(rules, "breaches" if kind == "breach" else "near_misses"):
        found.append(most)
    return found


def most_words(rules: pl.DataFrame, column: str) -> str | None:
    """Which rule has most, or which share the first place; None of a single contact or rule.

    >>> rules = pl.DataFrame({"pack": ["a"] * 3, "rule": ["night", "day", "third_party"],
    ...                       "breaches": [72, 4, 72]})
    >>> most_words(rules, "breaches")
    'Night and Third party have 72 each, of 148.'
    >>> most_words(rules.head(2), "breaches")
    'Night has most, 72 of 76.'
    """
    whole, most = int(rules[column].sum()), int(rules[column].max() or 0)  # type: ignore[arg-type]
    if rules.height < 2 or whole < 2:
        return None
    names = rule_labels(list(rules.select("pack", "rule").iter_rows()))
    first = [words.plain(name) for name, count in zip(names, rules[column], strict=True)
             if count == most]  # fmt: skip
    if len(first) > 1:
        return f"{words.listing(first)} have {words.number(most)} each, of {words.number(whole)}."
    return f"{first[0]} has most, {words.number(most)} of {words.number(whole)}."


def consent_words(counts: Mapping[str | None, int], *, kind: str) -> str:
    """Whether the debtor had consented to the contacts that are counted.

    >>> consent_words({"no": 3, None: 1}, kind="breach")
    'Consent to the 4 breaches: given to 0, not given to 3, not recorded of 1.'
    """
    yes, no, unknown = (counts.get(name, 0) for name in ("yes", "no", None))
    told = noun(kind, yes + no + unknown)
    return (
        f"Consent to the {told}: given to {words.number(yes)}, not given to {words.number(no)},"
        f" not recorded of {words.number(unknown)}."
    )


def trend_words(points: pl.DataFrame, reason: str | None) -> str:
    """Which months are unusual, and what the limits are where few are expected."""
    if reason == "few_weeks":
        return "Limits need two months with attempts."
    if reason is not None:
        return "Without any there are no limits."
    few = " Where fewer than five are expected, the limits are those of a count."
    few = few if points["is_few"].any() else ""
    outside = points.filter("is_outside")
    if outside.is_empty():
        return f"No month lies outside its limits.{few}"
    listed = [words.month(month) for month in outside["month"]]
    return f"Outside the limits: {words.listing(listed)}.{few}"


def in_force_words(*, is_early: bool) -> str:
    """On which days contacts are judged."""
    return "on all days" if is_early else "on days in force"


def by_rule_words(kind_label: str, rules: int, *, is_early: bool) -> str:
    """What the table by rule measures."""
    days = "on all days" if is_early else "on the days on which each was in force"
    twice = " A contact counts once for each rule that it breaks, so a rate of all can pass 1,000."
    return (
        f"{kind_label} per 1,000 attempts {days}, with 95 % interval."
        f"{twice if rules > 1 else ''} What each says: below, under The rules in use."
    )


def early_words(since: date, months_from: date) -> str | None:
    """That not all of the months were judged."""
    if since <= months_from:
        return None
    return (
        f"The first of these rules came into force on {words.day(since)}; days before it are not"
        " judged unless you ask for them."
    )


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
