"""What channels, stages, steps and other codes of contacts are called."""

from __future__ import annotations

from collections.abc import Sequence

from charts.format import compact

CHANNELS = {
    "sms": "Text message",
    "app_push": "App push",
    "messenger": "Messenger",
    "email": "E-mail",
    "letter": "Letter",
    "voice_bot": "Voice bot",
    "call": "Call",
    "visit": "Visit",
    "mediation": "Mediation",
    "none": "Nobody (self-cure)",
}
_MANY = {
    "app_push": "app pushes",
    "messenger": "messenger messages",
    "email": "e-mails",
    "voice_bot": "voice bot calls",
    "mediation": "mediation",
}
STAGES = {
    "reminder": "Before a case",
    "early": "Early (to 30 days)",
    "middle": "Middle (31–90)",
    "late": "Late (over 90)",
}
_STAGES_SAID = {
    "reminder": "before a case",
    "early": "in the early stage (up to 30 days late)",
    "middle": "in the middle stage (31–90 days late)",
    "late": "in the late stage (over 90 days late)",
}
RULES = {"last": "Last contact", "first": "First contact", "equal": "Equal split"}
STEPS = {
    "reach": "Reached",
    "right_party": "Spoke to debtor",
    "promise": "Promised",
    "kept": "Kept",
    "credited": "Cash credited",
}
DUE_STEPS = {
    "day_7": "Day 7: text or messenger",
    "day_15": "Day 15: call",
    "day_30": "Day 30: special team",
    "day_60": "Day 60: decision on suing",
}
AMOUNTS = {"small": "Small", "middle": "Middle", "large": "Large", "huge": "Huge"}
DOSES = {"0": "none", "1": "1", "2-3": "2–3", "4+": "4 or more"}
FIRST_DAYS = {"none": "none", "0-1": "days 0–1", "2-3": "days 2–3", "4-6": "days 4–6"}
COVARIATES = {
    "product": "Product",
    "region": "Region",
    "grade": "Grade",
    "first_grade": "Grade when granted",
    "bucket": "Lateness",
    "amount_band": "Amount",
    "amount_step": "Amount",
    "is_owned": "Owned or automated",
    "quarter": "Quarter of opening",
}
MODELS = {
    "chance_treated": "Who is treated",
    "chance_reference": "Who is left alone",
    "outcome_treated": "What comes of the treated",
    "outcome_reference": "What comes of the others",
}
NOTES = {  # in a chart, after "no estimate:"
    "no_contacts": "nobody was treated",
    "no_reference": "everybody was treated",
    "too_few": "too few cases",
    "no_overlap": "the cases are too unlike",
    "no_variation": "all of a group, or none, resolved",
}


def channel(code: str) -> str:
    """A channel as a label: Text message."""
    return CHANNELS.get(code, code)


def channels(code: str) -> str:
    """A channel in a sentence, many of them: text messages."""
    return _MANY.get(code) or f"{channel(code).lower()}s"


def stage(code: str) -> str:
    """A stage in a sentence: in the early stage (up to 30 days late)."""
    return _STAGES_SAID.get(code, f"at {code}")


def covariate(name: str) -> str:
    """What is adjusted for: Product, or another channel."""
    return COVARIATES.get(name) or CHANNELS.get(name) or name.replace("_", " ").capitalize()


def amounts(bounds: Sequence[float]) -> dict[str, str]:
    """Bands of placed amounts with their bounds, where these are known.

    >>> amounts([1000.0, 3000.0, 9000.0])["small"].split()[0]
    'Small'
    """
    if len(bounds) != len(AMOUNTS) - 1:
        return AMOUNTS
    ends = [compact(bound) for bound in bounds]
    said = [f"under {ends[0]}", f"{ends[0]} to {ends[1]}", f"{ends[1]} to {ends[2]}"]
    said.append(f"{ends[2]} and more")
    return {
        code: f"{name} ({words})" for (code, name), words in zip(AMOUNTS.items(), said, strict=True)
    }


def sentence(text: str) -> str:
    """With a capital letter at its beginning."""
    return text[:1].upper() + text[1:]
