"""What fields of a strategy, stages, effects and costs are called."""

from __future__ import annotations

from typing import Final

# Labels of the fields of a treatment, in the groups in which they are edited.
TREATMENTS: Final[dict[str, str]] = {
    "attempts_sms": "Text messages",
    "attempts_app_push": "App pushes",
    "attempts_messenger": "Messenger",
    "attempts_email": "E-mails",
    "attempts_letter": "Letters",
    "attempts_voice_bot": "Voice bot",
    "attempts_call": "Calls",
    "attempts_visit": "Visits",
    "attempts_mediation": "Mediation",
    "bot_share": "Calls given to the bot",
    "first_contact_day": "First contact, working day",
    "gap_days": "Days between attempts",
    "plan_share": "Offered a plan",
    "settlement_share": "Offered a settlement",
    "settlement_discount": "Discount of a settlement",
    "agency_share": "Placed with agencies",
    "agency_day": "Placed on day",
    "commission_rate": "Commission",
    "suit_share": "Sued in a month",
    "suit_day": "Sued from day",
    "suit_fee": "Fees of a suit",
}
OPERATIONS: Final[dict[str, str]] = {
    "collectors": "Collectors",
    "hours_per_month": "Hours of each a month",
    "monthly_pay": "Pay of each a month",
    "monthly_bonus": "Bonus of each a month",
    "one_off_cost": "One-off cost of systems",
    "running_cost": "Running cost of systems a month",
    "years_of_use": "Years of use",
    "discount_rate": "Discount rate a year",
    "sale_share": "Share of debt over 180 days late sold at once",
    "sale_price": "Price of sold debt, of its balance",
    "priority": "When hours are short",
}
STAGES = {
    "reminder": "loans not yet late",
    "early": "cases 1–30 days late",
    "middle": "cases 31–90 days late",
    "late": "cases over 90 days late",
}
STAGE_NAMES = {
    "reminder": "Not yet late",
    "early": "Early (to 30 days)",
    "middle": "Middle (31–90)",
    "late": "Late (over 90)",
}
PRIORITIES = {
    "late_first": "Latest first",
    "early_first": "Earliest first",
    "amount_first": "Largest first",
}
EVIDENCE = {
    "estimated": "Estimated",
    "assumed": "Your assumption",
    "none": "No estimate",
}
CURVES = {
    "agency_curve": "Agency instead of in-house",
    "suit_curve": "Being sued",
}
# Short names for the sides of charts, where about twenty characters have room.
CURVE_LABELS = {"agency_curve": "Agency", "suit_curve": "Suit"}
EFFECT_LABELS = {
    "first_contact": "First contact",
    "cadence": "Shorter gaps",
    "agency": "Agency",
    "plan": "Plan offered",
    "settlement": "Settlement offered",
    "suit": "Suit",
}
STEPS = {
    "1": "first month",
    "2": "second month",
    "3": "third month",
    "4-6": "months 4 to 6",
    "7+": "from month 7",
}
COSTS = {
    "contact": "Contacts",
    "legal": "Fees of suits",
    "commission": "Commission and discounts",
    "labour": "Pay",
    "bonus": "Bonus",
    "system": "Systems, running",
    "one_off": "Systems, one-off",
}
COST_LABELS = COSTS | {"commission": "Fees, discounts"}
SAID = {
    "attempts_sms": "text messages",
    "attempts_app_push": "app pushes",
    "attempts_messenger": "messenger messages",
    "attempts_email": "e-mails",
    "attempts_letter": "letters",
    "attempts_voice_bot": "voice bot calls",
    "attempts_call": "calls",
    "attempts_visit": "visits",
    "attempts_mediation": "mediation",
    "bot_share": "calls given to the voice bot",
    "first_contact_day": "first contact on working day",
    "gap_days": "days between attempts",
    "plan_share": "offered a plan",
    "settlement_share": "offered a settlement",
    "settlement_discount": "discount of a settlement",
    "agency_share": "placed with agencies",
    "agency_day": "placed on day",
    "commission_rate": "commission",
    "suit_share": "sued in a month",
    "suit_day": "sued from day",
    "suit_fee": "fees of a suit",
}
MISSING_TABLES = {
    "contacts": "No contacts are recorded, so what is attempted now is not known, and no effect of"
    " attempts can be estimated.",
    "costs": "No costs are recorded: pay, bonus and systems count as nothing until you enter them.",
    "unit_costs": "Contacts have no recorded cost, so attempts cost nothing here.",
    "complaints": "No complaint names a channel, so complaints are not forecast.",
    "people": "No collectors are recorded, so hours are not limited here, and pay is not counted"
    " until you enter it.",
}
REASONS = {
    "no_contacts": "nobody was treated so",
    "no_reference": "everybody was treated so",
    "too_few": "too few cases",
    "no_overlap": "those with and without are too unlike",
    "no_variation": "all of a group, or none, resolved",
    "no_agencies": "no agency can be compared with in-house",
    "assumed_only": "nobody has estimated it: say what you assume",
    "by_curve": "it goes by its curve, month by month; a range here takes the curve's place",
}
LEVERS = {
    "calls": "Calls",
    "messages": "Messages",
    "letters": "Letters",
    "visits": "Visits, mediation",
    "voice_bot": "Voice bot",
    "first_contact": "Day of first contact",
    "cadence": "Days between attempts",
    "agency": "Agencies",
    "offers": "Plans, settlements",
    "suit": "Suits",
    "sale": "Sale of old debt",
}
